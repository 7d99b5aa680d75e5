package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/models"
)

// TestDatabase judges facts, one fault at a time.
func TestDatabase(t *testing.T) {
	sqlite := models.Facts{Version: "3", Encoding: "UTF-8", Schema: 12, Wanted: 12, Journal: "wal", Checked: true}
	postgres := models.Facts{Version: "17", Encoding: "UTF8", Schema: 12, Wanted: 12, Used: 12, Servers: 10, Settings: map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_connections": "100", "superuser_reserved_connections": "3", "reserved_connections": "0",
	}}
	off := func(name, value string) func(*models.Facts) {
		return func(f *models.Facts) {
			settings := map[string]string{}
			for k, v := range f.Settings {
				settings[k] = v
			}
			settings[name] = value
			f.Settings = settings
		}
	}
	tests := []struct {
		name   string
		facts  models.Facts
		change func(*models.Facts)
		check  string
		want   State
		says   string
	}{
		{"SQLite", sqlite, nil, "", OK, ""},
		{"PostgreSQL", postgres, nil, "", OK, ""},
		{"newer schema", sqlite, func(f *models.Facts) { f.Schema = 13 }, "Schema", Fail, "newer"},
		{"older schema", postgres, func(f *models.Facts) { f.Schema = 11 }, "Schema", Warn, "latchkey migrate up"},
		{"no schema", postgres, func(f *models.Facts) { f.Schema = 0 }, "Schema", Warn, "no tables yet"},
		{"encoding", postgres, func(f *models.Facts) { f.Encoding = "LATIN1" }, "Encoding", Fail, "LATIN1"},
		{"encoding of a file", sqlite, func(f *models.Facts) { f.Encoding = "UTF-16le" }, "Encoding", Fail, "UTF-16le"},
		{"rollback journal", sqlite, func(f *models.Facts) { f.Journal = "delete" }, "Durability", Warn, "delete"},
		{"damaged", sqlite, func(f *models.Facts) { f.Damage = "row 3 missing from index\nmore" }, "Integrity", Fail, "row 3 missing from index"},
		{"large", sqlite, func(f *models.Facts) { f.Checked = false }, "Integrity", OK, "large"},
		{"fsync", postgres, off("fsync", "off"), "Durability", Fail, "fsync off"},
		{"full_page_writes", postgres, off("full_page_writes", "off"), "Full pages", Warn, "ZFS"},
		{"synchronous_commit", postgres, off("synchronous_commit", "off"), "Durability", Fail, "synchronous_commit off"},
		{"local commits", postgres, off("synchronous_commit", "local"), "Durability", OK, "local"},
		{"read only", postgres, off("default_transaction_read_only", "on"), "Durability", Fail, "read_only"},
		{"standby", postgres, func(f *models.Facts) { f.Standby = true }, "Durability", Fail, "target_session_attrs"},
		{"room for one process", postgres, off("max_connections", "20"), "Connections", Warn, "room for 1 process"},
		{"room while serving only", postgres, off("max_connections", "16"), "Connections", Fail, "room for 0 processes"},
		{"no room", postgres, off("max_connections", "3"), "Connections", Fail, "room for 0 processes"},
		{"reserved", postgres, off("reserved_connections", "90"), "Connections", Fail, "12 of 7 are in use"},
		{"not closed", sqlite, func(f *models.Facts) { *f = models.Facts{Unclosed: true} }, "File", Warn, "did not close"},
		{"clock behind", postgres, func(f *models.Facts) { f.Skew = -31 * time.Second }, "Clock", Fail, "31s"},
		{"clock ahead", postgres, func(f *models.Facts) { f.Skew = 6 * time.Second }, "Clock", Warn, "6s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			facts, o, g := test.facts, Options{Pool: 10}, group{}
			if facts.Settings == nil {
				o.Path = "latchkey.db"
			}
			if test.change != nil {
				test.change(&facts)
			}
			o.judge(&g, &facts)
			if test.check == "" {
				if Count(g.checks, OK) != len(g.checks) {
					t.Errorf("got %+v, want no complaint", g.checks)
				}
				return
			}
			find(t, g.checks, test.check).is(t, test.want, test.says)
		})
	}
}

