package models

import (
	"context"
	"database/sql"
	"time"

	"github.com/pressly/goose/v3"
)

// MigrateDown undoes every migration.
func (s *Store) MigrateDown(ctx context.Context) error { return s.migrateDown(ctx) }

// MigrateTo applies the migrations up to a version, and nothing else.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	return s.withProvider(func(provider *goose.Provider) error {
		_, err := provider.UpTo(ctx, version)
		return err
	})
}

// SQL returns the connection pool, for tests that need their own statements.
func (s *Store) SQL() *sql.DB { return s.sqlDB }

// HoldWriter holds SQLite's turn to write until release is called.
func (s *Store) HoldWriter() (release func()) {
	s.writer <- struct{}{}
	return func() { <-s.writer }
}

// WaitingRotations counts the rotations that wait for that turn.
func (s *Store) WaitingRotations() int {
	s.rotations.mu.Lock()
	defer s.rotations.mu.Unlock()
	return len(s.rotations.waiting)
}

// PostgresConns is the number of connections of a store to PostgreSQL.
const PostgresConns = postgresConns

// ForgetRefusals makes the latest refused write older than Ready looks back.
func (s *Store) ForgetRefusals() { s.refusals.latest.Store(nil) }

// SayFull puts ErrDiskFull in front of an error that a full disk caused.
func SayFull(err error) error { return sayFull(err) }

// Sleep makes PostgreSQL take its time for a statement.
func (s *Store) Sleep(ctx context.Context, d time.Duration) error {
	_, err := s.exec(ctx, "sleep", "SELECT pg_sleep(?)", d.Seconds())
	return err
}
