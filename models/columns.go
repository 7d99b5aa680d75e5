package models

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// columns returns the columns of a model, separated by commas, for statements
// written by hand. No statement of this package has the result * (ADR 28): the next
// release adds columns while this one runs, and PostgreSQL then refuses prepared
// statements whose result has changed.
func (s *Store) columns(model any) string {
	statement := gorm.Statement{DB: s.db}
	if err := statement.Parse(model); err != nil {
		return "" // a fault of the struct, which then is one of the statement
	}
	return strings.Join(statement.Schema.DBNames, ", ")
}

// replanned is the pool of a store on PostgreSQL. Outside of transactions it sends a
// statement again when the server refused it because its result has changed since it
// was prepared: a migration changed the type of a column. The server refused it before
// it did anything. A transaction is not repeated: what it did beside its statements
// would be done twice.
type replanned struct {
	*sql.DB
	logger *slog.Logger
}

// ExecContext runs a statement without a result.
func (p replanned) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	result, err := p.DB.ExecContext(ctx, query, args...)
	if p.outdated(ctx, err) {
		return p.DB.ExecContext(ctx, query, args...)
	}
	return result, err
}

// QueryContext runs a statement that returns rows.
func (p replanned) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := p.DB.QueryContext(ctx, query, args...)
	if p.outdated(ctx, err) {
		return p.DB.QueryContext(ctx, query, args...)
	}
	return rows, err
}

// QueryRowContext runs a statement that returns one row.
func (p replanned) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	row := p.DB.QueryRowContext(ctx, query, args...)
	if p.outdated(ctx, row.Err()) {
		return p.DB.QueryRowContext(ctx, query, args...)
	}
	return row
}

// outdated reports whether err says that the result of a prepared statement has
// changed. The connection and the idle ones are closed by then (usable).
func (p replanned) outdated(ctx context.Context, err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || e.Code != "0A000" {
		return false
	}
	p.logger.WarnContext(ctx, "a statement is sent again: a migration has changed its result", "error", e.Message)
	return true
}
