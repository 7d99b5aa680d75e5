package models

import (
	"context"
	"database/sql"
)

// querier runs queries of the hot path. They are written by hand, because
// GORM's own cost per query is a multiple of theirs, and compiled once for each
// connection. Their placeholders are $1, $2, …, which both engines understand.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// unwatched is a querier of SQLite. A query takes microseconds there; watching
// the context for a cancel would cost a goroutine each time.
type unwatched struct{ querier }

// QueryContext runs a statement that returns rows.
func (u unwatched) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return u.querier.QueryContext(context.WithoutCancel(ctx), query, args...)
}

// queryRow runs a query that answers with one row, or with none: sql.ErrNoRows.
func queryRow(ctx context.Context, q querier, query string, args []any, into ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return scanOne(rows, into...)
}

// scanOne reads the one row there is, and closes rows. It reads to the end,
// where a change that could not be kept shows.
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
