// Package models stores the portal's data: it has the GORM structs and every
// query. Packages auth, account and oauth decide what the results mean.
//
// It translates errors to apperr kinds: NotFound, Conflict, Canceled,
// Unavailable (the database did not answer), or unclassified for a fault of
// ours.
package models

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"latchkey/internal/apperr"
)

const (
	dialectSQLite   = "sqlite"
	dialectPostgres = "postgres"
)

// Options says which database to open.
type Options struct {
	URL    string       // sqlite:PATH, postgres://… or postgresql://…
	Conns  int          // PostgreSQL: how many connections at most; 0: 10
	Logger *slog.Logger // for waits, and for slow and failed statements without their values; nil: no log
	Meter  Meter

	// Claimed is set by a process that has claimed the SQLite file with ClaimSQLite.
	Claimed bool

	alone bool // SQLite: ErrInUse while another process uses the file, and others get it until Close
}

// Store is the database. Its tables can be used until Close.
type Store struct {
	Users          *Users
	Sessions       *Sessions
	Denylist       *Denylist
	Attempts       *Attempts
	Devices        *Devices
	Tokens         *OneTimeTokens
	PersonalTokens *PersonalTokens
	Audit          *Audit
	Clock          *Clock
	Deliveries     *Deliveries
	EmailChanges   *EmailChanges
	Invitations    *Invitations
	Phantoms       *Phantoms
	DeletedUsers   *DeletedUsers
	Apps           *Apps
	RecoveryCodes  *RecoveryCodes
	Passkeys       *Passkeys

	url     string
	dialect string
	file    os.FileInfo  // SQLite: the file that was opened; PostgreSQL: nil
	use     *flock.Flock // SQLite: says that the file is in use; PostgreSQL: nil
	logger  *slog.Logger
	meter   Meter
	db      *gorm.DB
	sqlDB   *sql.DB
	hot     querier
	writer  chan struct{} // SQLite: holds the turn to write; PostgreSQL: nil
	inTx    bool

	refusals *refusals

	rotations *rotationBatch // SQLite: those that wait for the writer's turn; PostgreSQL: nil
}

// Open connects to the database. It does not migrate it. It returns ErrInUse while
// another process has claimed the SQLite file, and ErrDiskFull.
func Open(ctx context.Context, options Options) (*Store, error) {
	log := options.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{url: options.URL, logger: log, meter: options.Meter, refusals: &refusals{}}
	config := &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		QueryFields:            true, // see columns
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger:                 newStatementLogger(log, options.Meter.Query),
	}
	var dialector gorm.Dialector
	var err error
	switch path, isSQLite := strings.CutPrefix(options.URL, "sqlite:"); {
	case isSQLite:
		s.dialect = dialectSQLite
		s.sqlDB, err = s.openSQLite(ctx, path, options, max(4, runtime.GOMAXPROCS(0)))
		hot := &compiledQueries{db: s.sqlDB}
		dialector, s.hot, s.writer = sqliteDialect{pool: s.sqlDB}, hot, make(chan struct{}, 1)
		s.rotations = &rotationBatch{
			db: s.sqlDB, hot: hot, writer: s.writer, usable: s.checkFile, refusals: s.refusals, meter: s.meter,
		}
	case strings.HasPrefix(options.URL, "postgres://"), strings.HasPrefix(options.URL, "postgresql://"):
		s.dialect = dialectPostgres
		s.sqlDB, err = openPostgres(options.URL, cmp.Or(options.Conns, postgresConns))
		pool := replanned{DB: s.sqlDB, logger: log}
		s.hot = pool
		dialector = postgresDialect{&postgres.Dialector{Config: &postgres.Config{Conn: pool}}}
	default:
		return nil, errors.New("the database URL is neither sqlite:PATH nor postgres://…")
	}
	if err != nil {
		return nil, sayFull(err)
	}
	if s.meter.Query != nil {
		s.hot = measuredQueries{s.hot, s.meter.Query}
	}
	if s.db, err = gorm.Open(dialector, config); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s.attach()
	return s, nil
}

