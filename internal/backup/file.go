package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"latchkey/models"
)

// SecretOf returns the path of the master secret that belongs to a backup.
func SecretOf(file string) string { return file + ".secret" }

// partial is the end of the name of an unfinished file.
const partial = ".part"

// free returns an error if there is a file at path already.
func free(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder: name a new file in it", path)
	}
	if err == nil {
		return fmt.Errorf("%s exists already: choose another name, or move it away", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// spare is how many bytes of a file system a backup or a restore leaves free: a
// database on it must be able to go on.
const spare = 64 << 20

// room returns an error if the file system of a folder has not enough room for a file
// of about size bytes. A file system that does not say how much it has is accepted.
func room(dir string, size int64, purpose string) error {
	system, err := models.FileSystemAt(dir)
	if err != nil || system.Size == 0 || system.Free >= size+spare {
		return nil
	}
	return fmt.Errorf("the folder %s has room for %s, and the %s needs about %s", dir, megabytes(system.Free), purpose, megabytes(size+spare))
}

// megabytes writes a size for people.
func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }

// newPartial creates an empty file, readable only by its owner, that is to become
// path: on the same file system, so that it can be renamed.
func newPartial(path string) (string, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+partial) // mode 0600
	if err != nil {
		return "", fmt.Errorf("cannot write in the folder %s: %w", filepath.Dir(path), cause(err))
	}
	return file.Name(), file.Close()
}

// cause returns the error inside a path error, whose path is a name that only this
// program knows.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// copyFile copies a file into an empty one.
func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// syncFile makes the content of a file survive a power cut.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder makes the names in the folder of a file survive a power cut, where that
// is possible: a file that is in place is not undone because of its folder.
func syncFolder(path string) { _ = syncFile(filepath.Dir(path)) }

// publish renames a finished file to path in one step. It never replaces a file: it
// returns fs.ErrExist instead.
func publish(finished, path string) error {
	// A hard link, unlike a rename, does not replace a file.
	err := os.Link(finished, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return free(path)
	case err == nil:
		_ = os.Remove(finished) // its other name is in place
		syncFolder(path)
		return nil
	}
	// A file system without hard links: only a file that this call made is replaced.
	placeholder, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return free(path)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(placeholder.Close(), os.Rename(finished, path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	syncFolder(path)
	return nil
}
