package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// CopySize returns about how many bytes CopyTo will write.
func (s *Store) CopySize(ctx context.Context) (size int64, err error) {
	err = s.sqlDB.QueryRowContext(ctx, `
		SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&size)
	return size, translate("read the size of the database", err)
}

// CopyTo writes a copy of a SQLite database, as it is at this moment, to the empty
// file path. Others can write meanwhile. When ctx ends it stops; the file is then
// useless, and so it is after an error.
func (s *Store) CopyTo(ctx context.Context, path string) error {
	_, err := s.sqlDB.ExecContext(ctx, "VACUUM INTO ?", path)
	return translate("copy the database", err)
}

// ErrNotOurs says that a database is not one of this program.
var ErrNotOurs = errors.New("it is not a database of Latchkey")

// CheckCopy reads all of a SQLite file that no process has open, and returns an error
// if it is damaged. It returns ErrNotOurs for the database of another program and
// ErrSchemaNewer for one of a later release. It changes nothing.
func CheckCopy(ctx context.Context, path string) error {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro&immutable=1&_pragma=trusted_schema(0)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	names, err := firstColumn(ctx, db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return fmt.Errorf("read the tables: %w", err)
	}
	if !OurTables(names) {
		return ErrNotOurs
	}
	version, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	if err := CheckSchema(dialectSQLite, version); err != nil {
		return err
	}
	problems, err := firstColumn(ctx, db, "PRAGMA integrity_check(1)")
	if err != nil {
		return fmt.Errorf("check it: %w", err)
	}
	if len(problems) != 1 || problems[0] != "ok" {
		return fmt.Errorf("it is damaged: %q", problems)
	}
	return nil
}

// OurTables reports whether the names of a database's tables are those of this
// program.
func OurTables(names []string) bool {
	for _, name := range []string{"goose_db_version", "users", "sessions", "audit_events"} {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

// CheckSchema returns ErrSchemaNewer if a later release made the schema with that
// version, and ErrNotOurs if none did.
func CheckSchema(dialect string, version int64) error {
	latest, err := latestMigration(dialect)
	switch {
	case err != nil:
		return err
	case version > latest:
		return ErrSchemaNewer
	case version < 1:
		return ErrNotOurs
	}
	return nil
}

// firstColumn returns the first column of a query.
func firstColumn(ctx context.Context, db *sql.DB, query string) (list []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, rows.Err()
}

// ServerVersion returns the major version of the PostgreSQL server.
func (s *Store) ServerVersion(ctx context.Context) (int, error) {
	var version int
	err := s.sqlDB.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&version)
	return version, translate("read the version of the PostgreSQL server", err)
}

// Empty reports whether the PostgreSQL database has no tables.
func (s *Store) Empty(ctx context.Context) (bool, error) {
	var tables int
	err := s.sqlDB.QueryRowContext(ctx, `
		SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'`).Scan(&tables)
	return tables == 0, translate("look for tables", err)
}

// Connected returns how many other connections of this program the PostgreSQL
// database has, besides one of this store.
func (s *Store) Connected(ctx context.Context) (int, error) {
	var others int
	err := s.sqlDB.QueryRowContext(ctx, `
		SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()`).Scan(&others)
	return others, translate("look for other connections", err)
}
