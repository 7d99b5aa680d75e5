package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SecretOf returns the path of the master secret that belongs to a backup.
func SecretOf(file string) string { return file + ".secret" }

// partial is the end of the name of an unfinished file.
const partial = ".part"

// free returns an error if there is a file at path already.
func free(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return fmt.Errorf("%s exists already: choose another name, or move it away", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

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

// syncFile makes a file, or the names in a folder, survive a power cut.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	err = file.Sync()
	if info, statErr := file.Stat(); statErr == nil && info.IsDir() {
		err = nil // some file systems cannot sync a folder
	}
	return errors.Join(err, file.Close())
}

// publish renames a finished file to path in one step. It never replaces a file: it
// returns fs.ErrExist instead.
func publish(finished, path string) error {
	// A hard link, unlike a rename, does not replace a file.
	err := os.Link(finished, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return free(path)
	case err == nil:
		return errors.Join(os.Remove(finished), syncFile(filepath.Dir(path)))
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
	return syncFile(filepath.Dir(path))
}
