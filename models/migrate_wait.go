package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sethvargo/go-retry"
)

const (
	// lockTimeout is how long a migration waits for a lock on PostgreSQL. Requests
	// queue behind a migration that waits, and their statements may take 5 s.
	lockTimeout = 2 * time.Second
	// firstPause and maxPause are the times between two attempts, in which the requests
	// that queued go on. A quarter is random.
	firstPause, maxPause = time.Second, 10 * time.Second
	blockersEvery        = 500 * time.Millisecond
)

// untilUnlocked calls migrate again, with pauses, as long as PostgreSQL refuses it
// because other connections hold its tables (lock_timeout) or because it was the victim
// of a deadlock. Each time it logs which connections. When ctx ends, the error names
// them.
func (s *Store) untilUnlocked(ctx context.Context, pool *migrationPool, migrate func() error) error {
	if s.dialect == dialectSQLite {
		return migrate() // one writer, and readers do not keep it waiting
	}
	backoff := retry.WithJitterPercent(25, retry.WithCappedDuration(maxPause, retry.NewExponential(firstPause)))
	for {
		watch := s.watchBlockers(ctx, pool)
		err := migrate()
		blockers := watch()
		e, ok := errors.AsType[*pgconn.PgError](err)
		if ok && (e.Code == "55P03" || e.Code == "40P01") {
			pause, _ := backoff.Next()
			s.logger.WarnContext(ctx, "the schema cannot be changed yet, because other connections use its tables: trying again",
				"connections", blockers, "pause", pause.Round(100*time.Millisecond).String(), "error", e.Message)
			select {
			case <-time.After(pause):
				continue
			case <-ctx.Done():
			}
		}
		if err != nil && ctx.Err() != nil && blockers != "" {
			return fmt.Errorf("stopped waiting for other connections that use the tables (%s): %w", blockers, err)
		}
		return err
	}
}

// watchBlockers asks the server, until stop is called, which connections keep the
// migration waiting. stop returns the last answer, as "PID (program or role), …".
func (s *Store) watchBlockers(ctx context.Context, pool *migrationPool) (stop func() string) {
	ctx, cancel := context.WithCancel(ctx)
	answer := make(chan string, 1)
	go func() {
		last := ""
		defer func() { answer <- last }()
		tick := time.NewTicker(blockersEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var now sql.NullString
			err := s.sqlDB.QueryRowContext(ctx, `
				SELECT string_agg(pid || ' (' || COALESCE(NULLIF(application_name, ''), usename, 'unknown') || ')', ', ')
				FROM pg_stat_activity WHERE pid IN (SELECT unnest(pg_blocking_pids(waiting)) FROM unnest($1::int[]) AS waiting)`, pool.backends()).Scan(&now)
			if err == nil && now.Valid {
				last = now.String
			}
		}
	}()
	return func() string {
		cancel()
		return <-answer
	}
}
