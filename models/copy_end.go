package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// copyLockTimeout is how long a copy waits for those that write to a table.
	copyLockTimeout = "5s"
	// copyCache is how many KiB of a SQLite target stay in memory: its indexes are
	// written in random order.
	copyCache = 64 << 10
	// undoTimeout bounds what is done after a copy failed or was stopped.
	undoTimeout = time.Minute
)

// copyEnd is one of the two databases of a copy.
type copyEnd struct {
	options Options
	dialect string
	path    string // SQLite: the file
	store   *Store // SQLite: holds the file alone
	db      *sql.DB
	conn    *sql.Conn
	tx      *sql.Tx // nil until begin

	release func()   // of a target on SQLite: gives up the file, which this process has claimed
	created bool     // of a target: the file did not exist when it was claimed
	folders []string // of a target: folders that did not exist, the innermost first
	bare    bool     // of a target: it had no schema
}

func newCopyEnd(options Options) *copyEnd {
	e := &copyEnd{options: options, dialect: dialectPostgres}
	if path, ok := strings.CutPrefix(options.URL, "sqlite:"); ok {
		e.dialect, e.path, e.options.alone = dialectSQLite, path, true
	}
	return e
}

// openCopySource opens a database that has a schema.
func openCopySource(ctx context.Context, options Options) (*copyEnd, error) {
	e := newCopyEnd(options)
	if e.dialect == dialectSQLite {
		// Open would create the file, and change one of another program.
		names, err := peekSQLite(ctx, e.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database file %s", e.path)
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, versionTable) {
			return nil, errNoSchema
		}
	}
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	if err := e.checkAlone(ctx); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

// openTarget opens an empty database. It has changed nothing when it fails.
func (s *CopySource) openTarget(ctx context.Context, options Options) (_ *copyEnd, err error) {
	e := newCopyEnd(options)
	defer func() {
		if err != nil {
			e.close()
			err = errors.Join(err, e.removeNew())
			e.free()
		}
	}()
	if e.dialect == dialectSQLite {
		names, err := peekSQLite(ctx, e.path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // it is made below
		case err != nil:
			return nil, err
		case s.end.dialect == dialectSQLite && sameFile(e.path, s.end.path):
			return nil, errSameDatabase
		}
		if err := s.checkOurs(names); err != nil {
			return nil, err
		}
		if err := e.claim(); err != nil {
			return nil, err
		}
	}
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	if same, err := e.same(ctx, s.end); err != nil || same {
		return nil, errors.Join(err, errIf(same, errSameDatabase))
	}
	names, err := e.tables(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.checkOurs(names); err != nil {
		return nil, err
	}
	e.bare = !slices.Contains(names, versionTable)
	return e, errors.Join(e.checkEmpty(ctx, dataTables(names)), e.checkAlone(ctx))
}

var (
	errNoSchema     = errors.New("the database has no schema of Latchkey: is this the right one?")
	errWrites       = errors.New("a program is writing to the database: stop it first")
	errSameDatabase = errors.New("this is the source database: name another one")
)

func errIf(failed bool, err error) error {
	if failed {
		return err
	}
	return nil
}

// checkOurs refuses a target with tables that the source does not have.
func (s *CopySource) checkOurs(names []string) error {
	for _, name := range names {
		if !slices.Contains(s.tables, name) {
			return fmt.Errorf("the database has the table %s, which Latchkey did not make: name an empty database", name)
		}
	}
	return nil
}

// open connects. A database that does not answer fails here.
func (e *copyEnd) open(ctx context.Context) (err error) {
	if e.dialect == dialectSQLite {
		if e.store, err = Open(ctx, e.options); err != nil {
			return err
		}
		e.db = e.store.sqlDB
	} else if e.db, err = openPostgresToCopy(e.options.URL); err != nil {
		return err
	}
	if e.conn, err = e.db.Conn(ctx); err != nil {
		e.close()
		return translate("connect", err)
	}
	return nil
}

// copyName is the application_name of a copy, after that of other connections.
const copyName = " copy"

// openPostgresToCopy opens a pool whose statements may take any time.
func openPostgresToCopy(url string) (*sql.DB, error) {
	config, err := parsePostgres(url, 0)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] += copyName
	return stdlib.OpenDB(*config), nil
}

// close undoes what was not committed and ends the connections. It may be called
// twice.
func (e *copyEnd) close() {
	if e.tx != nil {
		_ = e.tx.Rollback()
		e.tx = nil
	}
	if e.conn != nil {
		_ = e.conn.Close()
		e.conn = nil
	}
	switch {
	case e.store != nil:
		_ = e.store.Close()
	case e.db != nil:
		_ = e.db.Close()
	}
	e.store, e.db = nil, nil
}

// checkAlone returns ErrRunning when a server or a command is connected. On SQLite
// claim or open has returned ErrInUse then.
func (e *copyEnd) checkAlone(ctx context.Context) error {
	if e.dialect == dialectSQLite {
		return nil
	}
	var others int
	err := e.conn.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND current_setting('application_name') IN (application_name, application_name || $1)`, copyName).Scan(&others)
	if err != nil {
		return translate("list the connections", err)
	}
	return errIf(others > 0, ErrRunning)
}

// same reports whether two ends are one PostgreSQL database.
func (e *copyEnd) same(ctx context.Context, other *copyEnd) (bool, error) {
	if e.dialect == dialectSQLite || other.dialect == dialectSQLite {
		return false, nil
	}
	var ids [2]string
	for i, end := range []*copyEnd{e, other} {
		err := end.queryer().QueryRowContext(ctx, "SELECT concat_ws(' ', pg_postmaster_start_time(), current_schema(), current_database())").Scan(&ids[i])
		if err != nil {
			return false, translate("identify the database", err)
		}
	}
	return ids[0] == ids[1], nil
}

// checkVersion refuses a schema that is not this program's.
func (e *copyEnd) checkVersion(ctx context.Context, tables []string) error {
	if !slices.Contains(tables, versionTable) {
		return errNoSchema
	}
	version, err := schemaVersion(ctx, e.conn)
	if err != nil {
		return translate("check the schema", err)
	}
	want, err := latestMigration(e.dialect)
	switch {
	case err != nil:
		return err
	case version > want:
		return ErrSchemaNewer
	case version < want:
		return fmt.Errorf("the schema is at version %d, and this program needs %d: run latchkey migrate up first", version, want)
	}
	return nil
}

// begin begins the transaction of the copy and locks the tables against writes. A
// source is only read from then on, as it is now.
func (e *copyEnd) begin(ctx context.Context, tables []string, source bool) (err error) {
	if e.dialect == dialectSQLite {
		if !source {
			if _, err := e.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", copyCache)); err != nil {
				return translate("set the cache", err)
			}
		}
		e.tx, err = e.conn.BeginTx(ctx, nil) // immediate: nobody else can write
		if busy, ok := errors.AsType[*sqlite.Error](err); ok && busy.Code()&0xff == sqlite3.SQLITE_BUSY {
			return errWrites
		}
		return translate("lock the database", err)
	}
	options := &sql.TxOptions{}
	if source {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	if e.tx, err = e.conn.BeginTx(ctx, options); err != nil {
		return translate("begin", err)
	}
	for _, statement := range []string{
		"SET LOCAL lock_timeout = '" + copyLockTimeout + "'", "SET LOCAL statement_timeout = 0", "SET LOCAL idle_in_transaction_session_timeout = 0",
		"LOCK TABLE " + quoted(tables) + " IN EXCLUSIVE MODE", // the snapshot is taken by the first query after it
	} {
		_, err := e.tx.ExecContext(ctx, statement)
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "55P03" {
			return errWrites
		}
		if err != nil {
			return translate("lock the tables", err)
		}
	}
	return nil
}

// commit ends the copy. PostgreSQL gets its statistics before the first query.
func (e *copyEnd) commit(ctx context.Context, tables []string) error {
	if e.dialect == dialectPostgres {
		if _, err := e.tx.ExecContext(ctx, "ANALYZE "+quoted(tables)); err != nil {
			return translate("gather statistics", err)
		}
	}
	err := e.tx.Commit()
	e.tx = nil
	return translate("commit", err)
}

// migrate makes the tables.
func (e *copyEnd) migrate(ctx context.Context) error {
	store := e.store
	if store == nil {
		var err error
		if store, err = Open(ctx, e.options); err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
	}
	err := store.Migrate(ctx)
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "42501" {
		return fmt.Errorf("%w: make this role the owner of the database", err)
	}
	return err
}

// undo leaves a target as it was before a copy that failed.
func (e *copyEnd) undo() error {
	if e.created {
		return e.removeNew()
	}
	if !e.bare {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	if err := e.open(ctx); err != nil {
		return err
	}
	defer e.close()
	names, err := e.tables(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(names, versionTable) {
		return nil
	}
	if err := e.checkEmpty(ctx, dataTables(names)); err != nil { // whoever wrote them, they are not ours to drop
		return err
	}
	store := e.store
	if store == nil {
		if store, err = Open(ctx, e.options); err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
	}
	if err := store.migrateDown(ctx); err != nil {
		return err
	}
	_, err = e.conn.ExecContext(ctx, "DROP TABLE "+versionTable)
	return translate("drop the schema", err)
}
