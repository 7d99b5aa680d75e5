// Package testdb gives a test a database of its own: an SQLite file and a
// PostgreSQL database, both with the real migrations and foreign keys on.
//
// It creates these databases and removes them when the test process ends,
// however it ends. The schema belongs to package migrations, opening and
// migrating to package models.
//
// PostgreSQL comes from LATCHKEY_TEST_POSTGRES_URL (a server on which the tests
// may create databases) or, when that is not set, from a throw-away server that
// is started once per test process. If the programs of a server are not
// installed, the test is skipped; with LATCHKEY_TEST_STRICT=1 it fails.
package testdb

import (
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/models"
)

// Main runs the tests of a package and then stops what testdb started for
// them. A package that uses testdb has
//
//	func TestMain(m *testing.M) { testdb.Main(m) }
//
// Without it the throw-away server still ends with the process, but a server
// named by LATCHKEY_TEST_POSTGRES_URL keeps the template database.
func Main(m *testing.M) {
	UseMemory()
	defer stopPostgres()
	m.Run()
}

const (
	memoryDir = "/dev/shm" // on Linux: a file system in memory, for every user
	minMemory = 2 << 30    // bytes that must be free in it
)

// UseMemory makes this process and its children put temporary files in memory:
// tests create many databases, and that takes half the time there. It does
// nothing if TMPDIR is set, or if there is too little memory.
func UseMemory() {
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memoryDir, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < minMemory {
		return
	}
	_ = os.Setenv("TMPDIR", memoryDir) // fails for a name that is empty or holds "="
}

// Each runs f as the subtests "sqlite" and "postgres", each on a migrated and
// otherwise empty database that only this test sees.
func Each(t *testing.T, f func(t *testing.T, store *models.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, Postgres(t)) })
}

// EachURL runs f as the subtests "sqlite" and "postgres", each with the
// database URL of an empty database without a schema, for tests that start a
// server process, run migrations or open several stores on one database.
func EachURL(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, PostgresURL(t)) })
}

// open opens the store at databaseURL and closes it when the test ends.
// Warnings and errors of the store go to the output of the test.
func open(tb testing.TB, databaseURL string) *models.Store {
	tb.Helper()
	logger := slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := models.Open(tb.Context(), models.Options{URL: databaseURL, Logger: logger})
	if err != nil {
		tb.Fatalf("testdb: open store: %v", err)
	}
	opened.Store(store, databaseURL)
	tb.Cleanup(func() {
		opened.Delete(store)
		if err := store.Close(); err != nil {
			tb.Errorf("testdb: close store: %v", err)
		}
	})
	return store
}

// newName returns a database name that no other test of any process uses.
func newName() string {
	return "latchkey_test_" + strings.ToLower(rand.Text())
}

// Session opens a session of a person and returns its id. Unlike a sign-in it
// is neither counted nor written to the audit log.
func Session(tb testing.TB, store *models.Store, userID string, now time.Time) string {
	tb.Helper()
	session := &models.Session{
		ID: models.NewID(), UserID: userID, Kind: models.KindWeb, Method: "password", Remember: true, Generation: 1,
		IdleTTL: time.Hour.Microseconds(), CreatedAt: models.At(now), LastSeenAt: models.At(now), DeliveredAt: models.At(now),
		ExpiresAt: models.At(now.Add(24 * time.Hour)),
	}
	if err := store.Sessions.Create(tb.Context(), session); err != nil {
		tb.Fatal(err)
	}
	return session.ID
}
