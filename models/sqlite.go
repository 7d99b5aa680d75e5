package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
	_ "modernc.org/sqlite" // registers the driver "sqlite", without cgo
)

// sqliteDialect tells GORM how to speak SQLite over modernc.org/sqlite. The
// published dialects either need cgo or a fork of the driver that compiles
// every statement again on each use (docs/adr/0007-sqlite-driver.md).
type sqliteDialect struct{ pool *sql.DB }

func (sqliteDialect) Name() string { return dialectSQLite }

func (d sqliteDialect) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses: []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses: []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses: []string{"DELETE", "FROM", "WHERE", "RETURNING"},
	})
	// SQLite has one writer and no row locks: FOR UPDATE is left out.
	db.ClauseBuilders["FOR"] = func(clause.Clause, clause.Builder) {}
	return nil
}

func (d sqliteDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}}
}

func (sqliteDialect) DataTypeOf(field *schema.Field) string { return string(field.DataType) }

func (sqliteDialect) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "DEFAULT"}
}

func (sqliteDialect) BindVarTo(w clause.Writer, statement *gorm.Statement, value any) {
	checkText(statement, value)
	_ = w.WriteByte('?')
}

// QuoteTo quotes a column or table.column. The names come from our structs and
// contain no quotes.
func (sqliteDialect) QuoteTo(w clause.Writer, name string) {
	_ = w.WriteByte('"')
	table, column, both := strings.Cut(name, ".")
	_, _ = w.WriteString(table)
	if both {
		_, _ = w.WriteString(`"."`)
		_, _ = w.WriteString(column)
	}
	_ = w.WriteByte('"')
}

// Explain keeps the values out of what is logged. The logger's
// ParameterizedQueries does not suffice: GORM's Scan ignores it.
func (sqliteDialect) Explain(query string, _ ...any) string { return query }

// sqlitePragmas hold for every connection. FULL, because a revocation must
// survive a power cut.
var sqlitePragmas = []struct{ name, set, want string }{
	{"journal_mode", "WAL", "wal"},
	{"busy_timeout", "5000", "5000"},
	{"synchronous", "FULL", "2"},
	{"foreign_keys", "1", "1"},
	{"trusted_schema", "0", "0"},
}

// openSQLite opens the database file and keeps its FileInfo and the lock that says
// that it is in use, unless this process has claimed it.
func (s *Store) openSQLite(ctx context.Context, path string, options Options, conns int) (db *sql.DB, err error) {
	if err = checkFileSystem(path, FileSystemAt); err != nil {
		return nil, err
	}
	if s.file, err = makeSQLite(path); err != nil {
		return nil, err
	}
	if !options.Claimed {
		use := (*flock.Flock).TryRLock // any number of processes may use the file
		if options.alone {
			use = (*flock.Flock).TryLock
		}
		if s.use, err = lockUse(path, use); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				_ = s.use.Close()
			}
		}()
	}
	// rw: a connection that finds no file must not make an empty database.
	query := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	for _, p := range sqlitePragmas {
		query.Add("_pragma", p.name+"("+p.set+")")
	}
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	if db, err = sql.Open("sqlite", dsn.String()); err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	// The first connection to a new file turns it into one with a write-ahead
	// log. SQLite does not wait for another process that does the same.
	unlock, err := s.lockSQLite(ctx, path)
	if err == nil {
		err = checkPragmas(ctx, db)
		unlock()
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// makeSQLite creates the database file and its folder, readable only by the
// owner, if they do not exist.
func makeSQLite(path string) (os.FileInfo, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	info, err := file.Stat()
	return info, errors.Join(err, file.Close())
}

// ErrInUse says that a process has the SQLite file open.
var ErrInUse = errors.New("the database file is in use: stop the server and other commands first")

// ClaimSQLite keeps other processes from opening a database file until release is
// called. It returns ErrInUse while a process uses the file. Its folder must exist.
func ClaimSQLite(path string) (release func(), err error) {
	lock, err := lockUse(path, (*flock.Flock).TryLock)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// SQLiteLocks returns the files beside a SQLite database that processes lock. Whoever
// opens the database has to open them.
func SQLiteLocks(path string) []string { return []string{path + ".lock", path + ".use"} }

// lockUse says that this process uses a database file, until the lock is closed. It
// returns ErrInUse when another lock does not permit that. The lock is on a file beside
// the database: SQLite loses its own locks when a process closes another handle of the
// database file.
func lockUse(path string, try func(*flock.Flock) (bool, error)) (*flock.Flock, error) {
	lock := flock.New(path+".use", flock.SetPermissions(0o600))
	locked, err := try(lock)
	if err != nil {
		return nil, fmt.Errorf("lock the database file: %w", err)
	}
	if !locked {
		return nil, ErrInUse
	}
	return lock, nil
}

// lockSQLite takes the lock file beside a database file.
func (s *Store) lockSQLite(ctx context.Context, path string) (unlock func(), err error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	err = s.waitTurn(ctx, func() error {
		_, err := lock.TryLockContext(ctx, 20*time.Millisecond)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	return func() { _ = lock.Unlock() }, nil
}

// checkPragmas refuses a database that did not take a setting we rely on:
// drivers silently ignore settings that they do not know.
func checkPragmas(ctx context.Context, db *sql.DB) error {
	for _, p := range sqlitePragmas {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("read pragma %s: %w", p.name, err)
		}
		if got != p.want {
			return fmt.Errorf("pragma %s is %s, want %s: is the file on a file system that SQLite can lock?", p.name, got, p.want)
		}
	}
	return nil
}
