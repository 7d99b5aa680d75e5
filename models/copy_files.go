package models

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// removeNew removes a SQLite file that the copy made, and what is beside it.
func (e *copyEnd) removeNew() {
	if !e.created {
		return
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lock", ".use"} {
		_ = os.Remove(e.path + suffix)
	}
	for _, folder := range e.folders {
		_ = os.Remove(folder) // only if nothing is in it
	}
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
