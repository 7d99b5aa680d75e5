package models_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// notCopied are the tables of the schema that hold no data of the portal.
var notCopied = []string{"goose_db_version", "readiness"}

// copyValues are values for columns that do not take any value. The others get text
// in all scripts, large and small numbers and, if they may, NULL.
var copyValues = map[string][]any{
	"role": {"user", "admin"}, "sessions.kind": {"web", "api"}, "purpose": {"setup", "secure"}, "deliveries.state": {"waiting", "sent"},
	"clock.id": {1}, "remember": {1, 0}, "new_device": {0, 1}, "backup_eligible": {1, 0}, "backed_up": {0, 1},
	"user_id": {"user0", "user1"}, "users.id": {"user1", "user0"}, "one_time_tokens.user_id": {nil, "user1"},
}

// fillTables writes two rows into every table of a SQLite database that holds data,
// one into clock, and returns the tables.
func fillTables(t *testing.T, store *models.Store) []string {
	t.Helper()
	ctx, db := t.Context(), store.SQL()
	tables := strs(t, store, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'users\_search%' ESCAPE '\'
		ORDER BY name <> 'users', name`)
	tables = slices.DeleteFunc(tables, func(name string) bool { return slices.Contains(notCopied, name) })
	for _, table := range tables {
		columns := strs(t, store, "SELECT name || ' ' || type FROM pragma_table_info('"+table+"')")
		for i := range 2 {
			if table == "clock" && i == 1 {
				continue
			}
			var names []string
			var values []any
			for j, column := range columns {
				name, kind, _ := strings.Cut(column, " ")
				if name == "seq" {
					continue
				}
				choice := copyValues[table+"."+name]
				if choice == nil {
					choice = copyValues[name]
				}
				switch {
				case choice != nil:
				case kind == "INTEGER":
					choice = []any{int64(math.MaxInt64) - int64(j), int64(math.MinInt64) + int64(j)}
				default:
					choice = []any{fmt.Sprintf("%s é e\u0301 \U0001F511 \u202e \t\r\n\x01\ufffd\U0010FFFF '\"\\ %d", name, j), fmt.Sprintf("Ⅷ日本 %s", name)}
				}
				names, values = append(names, name), append(values, choice[i])
			}
			query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", table, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1))
			if _, err := db.ExecContext(ctx, query, values...); err != nil {
				t.Fatalf("fill %s: %v (does copyValues lack a column with a CHECK?)", table, err)
			}
		}
	}
	return tables
}

// dump returns the rows of tables as text, sorted.
func dump(t *testing.T, databaseURL string, tables []string) map[string][]string {
	t.Helper()
	store := openAt(t, databaseURL, nil)
	all := map[string][]string{}
	for _, table := range tables {
		rows, err := store.SQL().QueryContext(t.Context(), "SELECT * FROM "+table)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			must(t, rows.Scan(into...))
			var row []string
			for i, name := range columns {
				text := fmt.Sprintf("%s=%v", name, values[i])
				if on, ok := values[i].(bool); ok {
					text = fmt.Sprintf("%s=%d", name, map[bool]int{true: 1}[on])
				}
				if name != "seq" {
					row = append(row, text)
				}
			}
			slices.Sort(row)
			all[table] = append(all[table], strings.Join(row, "\n"))
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
		slices.Sort(all[table])
	}
	must(t, store.Close())
	return all
}

// copyDatabase copies one database into another.
func copyDatabase(ctx context.Context, from, to string, step func(models.CopyProgress)) (*models.Copied, error) {
	source, err := models.OpenCopySource(ctx, models.Options{URL: from})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return source.CopyTo(ctx, models.Options{URL: to}, step)
}

// migrated makes a schema in a database.
func migrated(t *testing.T, databaseURL string, change func(*models.Store)) string {
	t.Helper()
	store := openAt(t, databaseURL, nil)
	must(t, store.Migrate(t.Context()))
	if change != nil {
		change(store)
	}
	must(t, store.Close())
	return databaseURL
}

// TestCopy copies every table with values of every kind, from each engine to each, and
// compares the rows. A table of a later migration is in it by itself.
func TestCopy(t *testing.T) {
	var tables []string
	from := migrated(t, testdb.SQLiteURL(t), func(store *models.Store) { tables = fillTables(t, store) })
	want := dump(t, from, tables)
	for _, to := range []string{
		testdb.PostgresURL(t), testdb.PostgresURL(t), testdb.SQLiteURL(t), "sqlite:" + filepath.Join(t.TempDir(), "new", "folder", "latchkey.db"),
	} {
		copied, err := copyDatabase(t.Context(), from, to, nil)
		must(t, err)
		rows := map[string]int64{}
		for _, table := range copied.Tables {
			rows[table.Name] = table.Rows
		}
		for _, table := range tables {
			if got, want := rows[table], int64(len(want[table])); got != want || want == 0 {
				t.Errorf("%d rows of %s were copied, want %d", got, table, want)
			}
		}
		if len(rows) != len(tables) || len(copied.LeftOut) > 0 {
			t.Errorf("%v were copied and %v left out, want %v", rows, copied.LeftOut, tables)
		}
		if diff := cmp.Diff(want, dump(t, to, tables)); diff != "" {
			t.Fatalf("copy to %s (-want +got):\n%s", strings.SplitN(to, ":", 2)[0], diff)
		}
		store := openAt(t, to, nil)
		if page, err := store.Users.List(t.Context(), models.UserQuery{Q: "search"}); err != nil || len(page.Users) != 2 {
			t.Errorf("a search finds %d users (%v), want 2", len(page.Users), err)
		}
		must(t, store.Close())
		from = to
	}
}

// traces lists what is in a database: the folder of a SQLite file with the size of the
// file, or the tables of a PostgreSQL database.
func traces(t *testing.T, databaseURL string) (list []string) {
	t.Helper()
	path, isSQLite := strings.CutPrefix(databaseURL, "sqlite:")
	if !isSQLite {
		store := openAt(t, databaseURL, nil)
		list = strs(t, store, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
		must(t, store.Close())
		return list
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := file.Name(); !strings.HasSuffix(name, ".use") && !strings.HasSuffix(name, ".lock") {
			data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
			must(t, err)
			list = append(list, fmt.Sprintf("%s %x", name, sha256.Sum256(data)))
		}
	}
	return list
}

func exec(t *testing.T, statement string) func(*models.Store) {
	return func(store *models.Store) {
		t.Helper()
		_, err := store.SQL().ExecContext(t.Context(), statement)
		must(t, err)
	}
}

// TestCopyRefuses checks that a copy that cannot be right is refused with a sentence,
// and that neither database changes.
func TestCopyRefuses(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, used string) {
		another := func() string { // an empty database of the same kind
			if strings.HasPrefix(used, "sqlite:") {
				return testdb.SQLiteURL(t)
			}
			return testdb.PostgresURL(t)
		}
		migrated(t, used, func(store *models.Store) { addUser(t, store, "ada") })
		empty, foreign := another(), another()
		store := openAt(t, foreign, nil)
		exec(t, "CREATE TABLE invoices (id TEXT)")(store)
		must(t, store.Close())
		older := another()
		store = openAt(t, older, nil)
		must(t, store.MigrateTo(t.Context(), 11))
		must(t, store.Close())
		newer := migrated(t, another(), exec(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, "+
			map[bool]string{true: "1", false: "true"}[strings.HasPrefix(used, "sqlite:")]+")"))
		full := migrated(t, another(), exec(t, "INSERT INTO clock (id, checked_at, steady_since) VALUES (1, 0, 0)"))
		nothing := "sqlite:" + filepath.Join(t.TempDir(), "nothing", "latchkey.db")
		busy := migrated(t, another(), nil)
		user := openAt(t, busy, nil)
		if _, err := user.Users.AdminExists(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct{ from, to, want string }{
			"no file":                     {nothing, empty, "there is no database file"},
			"of another program":          {foreign, empty, "no schema of Latchkey"},
			"an older schema":             {older, empty, "is at version 11, and this program needs"},
			"a newer schema":              {newer, another(), models.ErrSchemaNewer.Error()},
			"a source in use":             {busy, empty, "stop"},
			"a target in use":             {used, busy, "stop"},
			"onto itself":                 {used, used, "this is the source database"},
			"into another program's":      {used, foreign, "the table invoices, which Latchkey did not make"},
			"into a newer schema":         {used, newer, models.ErrSchemaNewer.Error()},
			"into a database with a row":  {used, full, "the table clock has rows (1): name an empty database"},
			"into one that was copied to": {full, used, "the table users has rows (1)"},
		} {
			before := [][]string{traces(t, test.from), traces(t, test.to)}
			_, err := copyDatabase(t.Context(), test.from, test.to, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
			}
			if diff := cmp.Diff(before, [][]string{traces(t, test.from), traces(t, test.to)}); diff != "" {
				t.Errorf("%s: changed something (-before +after):\n%s", name, diff)
			}
		}
	})
}

// TestCopyLeavesNothing checks that a copy that fails half way leaves the target as it
// was, whether or not it had a schema before.
func TestCopyLeavesNothing(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, target string) {
		isSQLite := strings.HasPrefix(target, "sqlite:")
		from := migrated(t, testdb.SQLiteURL(t), func(store *models.Store) { fillTables(t, store) })
		broken := migrated(t, testdb.SQLiteURL(t), func(store *models.Store) {
			ada := addUser(t, store, "ada")
			_, err := store.SQL().ExecContext(t.Context(), "UPDATE users SET full_name = 'a' || char(0) WHERE id = ?", ada.ID)
			must(t, err)
		})
		check := func(name string, err error, want string, before []string) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want an error with %q", name, err, want)
			}
			if diff := cmp.Diff(before, traces(t, target)); diff != "" {
				t.Errorf("%s: left something (-before +after):\n%s", name, diff)
			}
		}
		for _, prepare := range []func(){
			func() {},
			func() { migrated(t, target, nil) },
		} {
			prepare()
			before := traces(t, target)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := copyDatabase(ctx, from, target, func(now models.CopyProgress) {
				if now.Table == "sessions" && now.Comparing {
					cancel()
				}
			})
			check("stopped", err, "context canceled", before)
			if !isSQLite {
				_, err = copyDatabase(t.Context(), broken, target, nil)
				check("text with a NUL", err, "text in column full_name, row id ", before)
			}
		}
		trigger := "CREATE TRIGGER other AFTER INSERT ON sessions BEGIN UPDATE sessions SET ip = 'x' WHERE id = new.id; END"
		if !isSQLite {
			trigger = "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.ip := 'x'; RETURN NEW; END $$;" +
				"CREATE TRIGGER other BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION other()"
		}
		migrated(t, target, exec(t, trigger))
		before := traces(t, target)
		_, err := copyDatabase(t.Context(), from, target, nil)
		check("other values in the target", err, "the table sessions has 2 rows in the source and 2 in the target, or different values", before)
		if _, err := copyDatabase(t.Context(), from, target, nil); !errors.As(err, new(models.TargetError)) {
			t.Errorf("%v is not an error of the target", err)
		}
	})
}

// TestCopyLocksSource checks that no other program can write to the source while it is
// copied.
func TestCopyLocksSource(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, from string) {
		migrated(t, from, func(store *models.Store) { addUser(t, store, "ada") })
		driver, name, want := "pgx", from+"&options=-clock_timeout%3D50", "lock timeout"
		if path, ok := strings.CutPrefix(from, "sqlite:"); ok {
			driver, name, want = "sqlite", "file:"+path+"?_pragma=busy_timeout(0)", "database is locked"
		} else if !strings.Contains(from, "?") {
			name = from + "?options=-clock_timeout%3D50"
		}
		db, err := sql.Open(driver, name)
		must(t, err)
		defer func() { _ = db.Close() }()
		tried := false
		_, err = copyDatabase(t.Context(), from, testdb.SQLiteURL(t), func(models.CopyProgress) {
			if tried {
				return
			}
			tried = true
			if _, err := db.ExecContext(t.Context(), "UPDATE users SET full_name = 'lost'"); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("a write during the copy: %v, want an error with %q", err, want)
			}
			if strings.HasPrefix(from, "sqlite:") {
				if _, err := models.Open(t.Context(), models.Options{URL: from}); !errors.Is(err, models.ErrInUse) {
					t.Errorf("a server during the copy: %v, want ErrInUse", err)
				}
			}
		})
		must(t, err)
		if _, err := db.ExecContext(t.Context(), "UPDATE users SET full_name = 'after'"); err != nil || !tried {
			t.Errorf("a write after the copy: %v", err)
		}
	})
}