// TestFiles checks modes, the secret and what the file system says.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "latchkey.db")
	secret := filepath.Join(dir, "secret")
	o := Options{Path: path, SecretPath: secret, SessionTTL: time.Hour, EnvFile: filepath.Join(dir, "env")}
	find(t, o.files(t.Context()), "Secret").is(t, OK, "first start")
	for _, file := range []string{path, path + "-wal", o.EnvFile} {
		write(t, file)
	}
	find(t, o.files(t.Context()), "Secret").is(t, Warn, "missing")
	write(t, secret)
	for _, c := range o.files(t.Context()) {
		if c.Name != "File system" && c.Name != "Free space" { // the machine's own
			c.is(t, OK, "")
		}
	}
	for _, test := range []struct {
		check, file string
		mode        os.FileMode
		want        State
	}{
		{"Database file", path, 0o644, Fail},
		{"Database file", path, 0o640, OK},
		{"Database file", path, 0o660, Warn},
		{"Secret", secret, 0o604, Fail},
		{"Environment file", o.EnvFile, 0o644, Fail},
	} {
		if err := os.Chmod(test.file, test.mode); err != nil {
			t.Fatal(err)
		}
		find(t, o.files(t.Context()), test.check).is(t, test.want, test.file)
		if err := os.Chmod(test.file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(path+"-wal", 12345, 12345); err != nil {
			t.Fatal(err)
		}
		find(t, o.files(t.Context()), "Owner").is(t, Fail, "latchkey.db-wal")
	}
	o.Previous = true
	find(t, o.files(t.Context()), "Previous secret").is(t, Warn, "1h0m0s")
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFree(t *testing.T) {
	for free0, want := range map[int64]State{1 << 40: OK, freeWarn - 1: Warn, freeFail - 1: Fail, 0: Fail} {
		var g group
		free(&g, "Free space", "/srv", "Make room.", models.FileSystem{Free: free0, Size: 1 << 40})
		g.checks[0].is(t, want, "/srv")
	}
	var g group
	if free(&g, "Free space", "/srv", "Make room.", models.FileSystem{}); len(g.checks) > 0 {
		t.Errorf("a file system that does not tell its size: got %+v", g.checks)
	}
}

// TestBackup checks the age of the newest backup, whatever else is in the folder.
func TestBackup(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	o := Options{BackupEvery: time.Hour, Now: func() time.Time { return now }}
	find(t, o.backup(t.Context()), "Schedule").is(t, Warn, "LATCHKEY_BACKUP_DIR")
	o.BackupDir = filepath.Join(t.TempDir(), "backup")
	find(t, o.backup(t.Context()), "Folder").is(t, Warn, "does not exist")
	if err := os.Mkdir(o.BackupDir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string) { write(t, filepath.Join(o.BackupDir, name)) } // its own time is now
	o.Path = "latchkey.db"
	put("latchkey-20261130-115900.db.partial")
	put("latchkey-20261130-115900.dump")
	put("notes.txt")
	find(t, o.backup(t.Context()), "Age").is(t, Warn, "no backup in")
	put("latchkey-20261130-090000.db")
	find(t, o.backup(t.Context()), "Age").is(t, Fail, "3h0m0s old")
	put("latchkey-20261130-103000.db")
	find(t, o.backup(t.Context()), "Age").is(t, OK, "1h30m0s old")
	put("latchkey-20361130-000000.db")
	find(t, o.backup(t.Context()), "Age").is(t, Warn, "2036")
	o.Path = ""
	find(t, o.backup(t.Context()), "Age").is(t, OK, "1m0s old")
	t.Setenv("PATH", t.TempDir())
	find(t, o.backup(t.Context()), "Programs").is(t, Warn, "pg_dump")
	if os.Getuid() != 0 { // root may write everywhere
		if err := os.Chmod(o.BackupDir, 0o500); err != nil {
			t.Fatal(err)
		}
		find(t, o.backup(t.Context()), "Folder").is(t, Fail, "cannot be written to")
	}
}

type mailer struct{ err error }

func (m mailer) Try(context.Context) error { return m.err }

func TestMail(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want State
		says string
	}{
		{Options{Mail: mailer{}}, OK, "no message was sent"},
		{Options{Mail: mailer{errors.New("535 no")}}, Fail, "535 no"},
		{Options{MailFolder: "data/mail", Loopback: true}, OK, "data/mail"},
		{Options{MailFolder: "data/mail"}, Warn, "nobody"},
		{Options{}, Warn, "LATCHKEY_SMTP_URL"},
	} {
		checks := test.o.mail(t.Context())
		if len(checks) != 1 {
			t.Fatalf("got %+v", checks)
		}
		checks[0].is(t, test.want, test.says)
	}
}

func TestMachine(t *testing.T) {
	for memory, want := range map[int64]State{0: OK, 64 << 20: Fail, 96_000_000: OK, 96 << 20: OK, 1 << 30: OK} {
		find(t, Options{Memory: memory, Hashes: 1}.machine(t.Context()), "Memory").is(t, want, "1 password hash at a time")
	}
	for most, want := range map[uint64]State{1 << 20: OK, 4095: Warn, 1023: Fail} {
		var g group
		descriptors(&g, most)
		g.checks[0].is(t, want, "")
	}
}

// TestProblems checks that a configuration with problems leaves only the checks that
// need none.
func TestProblems(t *testing.T) {
	checks := Run(t.Context(), Options{Problems: []string{"LATCHKEY_ADDR is wrong", "LATCHKEY_SECRET is short"}, Warnings: []string{"LATCHKEY_ADRR is unknown"}})
	if Count(checks, Fail) != 2 || Count(checks, Warn) != 1 {
		t.Errorf("got %+v", checks)
	}
	for _, c := range checks {
		if c.Group != "Configuration" && c.Group != "Machine" {
			t.Errorf("got the group %s", c.Group)
		}
	}
}

func TestPrint(t *testing.T) {
	checks := []Check{{"One", "First", OK, "is well", ""}, {"Two", "Second", Warn, "is odd", "Look."}, {"Two", "Third", Fail, "is bad", "Act."}}
	var page strings.Builder
	if err := Print(&page, checks, false); err != nil {
		t.Fatal(err)
	}
	want := `One
  ✓ First: is well

Two
  ! Second: is odd
      Look.
  ✗ Third: is bad
      Act.

1 ✓, 1 !, 1 ✗
`
	if diff := cmp.Diff(want, page.String()); diff != "" {
		t.Errorf("the page (-want +got):\n%s", diff)
	}
	var text strings.Builder
	if err := PrintJSON(&text, checks); err != nil {
		t.Fatal(err)
	}
	var back []Check
	if err := json.Unmarshal([]byte(text.String()), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(checks, back); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	page.Reset()
	if err := Print(&page, checks, true); err != nil || !strings.Contains(page.String(), "\x1b[31m✗\x1b[0m Third") {
		t.Errorf("got %q, %v", page.String(), err)
	}
}
