package models_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/gorm/schema"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/migrations"
	"latchkey/models"
)

// tables lists every column of every table of the portal, as "table.column type".
func tables(t *testing.T, store *models.Store) []string {
	t.Helper()
	query := `SELECT m.name || '.' || c.name || ' ' || c.type FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' ORDER BY 1`
	if store.Dialect() == "postgres" {
		query = `SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
			WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%' ORDER BY 1`
	}
	return strs(t, store, query)
}

// indexes lists the definition of every index.
func indexes(t *testing.T, store *models.Store) []string {
	t.Helper()
	query := "SELECT sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql <> '' ORDER BY 1"
	if store.Dialect() == "postgres" {
		query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose_%' ORDER BY 1"
	}
	return strs(t, store, query)
}

func strs(t *testing.T, store *models.Store, query string) []string {
	t.Helper()
	rows, err := store.SQL().QueryContext(t.Context(), query)
	must(t, err)
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		list = append(list, s)
	}
	must(t, rows.Err())
	return list
}

func TestMigrateUpDownUp(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		ctx := t.Context()
		store := openAt(t, databaseURL, nil)
		wantPending(t, store, true)
		must(t, store.Migrate(ctx))
		must(t, store.Ready(ctx))
		wantPending(t, store, false)
		columns, indexed := tables(t, store), indexes(t, store)
		if len(columns) < 60 || len(indexed) < 15 {
			t.Errorf("only %d columns and %d indexes", len(columns), len(indexed))
		}
		addSession(t, store, addUser(t, store, "ada"), nil)
		must(t, store.MigrateDown(ctx))
		if left := append(tables(t, store), indexes(t, store)...); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		wantKind(t, "ready without a schema", store.Ready(ctx), apperr.Unavailable)
		must(t, store.Migrate(ctx))
		must(t, store.Migrate(ctx)) // nothing is left to do
		must(t, store.Ready(ctx))
		if diff := cmp.Diff(columns, tables(t, store)); diff != "" {
			t.Errorf("columns after down and up (-first +second):\n%s", diff)
		}
		if diff := cmp.Diff(indexed, indexes(t, store)); diff != "" {
			t.Errorf("indexes after down and up (-first +second):\n%s", diff)
		}
	})
}

func wantPending(t *testing.T, store *models.Store, want bool) {
	t.Helper()
	list, err := store.Migrations(t.Context())
	must(t, err)
	if len(list) == 0 {
		t.Error("no migrations")
	}
	for _, migration := range list {
		if migration.AppliedAt.IsZero() != want || migration.Version < 1 || !strings.HasPrefix(migration.Name, "0") {
			t.Errorf("%+v: pending %v, want %v", migration, migration.AppliedAt.IsZero(), want)
		}
	}
}

// TestEqualVersions checks that both engines have the same migrations with the same
// numbers.
func TestEqualVersions(t *testing.T) {
	var lists [2][]string
	for i, folder := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(migrations.Files, folder)
		must(t, err)
		for _, entry := range entries {
			lists[i] = append(lists[i], entry.Name())
		}
	}
	if diff := cmp.Diff(lists[0], lists[1]); diff != "" || len(lists[0]) == 0 {
		t.Errorf("migrations (-sqlite +postgres):\n%s", diff)
	}
}

// TestColumns checks that every GORM field has a column of a suitable type.
func TestColumns(t *testing.T) {
	types := map[schema.DataType][]string{
		schema.String: {"TEXT", "text"}, schema.Int: {"INTEGER", "bigint"}, schema.Bool: {"INTEGER", "boolean"},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		columns := map[string]bool{}
		for _, column := range tables(t, store) {
			columns[column] = true
		}
		for _, model := range []any{&models.User{}, &models.Session{}, &models.OneTimeToken{}, &models.PersonalToken{}, &models.Event{}, &models.Delivery{}, &models.EmailChange{}, &models.Invitation{}, &models.DeletedUser{}} {
			parsed, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
			must(t, err)
			for _, field := range parsed.Fields {
				found := false
				for _, kind := range types[field.DataType] {
					found = found || columns[parsed.Table+"."+field.DBName+" "+kind]
				}
				if !found {
					t.Errorf("%s.%s (%s) has no column %s.%s", parsed.Name, field.Name, field.DataType, parsed.Table, field.DBName)
				}
			}
		}
	})
}

