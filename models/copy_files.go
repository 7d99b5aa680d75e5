package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// claim keeps other processes from a SQLite target until free, and notes what does not
// exist yet: from then on only this process can fill the file.
func (e *copyEnd) claim() error {
	e.folders = missingFolders(e.path)
	if err := os.MkdirAll(filepath.Dir(e.path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	release, err := ClaimSQLite(e.path)
	if err != nil {
		return err
	}
	e.release, e.options.Claimed = release, true
	_, err = os.Stat(e.path)
	e.created = errors.Is(err, fs.ErrNotExist)
	return nil
}

// free lets other processes use a SQLite target.
func (e *copyEnd) free() {
	if e.release != nil {
		e.release()
	}
}

// removeNew removes a SQLite file that the copy made, and what is beside it. Call it
// before free: afterwards the file may be another process's.
func (e *copyEnd) removeNew() error {
	var failures []error
	if e.created {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lock", ".use"} {
			if err := os.Remove(e.path + suffix); !errors.Is(err, fs.ErrNotExist) {
				failures = append(failures, err)
			}
		}
	}
	for _, folder := range e.folders {
		_ = os.Remove(folder) // only if nothing is in it
	}
	return errors.Join(failures...)
}

// missingFolders lists the folders of a path that do not exist, the innermost first.
func missingFolders(path string) (list []string) {
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
			return list
		}
		list = append(list, folder)
	}
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// peekSQLite lists the tables of a file. Unlike Open it changes no setting of the file
// and creates none.
func peekSQLite(ctx context.Context, path string) ([]string, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=rw&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	e := &copyEnd{dialect: dialectSQLite}
	if e.conn, err = db.Conn(ctx); err != nil {
		return nil, translate("open the database file", err)
	}
	defer func() { _ = e.conn.Close() }()
	return e.tables(ctx)
}
