package models

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
)

// statement is a query of the hot path, written by hand and prepared once:
// GORM's own cost per query is a multiple of it. It is prepared at its first
// use, when the database is up and migrated.
type statement struct {
	query string
	db    *sql.DB
	brief bool // not to be watched for a cancel
	mu    sync.Mutex
	stmt  atomic.Pointer[sql.Stmt]
}

// newStatement makes a statement. Its placeholders are $1, $2, …, which both
// engines understand.
func (s *Store) newStatement(query string) *statement {
	// On SQLite the query takes microseconds; watching the context for a
	// cancel would cost a goroutine each time.
	return &statement{query: query, db: s.sqlDB, brief: s.dialect == dialectSQLite}
}

// run executes the statement, in tx unless that is nil. The caller closes the
// rows.
func (q *statement) run(ctx context.Context, tx *sql.Tx, args ...any) (*sql.Rows, error) {
	stmt, err := q.prepared(ctx)
	if err != nil {
		return nil, err
	}
	if tx != nil {
		stmt = tx.StmtContext(q.watch(ctx), stmt)
	}
	return stmt.QueryContext(q.watch(ctx), args...)
}

// row executes a statement that answers with one row, or with none:
// sql.ErrNoRows. It reads to the end, where a change that could not be kept
// shows.
func (q *statement) row(ctx context.Context, args []any, into ...any) error {
	return q.rowIn(ctx, nil, args, into...)
}

// rowIn is row in tx, unless that is nil.
func (q *statement) rowIn(ctx context.Context, tx *sql.Tx, args []any, into ...any) error {
	rows, err := q.run(ctx, tx, args...)
	if err != nil {
		return err
	}
	return scanOne(rows, into...)
}

// scanOne reads the one row there is, and closes rows.
func scanOne(rows *sql.Rows, into ...any) error {
	defer func() { _ = rows.Close() }()
	found := rows.Next()
	if found {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		rows.Next()
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !found {
		return sql.ErrNoRows
	}
	return nil
}

func (q *statement) watch(ctx context.Context) context.Context {
	if q.brief {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (q *statement) prepared(ctx context.Context) (*sql.Stmt, error) {
	if stmt := q.stmt.Load(); stmt != nil {
		return stmt, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if stmt := q.stmt.Load(); stmt != nil {
		return stmt, nil
	}
	stmt, err := q.db.PrepareContext(ctx, q.query)
	if err != nil {
		return nil, err
	}
	q.stmt.Store(stmt)
	return stmt, nil
}