// TestMigrateTogether checks that replicas that start at the same time take turns.
func TestMigrateTogether(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		stores := make([]*models.Store, 4)
		for i := range stores {
			stores[i] = openAt(t, databaseURL, nil)
		}
		var all sync.WaitGroup
		for _, store := range stores {
			all.Go(func() {
				if err := store.Migrate(context.Background()); err != nil {
					t.Errorf("migrate: %v", err)
				}
			})
		}
		all.Wait()
		for _, store := range stores {
			must(t, store.Ready(t.Context()))
		}
		if applied := strs(t, stores[0], "SELECT 'x' FROM goose_db_version WHERE version_id = 1"); len(applied) != 1 {
			t.Errorf("the first migration was applied %d times", len(applied))
		}
	})
}

// TestMigrateWaits checks that a process that waits for another one logs that once,
// and that the error of a process that stops waiting says what it waited for.
func TestMigrateWaits(t *testing.T) {
	const what = "waiting for another process that migrates the database"
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		release := holdMigrations(t, databaseURL)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		log, ended := make(lines, 10), make(chan error, 1)
		go func() { ended <- migrateAt(ctx, databaseURL, log) }()
		select {
		case line := <-log:
			if !strings.Contains(line, what) {
				t.Errorf("the log says %q, want %q", line, what)
			}
		case err := <-ended:
			t.Fatalf("did not wait: %v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), what) {
			t.Errorf("stopped: %v, want %q and that it was canceled", err, what)
		}
		release()
		must(t, migrateAt(t.Context(), databaseURL, log))
		if len(log) > 0 {
			t.Errorf("the log also says %q", <-log)
		}
	})
}

// holdMigrations takes the lock for migrations of a database.
func holdMigrations(t *testing.T, databaseURL string) (release func()) {
	t.Helper()
	if path, isSQLite := strings.CutPrefix(databaseURL, "sqlite:"); isSQLite {
		held := flock.New(path + ".lock")
		must(t, held.Lock())
		return func() { must(t, held.Unlock()) }
	}
	conn, err := openAt(t, databaseURL, nil).SQL().Conn(t.Context())
	must(t, err)
	_, err = conn.ExecContext(t.Context(), "SELECT pg_advisory_lock($1)", lock.DefaultLockID)
	must(t, err)
	return func() {
		_, err := conn.ExecContext(t.Context(), "SELECT pg_advisory_unlock($1)", lock.DefaultLockID)
		must(t, errors.Join(err, conn.Close()))
	}
}

// migrateAt opens and migrates a database as a process does.
func migrateAt(ctx context.Context, databaseURL string, log lines) error {
	store, err := models.Open(ctx, models.Options{URL: databaseURL, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		return err
	}
	return errors.Join(store.Migrate(ctx), store.Close())
}

// lines is a writer that sends each write to a channel.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestSchemaNewer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		_, err := store.SQL().ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (90000, true)")
		must(t, err)
		before := tables(t, store)
		if err := store.Migrate(ctx); !errors.Is(err, models.ErrSchemaNewer) {
			t.Errorf("migrate: %v, want ErrSchemaNewer", err)
		}
		if list, err := store.Migrations(ctx); !errors.Is(err, models.ErrSchemaNewer) || len(list) == 0 {
			t.Errorf("list: %d migrations, %v; want those known and ErrSchemaNewer", len(list), err)
		}
		must(t, store.Ready(ctx)) // a server that already runs goes on
		if diff := cmp.Diff(before, tables(t, store)); diff != "" {
			t.Errorf("the schema changed:\n%s", diff)
		}
	})
}
