package models_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// alters is a version whose next migration alters sessions, known_devices, users and
// deleted_users, in this order.
const alters = 10

// TestMigrateBesideReader migrates a database in two processes while a connection stays
// in a transaction that has read users, as pg_dump does, and while the version before
// writes: the log names the reader, no write fails or waits for long, and once the
// reader has ended, both processes have migrated.
func TestMigrateBesideReader(t *testing.T) {
	databaseURL := testdb.PostgresURL(t)
	old := openAt(t, databaseURL, nil)
	must(t, old.MigrateTo(t.Context(), alters))
	reader := begin(t, databaseURL, "SET application_name = 'pg_dump'", "LOCK TABLE users IN ACCESS SHARE MODE")

	log, ended := make(lines, 100), make(chan error, 2)
	for range 2 {
		go func() { ended <- migrateAt(t.Context(), databaseURL, log) }()
	}
	writes, migrated := make(chan error, 1), make(chan struct{})
	go func() { writes <- writeUntil(t.Context(), old.SQL(), migrated) }()
	for waiting := true; waiting; {
		select {
		case line := <-log:
			waiting = !strings.Contains(line, "trying again")
			if !waiting && !strings.Contains(line, "(pg_dump)") {
				t.Errorf("the log does not say who reads: %s", line)
			}
		case err := <-ended:
			t.Fatalf("did not wait for the reader: %v", err)
		case err := <-writes:
			t.Fatalf("a write failed while the migration waited: %v", err)
		}
	}
	must(t, reader.Rollback())
	must(t, <-ended)
	must(t, <-ended)
	close(migrated)
	must(t, <-writes)
	must(t, openAt(t, databaseURL, nil).Ready(t.Context()))
}

// writeUntil writes to users as requests do, until stop is closed. It returns an error
// if a statement fails; a request's statement may take 5 s.
func writeUntil(ctx context.Context, db *sql.DB, stop chan struct{}) error {
	for {
		if _, err := db.ExecContext(ctx, "INSERT INTO users (id, username, email, email_folded, full_name, password_hash, password_changed_at, role, created_at, updated_at, search) "+
			"VALUES ($1, $1, $1, $1, '', '', 0, 'user', 0, 0, 'x')", models.NewID()); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestMigrateDeadlock makes a migration the victim of a deadlock: it tries again.
func TestMigrateDeadlock(t *testing.T) {
	databaseURL := testdb.PostgresURL(t)
	store := openAt(t, databaseURL, nil)
	must(t, store.MigrateTo(t.Context(), alters))
	// The other side does not look for deadlocks, so the migration finds it.
	other := begin(t, databaseURL, "SET deadlock_timeout = '1h'", "LOCK TABLE users IN ACCESS SHARE MODE", "SAVEPOINT users_only")
	log, ended := make(lines, 100), make(chan error, 1)
	go func() { ended <- migrateAt(t.Context(), databaseURL, log) }()
	for try := 1; ; try++ {
		eventually(t, "the migration waits for users", func() bool {
			return len(strs(t, store, "SELECT 'x' FROM pg_locks WHERE relation = 'users'::regclass AND NOT granted")) > 0
		})
		_, err := other.ExecContext(t.Context(), "LOCK TABLE sessions IN ACCESS SHARE MODE") // which the migration has
		must(t, err)
		line := <-log
		if strings.Contains(line, "deadlock detected") {
			break
		}
		// PostgreSQL looks once, a second after the migration began to wait. On a slow
		// machine the other side did not wait yet.
		if try == 10 {
			t.Fatalf("the log says %q, want that a deadlock was detected", line)
		}
		_, err = other.ExecContext(t.Context(), "ROLLBACK TO SAVEPOINT users_only")
		must(t, err)
	}
	must(t, other.Commit())
	must(t, <-ended)
	must(t, store.Ready(t.Context()))
}

// TestMigrateStopsWaiting checks that the error of a process that is told to stop while
// a reader keeps it waiting names the reader.
func TestMigrateStopsWaiting(t *testing.T) {
	databaseURL := testdb.PostgresURL(t) + "&statement_timeout=1000" // holds for requests only
	must(t, openAt(t, databaseURL, nil).MigrateTo(t.Context(), alters))
	begin(t, databaseURL, "SET application_name = 'pg_dump'", "LOCK TABLE sessions IN ACCESS SHARE MODE")
	ctx, cancel := context.WithCancel(t.Context())
	log, ended := make(lines, 100), make(chan error, 1)
	go func() { ended <- migrateAt(ctx, databaseURL, log) }()
	<-log
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "(pg_dump)") {
		t.Errorf("stopped: %v, want the reader named", err)
	}
}

// begin runs statements in a transaction of a connection of its own.
func begin(t *testing.T, databaseURL string, statements ...string) *sql.Tx {
	t.Helper()
	tx, err := openAt(t, databaseURL, nil).SQL().BeginTx(context.WithoutCancel(t.Context()), nil)
	must(t, err)
	t.Cleanup(func() {
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			t.Error(err)
		}
	})
	for _, statement := range statements {
		_, err := tx.ExecContext(t.Context(), statement)
		must(t, err)
	}
	return tx
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited without success: %s", what)
		case <-tick.C:
		}
	}
}
