package models_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestDiskFull checks that errors of opening and migrating say that the disk is full.
func TestDiskFull(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "small.db"))
	must(t, err)
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), "PRAGMA max_page_count = 2")
	must(t, err)
	_, small := db.ExecContext(t.Context(), "CREATE TABLE a (a); CREATE TABLE b (b); CREATE TABLE c (c)")
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"SQLite", small, true},
		{"PostgreSQL", &pgconn.PgError{Code: "53100"}, true},
		{"a file", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
		{"a quota", syscall.EDQUOT, true},
		{"another SQLSTATE", &pgconn.PgError{Code: "53200"}, false},
		{"another error", syscall.EACCES, false},
	} {
		got := models.SayFull(fmt.Errorf("migrate: %w", test.err))
		if errors.Is(got, models.ErrDiskFull) != test.want || !errors.Is(got, test.err) {
			t.Errorf("%s: %v, want that the disk is full: %t", test.name, got, test.want)
		}
	}
}

// TestPrivilegeRevoked checks that a role that lost its rights on a table is an outage,
// which an admin of the database ends, and no fault of the portal.
func TestPrivilegeRevoked(t *testing.T) {
	databaseURL := testdb.PostgresURL(t)
	owner := openAt(t, databaseURL, nil)
	must(t, owner.Migrate(t.Context()))
	role := "serving_" + strings.ToLower(models.NewID())
	for _, statement := range []string{"CREATE ROLE " + role + " LOGIN PASSWORD 'x'", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + role} {
		_, err := owner.SQL().ExecContext(t.Context(), statement)
		must(t, err)
	}
	t.Cleanup(func() {
		_, err := owner.SQL().Exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
		must(t, err)
	})
	u, err := url.Parse(databaseURL)
	must(t, err)
	u.User = url.UserPassword(role, "x")
	store := openAt(t, u.String(), nil)
	must(t, store.Migrate(t.Context())) // there is nothing to do
	ada := addUser(t, store, "ada")
	_, err = owner.SQL().ExecContext(t.Context(), "REVOKE ALL ON users FROM "+role)
	must(t, err)
	_, err = store.Users.ByID(t.Context(), ada.ID)
	wantKind(t, "read", err, apperr.Unavailable)
	wantKind(t, "write", store.Users.SignedIn(t.Context(), ada.ID, epoch), apperr.Unavailable)
}
