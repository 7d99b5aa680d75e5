package testdb

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"latchkey/models"
)

// SQLiteURL returns the database URL of an SQLite file that does not exist
// yet, in a directory that is removed when the test ends.
func SQLiteURL(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "latchkey.db")
}

// SQLite returns a store on a migrated SQLite file of its own, closed and
// removed when the test ends.
func SQLite(tb testing.TB) *models.Store {
	tb.Helper()
	image, err := sqliteImage()
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	path := filepath.Join(tb.TempDir(), "latchkey.db")
	if err := os.WriteFile(path, image, 0o600); err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	return open(tb, "sqlite:"+path)
}

// sqliteImage holds the bytes of a migrated database file, made once per
// process: copying it is many times faster than migrating for every test.
var sqliteImage = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "latchkey-testdb-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "template.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		// The image would lack the changes that are still in the log.
		return nil, fmt.Errorf("closing %s left a write-ahead log behind", path)
	}
	return os.ReadFile(path)
})

// migrate brings the database at databaseURL to the newest schema and closes
// it again.
func migrate(databaseURL string) error {
	ctx := context.Background()
	store, err := models.Open(ctx, models.Options{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("open template database: %w", err)
	}
	if err := store.Migrate(ctx); err != nil {
		_ = store.Close()
		return fmt.Errorf("migrate template database: %w", err)
	}
	if err := store.Close(); err != nil {
		return fmt.Errorf("close template database: %w", err)
	}
	return nil
}
