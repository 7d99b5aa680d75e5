package models_test

import (
	"fmt"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestReadyWrites checks that a database that answers and takes no writes is not
// ready, and is ready again by itself.
func TestReadyWrites(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		must(t, store.Ready(ctx))
		readOnly(t, store, true)
		wantKind(t, "ready, read-only", store.Ready(ctx), apperr.Unavailable)
		if _, err := store.Users.ByEmail(ctx, "ana@example.org"); apperr.KindOf(err) != apperr.NotFound {
			t.Errorf("read: %v, want NotFound: the database answers", err)
		}
		readOnly(t, store, false)
		store.ForgetRefusals() // time passes
		must(t, store.Ready(ctx))
	})
}

// TestReadyAfterRefusal checks that a write that was refused for lack of space or
// rights counts, though the small write of Ready passes.
func TestReadyAfterRefusal(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		readOnly(t, store, true)
		wantKind(t, "write", store.Audit.Append(ctx, models.Event{Action: "login"}), apperr.Unavailable)
		readOnly(t, store, false)
		wantKind(t, "ready", store.Ready(ctx), apperr.Unavailable)
		store.ForgetRefusals()
		must(t, store.Ready(ctx))
	})
}

// readOnly makes the database refuse writes.
func readOnly(t *testing.T, store *models.Store, on bool) {
	t.Helper()
	db := store.SQL()
	if store.Dialect() == "sqlite" {
		db.SetMaxOpenConns(1)
		_, err := db.ExecContext(t.Context(), fmt.Sprintf("PRAGMA query_only = %t", on))
		must(t, err)
		return
	}
	var name string
	must(t, db.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
	conn, err := db.Conn(t.Context())
	must(t, err)
	_, err = conn.ExecContext(t.Context(), "SET default_transaction_read_only = off") // of this connection
	must(t, err)
	_, err = conn.ExecContext(t.Context(), fmt.Sprintf("ALTER DATABASE %q SET default_transaction_read_only = %t", name, on))
	must(t, err)
	must(t, conn.Close())
	db.SetMaxIdleConns(0) // the setting is for new connections
	db.SetMaxIdleConns(10)
}
