package models

import (
	"context"
	"database/sql"
	"sync"
)

// querier runs the few queries that most requests make. They are written by
// hand, because GORM's own cost is several times theirs. Their placeholders
// are $1, $2, …, which both engines understand.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// compiledQueries is the querier of SQLite. It compiles each query once for
// each connection: compiling the identity query takes three times as long as
// running it. On PostgreSQL the driver does the same.
type compiledQueries struct {
	db         *sql.DB
	statements sync.Map // query → *sql.Stmt; closed with db
}

// QueryContext runs a query that returns rows.
func (c *compiledQueries) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

func (c *compiledQueries) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if kept, ok := c.statements.Load(query); ok {
		return kept.(*sql.Stmt), nil
	}
	statement, err := c.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	kept, loaded := c.statements.LoadOrStore(query, statement)
	if loaded {
		_ = statement.Close() // another request compiled it first
	}
	return kept.(*sql.Stmt), nil
}

// scanOne reads the only row of a query, or returns sql.ErrNoRows. It takes
// the results of QueryContext and closes rows. It reads to the end, where a
// change that could not be committed shows.
func scanOne(rows *sql.Rows, err error, into ...any) error {
	if err != nil {
		return err
	}
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
