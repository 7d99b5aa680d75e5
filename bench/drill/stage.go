package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/testdb"
)

// stage is everything that one drill has started. close ends it.
type stage struct {
	*options
	result    *result
	database  string // SQLite or PostgreSQL
	dir       string // for databases, logs and settings
	secret    string // the portal's master secret
	postgres  *testdb.Server
	variables []string // more variables of commands
	probe     *probe   // asks /readyz, in drills that disturb the database
	ends      []func()
}

func newSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// later runs f at the end of the drill, the last one first.
func (s *stage) later(f func()) { s.ends = append(s.ends, f) }

func (s *stage) close() {
	for len(s.ends) > 0 {
		last := len(s.ends) - 1
		s.ends[last]()
		s.ends = s.ends[:last]
	}
}

// fact adds a figure to the result.
func (s *stage) fact(format string, args ...any) {
	s.result.facts = append(s.result.facts, fmt.Sprintf(format, args...))
}

// broken adds a broken promise to the result.
func (s *stage) broken(format string, args ...any) {
	s.result.faults = append(s.result.faults, fmt.Sprintf(format, args...))
}

// either returns a for a whole run and b for a short one.
func either[T any](s *stage, a, b T) T {
	if s.short {
		return b
	}
	return a
}

// newDatabase returns the database URL of an empty database.
func (s *stage) newDatabase(ctx context.Context) (string, error) {
	return s.newDatabaseOf(ctx, s.database, s.dir)
}

// newDatabaseOf does so for a kind of database; an SQLite file is in dir.
func (s *stage) newDatabaseOf(ctx context.Context, kind, dir string) (string, error) {
	unique := "drill_" + strings.ToLower(rand.Text())
	if kind == sqliteName {
		folder := filepath.Join(dir, unique)
		return "sqlite:" + filepath.Join(folder, "latchkey.db"), os.Mkdir(folder, 0o700)
	}
	server, err := s.server()
	if err != nil {
		return "", err
	}
	s.postgres = server
	if err := s.execute(ctx, "CREATE DATABASE "+unique+" TEMPLATE template0"); err != nil {
		return "", err
	}
	u := *server.URL
	u.Path = "/" + unique
	return u.String(), nil
}

// execute runs statements on the PostgreSQL server, each in its own transaction.
func (s *stage) execute(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// pause waits, or returns early with the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// until waits until a condition holds, or returns an error that names it.
func until(ctx context.Context, most time.Duration, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for !holds() {
		if pause(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("waited %s in vain: %s", most, what)
		}
	}
	return nil
}
