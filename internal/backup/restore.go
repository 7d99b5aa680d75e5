package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"latchkey/models"
)

// RestoreOptions say what to restore where.
type RestoreOptions struct {
	File string // the backup
	// Database is the SQLite file that the backup replaces, or that it becomes.
	Database string
	// Secret is the file of the master secret beside a SQLite database; empty if the
	// operator keeps the secret.
	Secret string
	// CheckSecret returns an error if a file does not have a master secret.
	CheckSecret func(path string) error
	// URL is the empty PostgreSQL database. Replaced is the one that the backup
	// replaces, if it is still there, or empty.
	URL, Replaced string

	Logger *slog.Logger
	At     time.Time // now
	// Settle ends in the restored database what must not come back.
	Settle func(context.Context, *models.Store) error
	// Changes are the events of the audit log that Restored.Lost lists.
	Changes []string
}

// Restored is the result of a restore.
type Restored struct {
	Kept       string // SQLite: where the replaced database is now; empty: there was none
	KeptSecret string // where the replaced secret is now; empty: it stayed
	// Lost are the changes in the audit log of the replaced database that the backup
	// does not have, the oldest first. Unread says why they are not known.
	Lost   []models.Event
	Unread error
}

// ErrStopped says that a restore was stopped before it changed anything.
var ErrStopped = errors.New("stopped: nothing was changed")

// SQLite replaces a SQLite database by a backup. It checks the backup, migrates it and
// settles it in a file of its own first: until that is done, nothing is changed. It
// returns models.ErrInUse while a process has the database open, and ErrStopped when ctx
// ends before that.
func SQLite(ctx context.Context, o RestoreOptions) (done Restored, err error) {
	swapping := false
	defer func() {
		if err != nil && !swapping && ctx.Err() != nil {
			err = ErrStopped
		}
	}()
	if err := o.check(); err != nil {
		return done, err
	}
	folders, err := makeFolder(o.Database)
	if err != nil {
		return done, err
	}
	release, err := models.ClaimSQLite(o.Database)
	if err != nil {
		return done, err
	}
	defer release()
	if err := o.ownAll(folders...); err != nil {
		return done, err
	}
	file, err := o.prepare(ctx)
	if err != nil {
		return done, err
	}
	defer removeAll(file)
	secret, err := o.newSecret()
	if err != nil {
		return done, err
	}
	if secret != "" {
		defer func() { _ = os.Remove(secret) }()
	}
	restored, err := models.Open(ctx, models.Options{URL: "sqlite:" + file, Logger: o.Logger, Claimed: true})
	if err != nil {
		return done, err
	}
	// The changes are read first: the restore itself is not one of them.
	there := o.readReplaced(ctx, restored, "sqlite:"+o.Database, &done)
	err = errors.Join(o.ownAll(), o.settle(ctx, restored))
	if err = errors.Join(err, restored.Close(), ctx.Err()); err != nil {
		return done, err
	}
	if there {
		done.Kept = o.Database + o.stamp()
	}
	swapping = true
	return done, o.swap(file, secret, &done)
}

// swap puts the restored file and the secret, "" for none, in place.
func (o RestoreOptions) swap(file, secret string, done *Restored) (err error) {
	if info, err := os.Stat(file + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("%s-wal was not written into the database", file)
	}
	if err := errors.Join(o.own(file), syncFile(file)); err != nil {
		return err
	}
	if secret != "" {
		if err := o.own(secret); err != nil {
			return err
		}
		if done.KeptSecret, err = replace(secret, o.Secret, o.stamp()); err != nil {
			return err
		}
		defer func() {
			switch {
			case err == nil:
			case done.KeptSecret == "":
				err = errors.Join(err, os.Remove(o.Secret))
			default:
				err = errors.Join(err, os.Rename(done.KeptSecret, o.Secret))
			}
		}()
	}
	kept := o.Database + o.stamp()
	if err = moveLogs(o.Database, kept); err == nil {
		_, err = replace(file, o.Database, o.stamp())
	}
	if err != nil { // without its log the old database would lose what was written last
		err = errors.Join(err, moveLogs(kept, o.Database))
	}
	return err
}

// makeFolder makes the folder of a file and returns what it made, the outermost first.
func makeFolder(path string) (made []string, err error) {
	folder := filepath.Dir(path)
	for at := folder; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			return made, os.MkdirAll(folder, 0o700)
		}
		made = slices.Insert(made, 0, at)
	}
}

