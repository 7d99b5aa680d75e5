package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// checkFor is how long Inspect checks a SQLite file for damage.
const checkFor = 3 * time.Second

// Facts are what Inspect found out about a database.
type Facts struct {
	Version  string        // of the database's program
	Encoding string        // UTF8 on PostgreSQL, UTF-8 on SQLite
	Schema   int64         // the newest migration that was applied, 0 for none
	Wanted   int64         // the newest migration that this program has
	Skew     time.Duration // by how much this machine's clock is ahead; 0 on SQLite

	// SQLite. Of a file that is damaged or was not closed, only the size is certain.
	Size     int64  // bytes of the file
	Journal  string // journal_mode
	Damage   string // the first problem that SQLite found
	Checked  bool   // whether quick_check came to its end in time
	Unclosed bool   // whether there is a write-ahead log without its index, so that reading would make a file

	// PostgreSQL.
	Settings map[string]string // fsync, synchronous_commit, full_page_writes, max_connections …
	Standby  bool              // whether it is in recovery and cannot be written to
	Used     int               // connections of everybody, less this one
	Servers  int               // those of this role to this database, less this one
	Secure   bool              // whether this connection is encrypted
}

// ErrNoDatabase says that there is no SQLite file.
var ErrNoDatabase = errors.New("there is no database file yet")

// Inspect looks at a database without changing it: it makes no file, migrates nothing
// and only reads. It returns ErrNoDatabase when there is no SQLite file, and
// ErrNetworkFileSystem when that is on a network file system. A damaged SQLite file is
// no error: Facts.Damage says so.
func Inspect(ctx context.Context, options Options) (*Facts, error) {
	path, isSQLite := strings.CutPrefix(options.URL, "sqlite:")
	dialect := dialectPostgres
	if isSQLite {
		dialect = dialectSQLite
	}
	wanted, err := latestMigration(dialect)
	if err != nil {
		return nil, err
	}
	f := &Facts{Wanted: wanted}
	if isSQLite {
		return f, f.inspectSQLite(ctx, path)
	}
	return f, f.inspectPostgres(ctx, options.URL)
}

func (f *Facts) inspectSQLite(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoDatabase
	}
	if err != nil {
		return fmt.Errorf("look at the database file: %w", err)
	}
	f.Size = info.Size()
	if err := checkFileSystem(path, FileSystemAt); err != nil {
		return err
	}
	// Before SQLite opens the file: closing another handle would lose its locks.
	logged, err := hasWriteAheadLog(path)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the database file: %w", err)
	}
	query := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(1000)", "trusted_schema(0)"}}
	if missing(path + "-wal") {
		// Nobody has the file open. Without this, SQLite would make the files beside it.
		query.Set("immutable", "1")
	} else if missing(path + "-shm") {
		f.Unclosed = true
		return nil
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	err = f.readSQLite(ctx, db)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && damaged(e) {
		f.Damage, err = e.Error(), nil
	}
	if logged {
		f.Journal = "wal" // an immutable file says otherwise
	}
	return err
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// damaged reports whether SQLite says that a file is no database, or a broken one.
func damaged(err *sqlite.Error) bool {
	return err.Code()&0xff == sqlite3.SQLITE_CORRUPT || err.Code()&0xff == sqlite3.SQLITE_NOTADB
}

// readSQLite reads what an open SQLite file says, and checks it for damage.
func (f *Facts) readSQLite(ctx context.Context, db *sql.DB) (err error) {
	for question, answer := range map[string]*string{
		"SELECT sqlite_version()": &f.Version, "PRAGMA encoding": &f.Encoding, "PRAGMA journal_mode": &f.Journal,
	} {
		if err := db.QueryRowContext(ctx, question).Scan(answer); err != nil {
			return fmt.Errorf("read the database file: %w", err)
		}
	}
	if f.Schema, err = appliedSchema(ctx, db, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'goose_db_version'"); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	err = db.QueryRowContext(bounded, "PRAGMA quick_check(1)").Scan(&f.Damage)
	if err == nil {
		f.Checked = true
		if f.Damage == "ok" {
			f.Damage = ""
		}
		return nil
	}
	if bounded.Err() == nil {
		return fmt.Errorf("check the database file: %w", err)
	}
	return ctx.Err()
}

// hasWriteAheadLog reports whether the header of a SQLite file says that it has a
// write-ahead log (https://sqlite.org/fileformat.html#file_format_version_numbers).
func hasWriteAheadLog(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	version := make([]byte, 2)
	_, err = file.ReadAt(version, 18)
	return version[0] == 2 && version[1] == 2, err
}

func (f *Facts) inspectPostgres(ctx context.Context, url string) error {
	pool, err := openPostgresToMigrate(url)
	if err != nil {
		return err
	}
	defer pool.close()
	db := pool.DB
	db.SetMaxOpenConns(1)
	var now time.Time
	if err := db.QueryRowContext(ctx, "SELECT clock_timestamp(), pg_is_in_recovery()").Scan(&now, &f.Standby); err != nil {
		return err
	}
	// The first statement opens the connection, so the clock is asked again.
	before := time.Now()
	if err := db.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return err
	}
	f.Skew = before.Add(time.Since(before) / 2).Sub(now)
	if err := f.readSettings(ctx, db); err != nil {
		return err
	}
	// Of the sessions of other roles PostgreSQL tells an ordinary role the database and
	// the user, but not the kind. A session of its own, such as autovacuum, has no user.
	err = db.QueryRowContext(ctx, `
		SELECT COUNT(*), COUNT(*) FILTER (WHERE usename = session_user AND datname = current_database()),
			COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)
		FROM pg_stat_activity
		WHERE datid IS NOT NULL AND usesysid IS NOT NULL AND COALESCE(backend_type, 'client backend') = 'client backend'
			AND pid <> pg_backend_pid()`).Scan(&f.Used, &f.Servers, &f.Secure)
	if err != nil {
		return err
	}
	f.Schema, err = appliedSchema(ctx, db, "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')")
	return err
}

func (f *Facts) readSettings(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_encoding', 'fsync',
		'synchronous_commit', 'full_page_writes', 'max_connections', 'superuser_reserved_connections',
		'reserved_connections', 'default_transaction_read_only')`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	f.Settings = map[string]string{}
	for rows.Next() {
		var name, setting string
		if err := rows.Scan(&name, &setting); err != nil {
			return err
		}
		f.Settings[name] = setting
	}
	if err := rows.Err(); err != nil {
		return err
	}
	f.Version, f.Encoding = f.Settings["server_version"], f.Settings["server_encoding"]
	return nil
}

// Setting returns a whole number among the settings, 0 if it is none.
func (f *Facts) Setting(name string) int {
	n, err := strconv.Atoi(f.Settings[name])
	if err != nil {
		return 0
	}
	return n
}

// appliedSchema returns the newest migration that was applied, 0 if there is none.
// exists counts the tables of migrations.
func appliedSchema(ctx context.Context, db *sql.DB, exists string) (version int64, err error) {
	var tables int
	if err := db.QueryRowContext(ctx, exists).Scan(&tables); err != nil {
		return 0, fmt.Errorf("look for the schema: %w", err)
	}
	if tables == 0 {
		return 0, nil
	}
	return schemaVersion(ctx, db)
}
