package backup

import (
	"context"
	"errors"
	"fmt"

	"latchkey/models"
)

// ErrNotEmpty says that a PostgreSQL database has tables.
var ErrNotEmpty = errors.New("the database has tables already")

// ErrConnected says that a PostgreSQL database is in use.
var ErrConnected = errors.New("a server or a command is connected to the database: stop it first")

// ErrStoppedLate says that a restore was stopped while it changed the database.
var ErrStoppedLate = errors.New("stopped: drop this database, create it again, and run the command again")

// ReplacedError says why the database that a backup replaces cannot be read.
type ReplacedError struct{ Err error }

func (e ReplacedError) Error() string {
	return fmt.Sprintf("the database that --replaced names cannot be read; correct the name, or leave the option out: %v", e.Err)
}

// Unwrap returns the cause.
func (e ReplacedError) Unwrap() error { return e.Err }

// Postgres restores a file of pg_dump into an empty PostgreSQL database, in one
// transaction, then migrates and settles it. It returns ErrNotEmpty or ErrConnected
// before anything is changed. When ctx ends it returns ErrStopped or ErrStoppedLate.
func Postgres(ctx context.Context, o RestoreOptions) (done Restored, err error) {
	stopped := ErrStopped
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = stopped
		}
	}()
	if _, err := o.isFile(); err != nil {
		return done, err
	}
	store, err := models.Open(ctx, models.Options{URL: o.URL, Logger: o.Logger})
	if err != nil {
		return done, err
	}
	defer func() { _ = store.Close() }()
	if others, err := store.Connected(ctx); err != nil || others > 0 {
		return done, errors.Join(err, ifTrue(others > 0, ErrConnected))
	}
	if empty, err := store.Empty(ctx); err != nil || !empty {
		return done, errors.Join(err, ifTrue(err == nil, ErrNotEmpty))
	}
	if err := o.checkReplaced(ctx); err != nil {
		return done, err
	}
	server, err := store.ServerVersion(ctx)
	if err != nil {
		return done, err
	}
	program, err := find(ctx, "pg_restore", server)
	if err != nil {
		return done, err
	}
	if err := checkDump(ctx, o.File); err != nil {
		return done, fmt.Errorf("%s cannot be restored: %w", o.File, err)
	}
	connection, environ, err := connect(o.URL, "latchkey restore")
	if err != nil {
		return done, err
	}
	stopped = ErrStoppedLate
	_, err = execute(ctx, environ, program, "--no-password", "--single-transaction", "--exit-on-error", "--no-owner", "--no-comments", connection, o.File)
	if err != nil {
		return done, fmt.Errorf("nothing was restored: %w", err)
	}
	if o.Replaced != "" {
		o.readReplaced(ctx, store, o.Replaced, &done)
	}
	if err := o.settle(ctx, store); err != nil {
		return done, fmt.Errorf("the restore is not finished: drop this database, create it again, and restore again: %w", err)
	}
	return done, nil
}

// checkReplaced returns an error if the audit log of the replaced database cannot be
// read: its name may be mistyped.
func (o RestoreOptions) checkReplaced(ctx context.Context) error {
	if o.Replaced == "" {
		return nil
	}
	replaced, err := models.Open(ctx, models.Options{URL: o.Replaced}) // the error says what a log would
	if err == nil {
		_, err = replaced.Audit.Newest(ctx)
		err = errors.Join(err, replaced.Close())
	}
	if err != nil {
		return ReplacedError{err}
	}
	return nil
}

func ifTrue(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}
