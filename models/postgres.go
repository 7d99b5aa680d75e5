package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

const (
	// postgresConns is how many connections a store has at most by default.
	postgresConns = 10
	// statementTimeout is when the server gives up a statement of a request.
	// A connection that is silent for answerGrace longer is lost.
	statementTimeout, answerGrace = 5 * time.Second, time.Second
	// connectTimeout bounds a new connection to one host, pingTimeout the
	// answer on one that was idle for more than a second.
	connectTimeout, pingTimeout = 3 * time.Second, 2 * time.Second
	// maxIdle and maxAge are when a connection is replaced in any case.
	maxIdle, maxAge = 3 * time.Minute, 30 * time.Minute
)

// postgresDialect is GORM's own dialect, without values in logs.
type postgresDialect struct{ *postgres.Dialector }

// Explain keeps the values out of what is logged, as sqliteDialect does.
func (postgresDialect) Explain(query string, _ ...any) string { return query }

// BindVarTo writes the placeholder of an argument.
func (d postgresDialect) BindVarTo(w clause.Writer, statement *gorm.Statement, value any) {
	checkText(statement, value)
	d.Dialector.BindVarTo(w, statement, value)
}

// openPostgres opens the pool of a store. What the URL sets stays as it is.
func openPostgres(url string, conns int) (*sql.DB, error) {
	config, err := parsePostgres(url, statementTimeout)
	if err != nil {
		return nil, err
	}
	lost := &lostConnections{conns: conns}
	if ms, err := strconv.Atoi(config.RuntimeParams["statement_timeout"]); err == nil && ms > 0 {
		lost.answer = time.Duration(ms)*time.Millisecond + answerGrace
	}
	config.Tracer, config.OnPgError = lost, usable(config.OnPgError)
	db := stdlib.OpenDB(*config, stdlib.OptionShouldPing(lost.ping))
	lost.db = db
	db.SetMaxOpenConns(lost.conns)
	db.SetMaxIdleConns(lost.conns)
	db.SetConnMaxIdleTime(maxIdle)
	db.SetConnMaxLifetime(maxAge)
	return db, nil
}

// migrationPool is a pool for migrations.
type migrationPool struct {
	*sql.DB
	shared bool // SQLite: it is the pool of the store

	mu   sync.Mutex
	pids []int32 // PostgreSQL: of the server's processes for its connections
}

func (p *migrationPool) close() {
	if !p.shared {
		_ = p.DB.Close()
	}
}

// backends returns the server's processes for the connections.
func (p *migrationPool) backends() []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.pids)
}

// openPostgresToMigrate opens a pool whose statements may take any time, whatever the
// URL says, but wait only lockTimeout for a lock.
func openPostgresToMigrate(url string) (*migrationPool, error) {
	config, err := parsePostgres(url, 0)
	if err != nil {
		return nil, err
	}
	pool := new(migrationPool)
	// By SET, not as parameters of the connection, which PgBouncer refuses.
	delete(config.RuntimeParams, "statement_timeout")
	setUp := fmt.Sprintf("SET statement_timeout = 0; SET lock_timeout = %d", lockTimeout.Milliseconds())
	pool.DB = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, setUp); err != nil {
			return err
		}
		var pid int32
		if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			return err
		}
		pool.mu.Lock()
		defer pool.mu.Unlock()
		pool.pids = append(pool.pids, pid)
		return nil
	}))
	pool.SetMaxOpenConns(2) // one for the lock
	return pool, nil
}

func parsePostgres(url string, statementTimeout time.Duration) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	for name, value := range map[string]string{
		"statement_timeout": fmt.Sprint(statementTimeout.Milliseconds()), "application_name": "latchkey",
		"client_encoding": "UTF8", // whatever is set for the role
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// Routers forget connections that are silent, some after four minutes.
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext
	return config, nil
}

// lostConnections replaces all idle connections of a pool when one turns out to
// be broken: usually all of them are, and each would cost a request.
type lostConnections struct {
	db     *sql.DB
	conns  int
	answer time.Duration // how long an answer is awaited; 0: no limit of ours
}

// closeIdle closes the connections that are not in use.
func (l *lostConnections) closeIdle() {
	l.db.SetMaxIdleConns(0)
	l.db.SetMaxIdleConns(l.conns)
}

// ping reports whether the driver should ping a connection before its next use.
// One that was idle for a while is pinged here, with a time limit; if that
// fails it is closed, and the pool takes another.
func (l *lostConnections) ping(ctx context.Context, params stdlib.ShouldPingParams) bool {
	if params.IdleDuration <= time.Second {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := params.Conn.PgConn().Ping(limited); err == nil {
		return false
	}
	if ctx.Err() == nil {
		l.closeIdle()
	}
	return true // fails at once: the connection is closed
}

// usable returns a handler that closes a connection after an error that would
// occur again, and otherwise decides as the driver does. It is called before
// TraceQueryEnd.
func usable(driver pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		switch e.Code {
		case "25006", // the server has become a standby
			"0A000", // the result of a prepared statement has changed: the schema was migrated
			"26000": // a prepared statement is gone
			return false
		}
		return driver(conn, e)
	}
}

type (
	// stopKey is the context's key of the function that ends the time limit.
	stopKey struct{}
	// patientKey is the key of WithoutTimeLimit.
	patientKey struct{}
)

// WithoutTimeLimit returns a context whose statements are awaited for as long as it
// lasts. Without it, PostgreSQL's answer has to come within statement_timeout and a
// second, or the connection counts as lost.
func WithoutTimeLimit(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}

// TraceQueryStart limits how long an answer is awaited (pgx.QueryTracer).
func (l *lostConnections) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if l.answer == 0 || ctx.Value(patientKey{}) != nil {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, l.answer)
	return context.WithValue(ctx, stopKey{}, cancel)
}

// TraceQueryEnd closes the idle connections if the statement has cost its own,
// unless that was because the caller went away (pgx.QueryTracer).
func (l *lostConnections) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if data.Err != nil && conn.IsClosed() && !errors.Is(data.Err, context.Canceled) {
		l.closeIdle()
	}
	if cancel, ok := ctx.Value(stopKey{}).(context.CancelFunc); ok {
		cancel()
	}
}
