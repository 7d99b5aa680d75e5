package models_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestInspect looks at a database before and after it was migrated, while a store has
// it open and while none has.
func TestInspect(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		options := models.Options{URL: databaseURL}
		inspect := func() *models.Facts {
			t.Helper()
			f, err := models.Inspect(t.Context(), options)
			must(t, err)
			return f
		}
		path, isSQLite := strings.CutPrefix(databaseURL, "sqlite:")
		if isSQLite {
			if _, err := models.Inspect(t.Context(), options); !errors.Is(err, models.ErrNoDatabase) {
				t.Errorf("no file: got %v", err)
			}
			if left, _ := filepath.Glob(path + "*"); len(left) > 0 {
				t.Errorf("Inspect made %q", left)
			}
		} else if f := inspect(); f.Schema != 0 || f.Wanted == 0 || f.Standby || f.Skew.Abs() > time.Minute || f.Setting("max_connections") < 10 {
			t.Errorf("before: got %+v", f)
		}
		store := openAt(t, databaseURL, nil)
		must(t, store.Migrate(t.Context()))
		f := inspect()
		if f.Schema != f.Wanted || f.Encoding == "" || f.Version == "" {
			t.Errorf("open: got %+v", f)
		}
		if isSQLite && (f.Journal != "wal" || !f.Checked || f.Damage != "" || f.Size == 0) || !isSQLite && f.Servers < 1 {
			t.Errorf("open: got %+v", f)
		}
		must(t, store.Close())
		if isSQLite {
			must(t, os.WriteFile(path+"-wal", []byte("x"), 0o600))
			if f := inspect(); !f.Unclosed {
				t.Errorf("a log without its index: got %+v", f)
			}
			if _, err := os.Stat(path + "-shm"); err == nil {
				t.Error("Inspect made an index of the log")
			}
			must(t, os.Remove(path+"-wal"))
		}
		before, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if f = inspect(); f.Schema != f.Wanted || isSQLite && f.Journal != "wal" {
			t.Errorf("closed: got %+v", f)
		}
		if after, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(after) != len(before) {
			t.Errorf("Inspect made a file: %q, before %q", after, before)
		}
	})
}

// TestInspectDamaged checks a file that is no database, and one with a damaged page.
func TestInspectDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latchkey.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600))
	inspect := func() string {
		t.Helper()
		f, err := models.Inspect(t.Context(), models.Options{URL: "sqlite:" + path})
		must(t, err)
		return f.Damage
	}
	if got := inspect(); !strings.Contains(got, "not a database") {
		t.Errorf("no database: got the damage %q", got)
	}
	must(t, os.Remove(path))
	store := openAt(t, "sqlite:"+path, nil)
	must(t, store.Migrate(t.Context()))
	must(t, store.Close())
	content, err := os.ReadFile(path)
	must(t, err)
	for i := 8 << 12; i < 12<<12; i++ { // a few pages of 4096 bytes
		content[i] ^= 0xff
	}
	must(t, os.WriteFile(path, content, 0o600))
	if got := inspect(); got == "" {
		t.Error("damaged pages: got no damage")
	}
	must(t, os.WriteFile(path, content[:8<<12], 0o600))
	if got := inspect(); got == "" {
		t.Error("cut off: got no damage")
	}
}

// TestInspectOthers checks that an ordinary role counts the connections of the others,
// of which PostgreSQL tells it less.
func TestInspectOthers(t *testing.T) {
	databaseURL := testdb.PostgresURL(t)
	owner := openAt(t, databaseURL, nil)
	role := "inspecting_" + strings.ToLower(models.NewID())
	_, err := owner.SQL().ExecContext(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD 'x'")
	must(t, err)
	t.Cleanup(func() {
		_, err := owner.SQL().Exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
		must(t, err)
	})
	u, err := url.Parse(databaseURL)
	must(t, err)
	u.User = url.UserPassword(role, "x")
	f, err := models.Inspect(t.Context(), models.Options{URL: u.String()})
	must(t, err)
	if f.Used < 1 || f.Servers != 0 {
		t.Errorf("got %d connections, %d of them its own, want those of the owner and none", f.Used, f.Servers)
	}
}
