// Package backup makes backups of the database, restores them, and makes them on a
// schedule.
//
// It decides about the files and runs PostgreSQL's pg_dump and pg_restore. What a
// restore ends in the database is decided in package models, the words for the
// operator are in cmd/web.
package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"latchkey/models"
)

// Options say what to back up.
type Options struct {
	Store  *models.Store
	URL    string // PostgreSQL: the database of Store
	Secret string // the file of the master secret; empty: it is not in the backup
	// Progress gets the bytes written so far and about how many there will be, 0 if
	// that is not known; nil: nobody is told.
	Progress func(done, expected int64)
}

// Make writes a backup to the new file path, readable only by its owner, and the
// master secret to SecretOf(path). Others can write to the database meanwhile. The
// backup has been read and checked when Make returns. After an error, or when ctx
// ends, there is no file.
func Make(ctx context.Context, o Options, path string) (err error) {
	for _, name := range []string{path, SecretOf(path)} {
		if err := free(name); err != nil {
			return err
		}
	}
	file, err := newPartial(path)
	if err != nil {
		return err
	}
	defer removeAll(file) // not there after success
	if err := o.write(ctx, file); err != nil {
		if ctx.Err() != nil {
			return errors.New("the backup was stopped: there is no file")
		}
		return fmt.Errorf("no backup was made: %w", err)
	}
	if err := syncFile(file); err != nil {
		return err
	}
	if o.Secret == "" {
		return publish(file, path)
	}
	// The secret comes first: once there is a backup, it is complete.
	if err := copySecret(o.Secret, SecretOf(path)); err != nil {
		return err
	}
	if err := publish(file, path); err != nil {
		return errors.Join(err, os.Remove(SecretOf(path)))
	}
	return nil
}

// write writes the database to an empty file and checks it.
func (o Options) write(ctx context.Context, file string) error {
	if o.Store.Dialect() == "postgres" {
		defer o.watch(file, 0)()
		return dump(ctx, o.Store, o.URL, file)
	}
	size, err := o.Store.CopySize(ctx)
	if err != nil {
		return err
	}
	if err := room(filepath.Dir(file), size, "backup"); err != nil {
		return err
	}
	stop := o.watch(file, size)
	err = o.Store.CopyTo(ctx, file)
	stop()
	if err != nil {
		return err
	}
	return models.CheckCopy(ctx, file)
}

// watchEvery is the time between two reports of the progress.
const watchEvery = 200 * time.Millisecond

// watch reports the size of a file until stop is called.
func (o Options) watch(file string, expected int64) (stop func()) {
	if o.Progress == nil {
		return func() {}
	}
	stopping, stopped := make(chan struct{}), make(chan struct{})
	report := func() {
		if info, err := os.Stat(file); err == nil {
			o.Progress(info.Size(), expected)
		}
	}
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			report()
			select {
			case <-stopping:
				report()
				return
			case <-ticker.C:
			}
		}
	}()
	return func() {
		close(stopping)
		<-stopped
	}
}

// copySecret copies the master secret to a new file in one step.
func copySecret(from, to string) error {
	file, err := newPartial(to)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file) }()
	if err := copyFile(from, file); err != nil {
		return fmt.Errorf("copy the master secret: %w", err)
	}
	if err := syncFile(file); err != nil {
		return err
	}
	return publish(file, to)
}
