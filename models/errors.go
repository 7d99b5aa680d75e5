package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"latchkey/internal/apperr"
)

// retryDatabase is how long a caller is told to wait when the database does
// not answer.
const retryDatabase = 5 * time.Second

// translate classifies a database error: apperr.NotFound, apperr.Conflict,
// apperr.Canceled, apperr.Unavailable, or none when the statement itself is at
// fault. An error that is already classified stays as it is.
func translate(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case apperr.KindOf(err) != "":
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", what, apperr.NotFound)
	case errors.Is(err, context.Canceled):
		return apperr.New(apperr.Canceled, "", fmt.Errorf("%s: %w", what, err))
	}
	if constraint, ok := duplicate(err); ok {
		failure := apperr.New(apperr.Conflict, "", fmt.Errorf("%s: %w", what, err))
		failure.Field = fieldOf(constraint)
		return failure
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "22021" {
		// A query without GORM looked for a string that no row can hold.
		return fmt.Errorf("%s: %w", what, apperr.NotFound)
	}
	if isStatementFault(err) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return apperr.Wait(apperr.Unavailable, retryDatabase, "", fmt.Errorf("%s: %w", what, err))
}

// duplicate reports whether err says that a unique value is taken, with the
// text that names the constraint or the column.
func duplicate(err error) (string, bool) {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.ConstraintName, e.Code == "23505"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		unique := e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
		return e.Error(), unique
	}
	return "", false
}

// fieldOf names the form field behind a constraint (users_username_key) or a
// column (users.username).
func fieldOf(constraint string) string {
	switch {
	case strings.Contains(constraint, "username"):
		return "username"
	case strings.Contains(constraint, "email_folded"):
		return "email"
	}
	return ""
}

// ErrDiskFull says that the disk of the database is full.
var ErrDiskFull = errors.New("the disk of the database is full: make room on it, then start again")

// sayFull puts ErrDiskFull in front of an error that a full disk caused.
func sayFull(err error) error {
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		full = e.Code == "53100"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		// The second: there is no room for the -shm file.
		full = e.Code() == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
	}
	if full {
		return fmt.Errorf("%w (%w)", ErrDiskFull, err)
	}
	return err
}

// isStatementFault reports whether the database refused the statement itself: a
// fault of ours, not an outage. A privilege that was revoked is an outage.
func isStatementFault(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code[:2] {
		case "22", "23", "42": // data exception, integrity violation, syntax or access rule
			return e.Code != "42501"
		}
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISUSE:
			return true
		}
		return false
	}
	// GORM's own complaints about how it was called.
	return errors.Is(err, gorm.ErrInvalidField) || errors.Is(err, gorm.ErrInvalidData) ||
		errors.Is(err, gorm.ErrMissingWhereClause) || errors.Is(err, gorm.ErrUnsupportedRelation)
}
