package models_test

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestEncoding checks that a database that does not store UTF-8 is refused before
// anything is written to it, with an error that says what to do.
func TestEncoding(t *testing.T) {
	refused := func(t *testing.T, databaseURL string, want ...string) {
		t.Helper()
		store := openAt(t, databaseURL, nil)
		err := store.Migrate(t.Context())
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("got %v, want an error with %q", err, part)
			}
		}
		if list, err := store.Migrations(t.Context()); err != nil || !list[0].AppliedAt.IsZero() {
			t.Errorf("the first migration is %+v (%v), want it pending", list[0], err)
		}
	}
	for _, encoding := range []string{"SQL_ASCII", "LATIN1"} {
		t.Run(encoding, func(t *testing.T) {
			u, err := url.Parse(testdb.PostgresURL(t))
			must(t, err)
			admin, name := openAt(t, u.String(), nil), "latchkey_test_"+models.NewID()
			_, err = admin.SQL().ExecContext(t.Context(), "CREATE DATABASE "+name+" ENCODING '"+encoding+"' LOCALE 'C' TEMPLATE template0")
			must(t, err)
			t.Cleanup(func() {
				_, err := admin.SQL().ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
				must(t, err)
			})
			u.Path = "/" + name
			refused(t, u.String(), "encoding is "+encoding, "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0")
		})
	}
	t.Run("UTF-16", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "wide.db")
		db, err := sql.Open("sqlite", path)
		must(t, err)
		for _, query := range []string{"PRAGMA encoding = 'UTF-16le'", "CREATE TABLE goose_db_version (id INTEGER)", "DROP TABLE goose_db_version"} {
			_, err := db.ExecContext(t.Context(), query)
			must(t, err)
		}
		must(t, db.Close())
		refused(t, "sqlite:"+path, "encoding is UTF-16le", "use a new file")
	})
}

// TestClientEncoding checks that text is stored correctly, whichever encoding is set
// for the role.
func TestClientEncoding(t *testing.T) {
	databaseURL := testdb.PostgresURL(t)
	store := openAt(t, databaseURL, nil)
	must(t, store.Migrate(t.Context()))
	var name string
	must(t, store.SQL().QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	_, err := store.SQL().ExecContext(t.Context(), "ALTER DATABASE "+name+" SET client_encoding = 'LATIN1'")
	must(t, err)
	other := openAt(t, databaseURL, nil)
	user := &models.User{ID: models.NewID(), Username: "jose", Email: "jose@example.org", FullName: "José Ωmega", Role: models.RoleUser, CreatedAt: 1, UpdatedAt: 1}
	must(t, other.Users.Create(t.Context(), user))
	if got, err := store.Users.ByID(t.Context(), user.ID); err != nil || got.FullName != user.FullName {
		t.Errorf("got %+v (%v), want the name %q", got, err, user.FullName)
	}
}