// attach gives the tables their connection.
func (s *Store) attach() {
	s.Users = &Users{store: s}
	s.Sessions = &Sessions{store: s}
	s.Denylist = &Denylist{store: s}
	s.Attempts = &Attempts{store: s}
	s.Devices = &Devices{store: s}
	s.Tokens = &OneTimeTokens{store: s}
	s.PersonalTokens = &PersonalTokens{store: s}
	s.Audit = &Audit{store: s}
	s.Clock = &Clock{store: s}
	s.Deliveries = &Deliveries{store: s}
	s.EmailChanges = &EmailChanges{store: s}
	s.Invitations = &Invitations{store: s}
	s.Phantoms = &Phantoms{store: s}
	s.DeletedUsers = &DeletedUsers{store: s}
	s.Apps = &Apps{store: s}
	s.RecoveryCodes = &RecoveryCodes{store: s}
	s.Passkeys = &Passkeys{store: s}
}

// Close ends every connection.
func (s *Store) Close() error {
	err := s.sqlDB.Close()
	if s.use != nil {
		err = errors.Join(err, s.use.Close())
	}
	return err
}

// Dialect returns "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.dialect }

// InTx runs f in one transaction and commits it if f returns nil. Inside f use
// only the store that f receives.
//
// On SQLite it waits for its turn to write, in order, instead of polling the
// lock of the file.
func (s *Store) InTx(ctx context.Context, f func(tx *Store) error) error {
	if s.inTx {
		return f(s)
	}
	return s.write(ctx, func() error {
		var failure error
		var done time.Time // when f returned; the commit follows
		err := s.db.WithContext(ctx).Transaction(func(db *gorm.DB) error {
			tx := *s
			tx.db, tx.inTx = db, true
			tx.attach()
			failure = f(&tx)
			done = time.Now()
			return failure
		})
		if failure != nil {
			return failure
		}
		if !done.IsZero() {
			s.meter.queried(opCommit, done)
		}
		if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
			err = ctx.Err() // database/sql undid it when the caller went away
		}
		return translate("commit", err)
	})
}

// write runs f. On SQLite it takes the writer's turn first, and reports
// apperr.Unavailable when the file was deleted or replaced.
func (s *Store) write(ctx context.Context, f func() error) (err error) {
	if s.inTx {
		return f()
	}
	defer func() { s.refusals.note(err) }()
	if s.writer == nil {
		return f()
	}
	start := time.Now()
	select {
	case s.writer <- struct{}{}:
		s.meter.waited(start)
	case <-ctx.Done():
		return translate("wait for the database", ctx.Err())
	}
	defer func() { <-s.writer }()
	if err := s.checkFile(); err != nil {
		return err
	}
	return f()
}

// run runs one writing statement and returns how many rows it changed.
func (s *Store) run(ctx context.Context, what string, statement func(*gorm.DB) *gorm.DB) (int64, error) {
	var rows int64
	err := s.write(ctx, func() error {
		result := statement(s.db.WithContext(ctx))
		rows = result.RowsAffected
		return result.Error
	})
	return rows, translate(what, err)
}

// exec is run for a statement written by hand. Arguments are positional (?) or
// one map or struct for @names.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) (int64, error) {
	return s.run(ctx, what, func(db *gorm.DB) *gorm.DB { return db.Exec(query, args...) })
}

// create inserts row, a pointer to a struct or to a slice of them.
func (s *Store) create(ctx context.Context, what string, row any) error {
	_, err := s.run(ctx, what, func(db *gorm.DB) *gorm.DB { return db.Create(row) })
	return err
}

// oneRow turns a change that met no row into apperr.NotFound.
func oneRow(what string, rows int64, err error) error {
	if err == nil && rows == 0 {
		return fmt.Errorf("%s: %w", what, apperr.NotFound)
	}
	return err
}

// Now returns the database server's clock; on SQLite that is this machine's.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	if s.dialect == dialectSQLite {
		return time.Now(), nil
	}
	var now time.Time
	err := s.sqlDB.QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&now)
	return now, translate("read the database's clock", err)
}

// NewID returns a random id: 26 lower-case letters and digits of base32, from
// 130 random bits.
func NewID() string { return strings.ToLower(rand.Text()) }

// IsID reports whether s looks like what NewID returns.
func IsID(s string) bool {
	if len(s) != 26 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
