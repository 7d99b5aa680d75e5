package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"latchkey/internal/apperr"
	"latchkey/migrations"
)

// migrateTimeout bounds the migrations, from the moment when no other process
// migrates.
const migrateTimeout = 30 * time.Minute

// ErrSchemaNewer says that the database was migrated by a newer release.
var ErrSchemaNewer = errors.New("the database has a newer schema than this program: start the release that made it, or a later one")

// Migration is one schema change and when it was applied.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero: pending
}

// Migrate applies pending migrations and prepares the accounts for them.
// Processes that start together take turns: on PostgreSQL by an advisory lock
// of the session, on SQLite by a lock file beside the database. On PostgreSQL
// it makes way for connections that use the tables, and tries again. It returns
// ErrSchemaNewer when the database is ahead, ErrDiskFull, and an error that says
// what to do when its encoding is not UTF-8.
func (s *Store) Migrate(ctx context.Context) error {
	pool, err := s.openToMigrate()
	if err != nil {
		return err
	}
	defer pool.close()
	unlock, err := s.lockMigrations(ctx, pool.DB)
	if err != nil {
		return err
	}
	defer unlock()
	// The time begins with the turn, so that processes that started together do not
	// give up together.
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	if err := s.checkEncoding(ctx, pool.DB); err != nil {
		return err
	}
	return sayFull(s.untilUnlocked(ctx, pool, func() error { return s.migrateUp(ctx, pool) }))
}

// migrateUp applies pending migrations in the turn of this process.
func (s *Store) migrateUp(ctx context.Context, pool *migrationPool) error {
	provider, err := s.provider(pool) // a new one: it tries to make its own table only once
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return databaseFailure("read the schema's version", err)
	}
	if current > target {
		return ErrSchemaNewer
	}
	if current < target {
		if _, err := provider.Up(ctx); err != nil {
			return databaseFailure("migrate", err)
		}
	}
	return s.Users.FillSearch(ctx)
}

// checkEncoding refuses a database that does not store text as UTF-8: it would
// reject names, or not find them again.
func (s *Store) checkEncoding(ctx context.Context, db *sql.DB) error {
	query, want, advice := "SHOW server_encoding", "UTF8",
		"create another one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and use that"
	if s.dialect == dialectSQLite {
		query, want, advice = "PRAGMA encoding", "UTF-8",
			"use a new file, or copy this one with: sqlite3 OLD .dump | sqlite3 NEW"
	}
	var got string
	if err := db.QueryRowContext(ctx, query).Scan(&got); err != nil {
		return translate("read the database's encoding", err)
	}
	if got != want {
		return fmt.Errorf("the database's encoding is %s, and Latchkey needs %s: %s", got, want, advice)
	}
	return nil
}

// migrateDown undoes every migration, with all data. Only tests call it, and a copy
// that failed, for a schema that it made and that has no rows.
func (s *Store) migrateDown(ctx context.Context) error {
	return s.withProvider(func(provider *goose.Provider) error {
		_, err := provider.DownTo(ctx, 0)
		return databaseFailure("migrate down", err)
	})
}

// Migrations lists all migrations in order. When the database is ahead of this
// program it returns ErrSchemaNewer with the migrations that it knows.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	var list []Migration
	err := s.withProvider(func(provider *goose.Provider) error {
		states, err := provider.Status(ctx)
		if err != nil {
			return databaseFailure("read the migrations' state", err)
		}
		for _, state := range states {
			name := strings.TrimSuffix(filepath.Base(state.Source.Path), ".sql")
			list = append(list, Migration{Version: state.Source.Version, Name: name, AppliedAt: state.AppliedAt})
		}
		if current, target, err := provider.GetVersions(ctx); err == nil && current > target {
			return ErrSchemaNewer
		}
		return nil
	})
	return list, err
}

// openToMigrate returns the pool for migrations. On PostgreSQL it has connections of
// its own: migrations may take longer than a statement of a request may.
func (s *Store) openToMigrate() (*migrationPool, error) {
	if s.dialect == dialectSQLite {
		return &migrationPool{DB: s.sqlDB, shared: true}, nil
	}
	return openPostgresToMigrate(s.url)
}

// withProvider runs f with goose.
func (s *Store) withProvider(f func(*goose.Provider) error) error {
	pool, err := s.openToMigrate()
	if err != nil {
		return err
	}
	defer pool.close()
	provider, err := s.provider(pool)
	if err != nil {
		return err
	}
	return f(provider)
}

func (s *Store) provider(pool *migrationPool) (*goose.Provider, error) {
	dialect := goose.DialectSQLite3
	if s.dialect == dialectPostgres {
		dialect = goose.DialectPostgres
	}
	files, err := fs.Sub(migrations.Files, s.dialect)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, pool.DB, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// lockMigrations waits until no other process migrates, and keeps others
// waiting until unlock is called.
func (s *Store) lockMigrations(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	if s.dialect == dialectSQLite {
		return s.lockSQLite(ctx, s.path())
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, math.MaxUint32)) // seconds; ctx ends the wait
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, translate("connect to migrate", err)
	}
	if err := s.waitTurn(ctx, func() error { return locker.SessionLock(ctx, conn) }); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return func() { // a connection that is lost has given the lock back
		_ = locker.SessionUnlock(context.WithoutCancel(ctx), conn)
		_ = conn.Close()
	}, nil
}

// waitTurn takes the lock for migrations. It logs a line when that takes longer
// than a second, and its error says when ctx ended the wait.
func (s *Store) waitTurn(ctx context.Context, lock func() error) error {
	const what = "waiting for another process that migrates the database"
	say := time.AfterFunc(time.Second, func() { s.logger.Info(what) })
	defer say.Stop()
	err := lock()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped %s: %w", what, err)
	}
	return err
}

// databaseFailure wraps an error of goose. An error that has a kind keeps it.
func databaseFailure(what string, err error) error {
	if err == nil || apperr.KindOf(err) != "" {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// schemaVersion returns the newest migration that was applied to a database.
func schemaVersion(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
},
) (version int64, err error) {
	query := "SELECT COALESCE(MAX(version_id), 0) FROM " + versionTable + " WHERE is_applied"
	if err := db.QueryRowContext(ctx, query).Scan(&version); err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return version, nil
}

// latestMigration returns the newest version that this program carries.
func latestMigration(dialect string) (int64, error) {
	entries, err := fs.ReadDir(migrations.Files, dialect)
	if err != nil {
		return 0, err
	}
	if len(entries) == 0 {
		return 0, errors.New("the program carries no migrations")
	}
	return goose.NumericComponent(entries[len(entries)-1].Name())
}
