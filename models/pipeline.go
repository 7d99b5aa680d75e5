package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// rollbackTimeout is how long it may take to undo a transaction whose caller
// has gone.
const rollbackTimeout = 5 * time.Second

// pipeline is a transaction on PostgreSQL that goes to the database as seldom
// as it can. BEGIN, and whatever nobody waits for an answer to, is kept back
// and sent, in order and at once, with the next statement or with COMMIT: a way
// there and back costs more than most statements do, and what a transaction has
// locked stays locked for all of its ways.
//
// To GORM it is a pool of connections.
type pipeline struct {
	conn   *sql.Conn
	logger logger.Interface // GORM's, for what does not pass through GORM
	kept   []step
	open   bool // BEGIN was sent
}

// step is a statement of a pipeline.
type step struct {
	what  string // what its failure is called; "" leaves that to the caller
	query string
	args  []any
	read  func(pgx.BatchResults) error // takes the answer; nil: only its failure matters
}

// inPipeline is InTx on PostgreSQL.
func (s *Store) inPipeline(ctx context.Context, f func(tx *Store) error) error {
	conn, err := s.sqlDB.Conn(ctx)
	if err != nil {
		return translate("begin", err)
	}
	// The pool drops a connection whose transaction is still open.
	defer func() { _ = conn.Close() }()
	p := &pipeline{conn: conn, logger: s.db.Logger, kept: []step{{what: "begin", query: "BEGIN"}}}
	defer p.rollback(ctx)
	tx := *s
	tx.inTx, tx.pipeline = true, p
	tx.db = s.db.Session(&gorm.Session{Context: ctx, NewDB: true})
	tx.db.Statement.ConnPool = p
	tx.attach()
	if err := f(&tx); err != nil {
		return err
	}
	return p.commit(ctx)
}

// keep has a statement sent with the next one.
func (p *pipeline) keep(s step) { p.kept = append(p.kept, s) }

// send sends a statement, and before it what was kept.
func (p *pipeline) send(ctx context.Context, last step) error {
	p.keep(last)
	return p.flush(ctx)
}

// flush sends what was kept.
func (p *pipeline) flush(ctx context.Context) error {
	if len(p.kept) == 0 {
		return nil
	}
	steps := p.kept
	p.kept, p.open = nil, true
	return p.conn.Raw(func(driverConn any) error {
		var batch pgx.Batch
		for _, s := range steps {
			batch.Queue(s.query, s.args...)
		}
		results := driverConn.(*stdlib.Conn).Conn().SendBatch(ctx, &batch)
		for _, s := range steps {
			if err := s.answer(results); err != nil {
				_ = results.Close() // says the same again
				return err
			}
		}
		return results.Close()
	})
}

// logged is flush for what GORM does not see: it has statements that fail, or
// are slow, logged as GORM has.
func (p *pipeline) logged(ctx context.Context) error {
	steps, begin := p.kept, time.Now()
	err := p.flush(ctx)
	p.logger.Trace(ctx, begin, func() (string, int64) {
		queries := make([]string, len(steps))
		for i, s := range steps {
			queries[i] = s.query
		}
		return strings.Join(queries, "; "), -1
	}, err)
	return err
}

// answer reads what the database said to the step.
func (s step) answer(results pgx.BatchResults) error {
	var err error
	if s.read != nil {
		err = s.read(results)
	} else {
		_, err = results.Exec()
	}
	if err == nil || s.what == "" {
		return err
	}
	return translate(s.what, err)
}

// commit sends what was kept, and COMMIT. When something failed before,
// PostgreSQL answers to that with ROLLBACK, which is no error of its own.
func (p *pipeline) commit(ctx context.Context) error {
	if !p.open && len(p.kept) == 1 {
		return translate("commit", ctx.Err()) // there was nothing to do
	}
	p.keep(step{what: "commit", query: "COMMIT", read: func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		if err == nil && tag.String() != "COMMIT" {
			err = fmt.Errorf("the answer was %s", tag)
		}
		return err
	}})
	err := p.logged(ctx)
	p.open = err != nil
	return translate("commit", err)
}

// rollback undoes a transaction that was not committed, also when its caller
// is gone.
func (p *pipeline) rollback(ctx context.Context) {
	if !p.open {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = p.conn.ExecContext(ctx, "ROLLBACK") // if it fails the pool drops the connection
}

// ExecContext runs a statement that returns no rows.
func (p *pipeline) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	var changed int64
	err := p.send(ctx, step{query: query, args: args, read: func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		changed = tag.RowsAffected()
		return err
	}})
	return driver.RowsAffected(changed), err
}

// QueryContext runs a statement that returns rows.
func (p *pipeline) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext runs a statement that returns one row.
func (p *pipeline) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := p.flush(ctx); err != nil {
		// A row cannot hold an error of ours; one that was called off has one.
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		cancel()
	}
	return p.conn.QueryRowContext(ctx, query, args...)
}

// PrepareContext compiles a statement.
func (p *pipeline) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.conn.PrepareContext(ctx, query)
}

// later runs a statement of which nothing but its failure matters. In a
// pipeline it is kept: InTx, or the next statement, returns the failure then.
func (s *Store) later(ctx context.Context, what string, statement func(*gorm.DB) *gorm.DB) error {
	if s.pipeline == nil {
		_, err := s.run(ctx, what, statement)
		return err
	}
	built := statement(s.db.Session(&gorm.Session{Context: ctx, DryRun: true}))
	if built.Error != nil {
		return translate(what, built.Error)
	}
	s.pipeline.keep(step{what: what, query: built.Statement.SQL.String(), args: built.Statement.Vars})
	return nil
}

// execLater is later for a statement written by hand.
func (s *Store) execLater(ctx context.Context, what, query string, args ...any) error {
	return s.later(ctx, what, func(db *gorm.DB) *gorm.DB { return db.Exec(query, args...) })
}

// ask runs a statement that changes one row at most, and reads what it returns
// of that row. It returns sql.ErrNoRows when it met none.
func (s *Store) ask(ctx context.Context, query string, args []any, into ...any) error {
	var met bool
	if err := s.askLater(ctx, query, args, &met, into...); err != nil {
		return err
	}
	if err := s.answered(ctx); err != nil {
		return err
	}
	if !met {
		return sql.ErrNoRows
	}
	return nil
}

// askLater is ask of several at once: what they met, and into, is known after
// answered.
func (s *Store) askLater(ctx context.Context, query string, args []any, met *bool, into ...any) error {
	built := s.db.WithContext(ctx).Raw(query, args...)
	if s.pipeline == nil {
		return s.write(ctx, func() error {
			rows, err := built.Rows()
			if err == nil {
				err = scanOne(rows, into...)
			}
			return metOne(err, met)
		})
	}
	s.pipeline.keep(step{query: built.Statement.SQL.String(), args: built.Statement.Vars, read: func(results pgx.BatchResults) error {
		return metOne(results.QueryRow().Scan(into...), met)
	}})
	return nil
}

// answered waits for the answers to askLater.
func (s *Store) answered(ctx context.Context) error {
	if s.pipeline == nil {
		return nil
	}
	return s.pipeline.logged(ctx)
}

// metOne tells a statement that met no row from one that failed.
func metOne(err error, met *bool) error {
	*met = err == nil
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}