// ownAll is own for folders and for the locks beside the database: the server has to
// open them.
func (o RestoreOptions) ownAll(folders ...string) error {
	for _, path := range folders { // each gets the owner of the one around it
		if err := giveTo(path, filepath.Dir(path)); err != nil {
			return err
		}
	}
	for _, path := range models.SQLiteLocks(o.Database) {
		if err := o.own(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// own gives a file to the user of the database, if root restores it.
func (o RestoreOptions) own(file string) error {
	like := o.Database
	if _, err := os.Stat(like); err != nil {
		like = filepath.Dir(o.Database)
	}
	return giveTo(file, like)
}

// giveTo gives a file the owner of another one, if root runs the program.
func giveTo(file, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Lchown(file, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// stamp is the end of the names of replaced files.
func (o RestoreOptions) stamp() string { return ".replaced-" + o.At.UTC().Format(stampFormat) }

// isFile returns an error unless the backup is a file that can be read.
func (o RestoreOptions) isFile() (os.FileInfo, error) {
	file, err := os.Open(o.File)
	if err != nil {
		return nil, fmt.Errorf("cannot read the backup: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", o.File)
	}
	return info, err
}

// check returns an error if the backup cannot be one of SQLite, or has a secret that
// is none. It changes nothing.
func (o RestoreOptions) check() error {
	info, err := o.isFile()
	if err != nil {
		return err
	}
	if at, err := os.Stat(o.Database); err == nil && os.SameFile(info, at) {
		return fmt.Errorf("%s is the database itself, not a backup", o.File)
	}
	if at, err := os.Stat(o.File + "-wal"); err == nil && at.Size() > 0 {
		return fmt.Errorf("%s-wal contains part of the data: this is the file of a running database, not a backup", o.File)
	}
	return o.checkSecret()
}

// checkSecret returns an error if the secret of the backup is to be put in place and is
// none: it was copied in part, or is of something else.
func (o RestoreOptions) checkSecret() error {
	path := SecretOf(o.File)
	_, err := os.Stat(path)
	if o.Secret == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the secret of the backup: %w", err)
	}
	err = o.CheckSecret(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("cannot read the secret of the backup: %w", err)
	}
	if err != nil {
		return fmt.Errorf("%s has no secret of Latchkey: copy it again", path)
	}
	return nil
}

// prepare copies the backup beside the database and checks the copy.
func (o RestoreOptions) prepare(ctx context.Context) (string, error) {
	info, err := o.isFile()
	if err != nil {
		return "", err
	}
	if err := room(filepath.Dir(o.Database), info.Size(), "restore"); err != nil {
		return "", err
	}
	file, err := newPartial(o.Database)
	if err != nil {
		return "", err
	}
	if err = copyFile(o.File, file); err != nil {
		err = fmt.Errorf("copy the backup: %w", err)
	} else if err = models.CheckCopy(ctx, file); err != nil {
		err = fmt.Errorf("%s cannot be restored: %w", o.File, err)
	}
	if err != nil {
		removeAll(file)
	}
	return file, err
}

// newSecret returns a copy of the secret of the backup, beside the place where it
// belongs; "" if it is there already, or is not in the backup.
func (o RestoreOptions) newSecret() (string, error) {
	from := SecretOf(o.File)
	secret, err := os.ReadFile(from)
	if o.Secret == "" || errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot read the secret of the backup: %w", err)
	}
	if current, err := os.ReadFile(o.Secret); err == nil && bytes.Equal(bytes.TrimSpace(current), bytes.TrimSpace(secret)) {
		return "", nil
	}
	file, err := newPartial(o.Secret)
	if err != nil {
		return "", err
	}
	if err := errors.Join(copyFile(from, file), syncFile(file)); err != nil {
		return "", errors.Join(fmt.Errorf("copy the secret of the backup: %w", err), os.Remove(file))
	}
	return file, nil
}

// readReplaced reads the changes that only the replaced database has, and reports
// whether there is one. That it cannot be read is no reason to stop: it may be why
// there is a restore.
func (o RestoreOptions) readReplaced(ctx context.Context, restored *models.Store, databaseURL string, done *Restored) (there bool) {
	if o.Database != "" {
		if info, err := os.Stat(o.Database); err != nil || info.Size() == 0 {
			return err == nil
		}
	}
	replaced, err := models.Open(ctx, models.Options{URL: databaseURL, Logger: o.Logger, Claimed: true})
	if err != nil {
		done.Unread = err
		return true
	}
	done.Lost, done.Unread = replaced.Lost(ctx, restored, o.Changes)
	// The last connection to a SQLite file writes its log into it.
	if err := replaced.Close(); done.Unread == nil {
		done.Unread = err
	}
	return true
}

// settle migrates the restored database and ends in it what must not come back.
func (o RestoreOptions) settle(ctx context.Context, restored *models.Store) error {
	if err := restored.Migrate(ctx); err != nil {
		return err
	}
	return o.Settle(ctx, restored)
}

// replace puts a finished file at path. It keeps the file that is there under its name
// with stamp, and returns that name; "" if there was none. It is one step, except on a
// file system without hard links: there is no file at path for a moment there. After an
// error the file is as it was.
func replace(finished, path, stamp string) (kept string, err error) {
	kept = path + stamp
	err = os.Link(path, kept)
	undo := func() error { return os.Remove(kept) }
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kept, undo = "", func() error { return nil }
	case errors.Is(err, fs.ErrExist):
		return "", free(kept)
	case err != nil: // a file system without hard links
		if err := os.Rename(path, kept); err != nil {
			return "", err
		}
		undo = func() error { return os.Rename(kept, path) }
	}
	if err := os.Rename(finished, path); err != nil {
		return "", errors.Join(err, undo())
	}
	syncFolder(path)
	return kept, nil
}

// moveLogs moves what SQLite has left beside a database that could not be read: its
// log must neither be lost nor be read into another database.
func moveLogs(from, to string) error {
	for _, end := range []string{"-wal", "-shm"} {
		err := os.Rename(from+end, to+end)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeAll removes a SQLite file of this package and the files beside it.
func removeAll(file string) {
	for _, end := range []string{"", "-journal", "-wal", "-shm", ".lock"} {
		_ = os.Remove(file + end)
	}
}
