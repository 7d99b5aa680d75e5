package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"latchkey/internal/apperr"
)

const (
	// leastSpace is the free space that the disk of an SQLite file must have, in
	// bytes: a sign-in with all its rows takes less than 100 KiB, but a small write
	// can still fit when that one does not.
	leastSpace = 1 << 20
	// refusedFor is how long a write that the database refused counts as a sign
	// that it takes none.
	refusedFor = 5 * time.Second
)

// Ready reports whether a request could use the database now: there is no
// Obstacle, and the database answers, has this program's schema or a newer one,
// and takes a write. It commits one small write each time.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.Obstacle(); err != nil {
		return err
	}
	if err := s.checkSchema(ctx); err != nil {
		return err
	}
	rows, err := s.exec(ctx, "write to the database", "UPDATE readiness SET checked_at = ? WHERE id = 1", At(time.Now()))
	if err := oneRow("write to the database", rows, err); err != nil {
		return apperr.New(apperr.Unavailable, "", err)
	}
	return nil
}

// Obstacle returns apperr.Unavailable when it is known without a question to the
// database that a write would fail: the SQLite file is not the one that was opened,
// its disk is full, or the database refused a write less than five seconds ago. (Its
// disk may have space for the small write of Ready and for no other.)
func (s *Store) Obstacle() error {
	if s.file != nil {
		if err := errors.Join(s.checkFile(), s.checkSpace()); err != nil {
			return apperr.New(apperr.Unavailable, "", err)
		}
	}
	if err := s.refusals.recent(time.Now()); err != nil {
		return apperr.New(apperr.Unavailable, "", fmt.Errorf("the database refused another write: %w", err))
	}
	return nil
}

// checkSchema reports apperr.Unavailable when the schema is older than this program's.
// A newer one is fine: migrations keep what the release before them uses, so that its
// servers go on serving during an upgrade.
func (s *Store) checkSchema(ctx context.Context) error {
	version, err := schemaVersion(ctx, s.sqlDB)
	if err != nil {
		return apperr.New(apperr.Unavailable, "", err)
	}
	want, err := latestMigration(s.dialect)
	if err != nil {
		return err
	}
	if version < want {
		return apperr.New(apperr.Unavailable, "", fmt.Errorf("the schema is at version %d, this program needs %d", version, want))
	}
	return nil
}

// checkFile reports apperr.Unavailable when the database file was deleted or
// replaced: the connections would still write to the old file.
func (s *Store) checkFile() error {
	path := s.path()
	now, err := os.Stat(path)
	if err == nil && !os.SameFile(s.file, now) {
		err = fmt.Errorf("%s is another file than the one that was opened: start again", path)
	}
	if err != nil {
		return apperr.New(apperr.Unavailable, "", fmt.Errorf("look at the database file: %w", err))
	}
	return nil
}

// checkSpace returns an error when the disk of the SQLite file is nearly full.
func (s *Store) checkSpace() error {
	free, known := freeSpace(filepath.Dir(s.path()))
	if known && free < leastSpace {
		return fmt.Errorf("the disk of %s is full: %d KiB are free", s.path(), free>>10)
	}
	return nil
}

// path returns the path of the SQLite file.
func (s *Store) path() string { return strings.TrimPrefix(s.url, "sqlite:") }

// refusals remembers the latest write that the database refused because it takes none.
type refusals struct{ latest atomic.Pointer[refusal] }

type refusal struct {
	at  time.Time
	err error
}

// note remembers err if the database takes no writes.
func (r *refusals) note(err error) {
	if err != nil && takesNoWrites(err) {
		r.latest.Store(&refusal{time.Now(), err})
	}
}

// recent returns the error of a write that was refused less than refusedFor ago.
func (r *refusals) recent(now time.Time) error {
	if latest := r.latest.Load(); latest != nil && now.Sub(latest.at) < refusedFor {
		return latest.err
	}
	return nil
}

// takesNoWrites reports whether err says that the disk is full or cannot be written
// to, or that the database is read-only.
func takesNoWrites(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "25006", "53100", "58030": // read_only_sql_transaction, disk_full, io_error
			return true
		}
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY:
			return true
		}
	}
	return false
}
