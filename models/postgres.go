package models

import (
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

// postgresDialect is GORM's own, which must not print values.
type postgresDialect struct{ *postgres.Dialector }

// Explain keeps the values out of what is logged, as sqliteDialect does.
func (postgresDialect) Explain(query string, _ ...any) string { return query }

// openPostgres opens a pool. statementTimeout, in milliseconds, bounds what
// one statement may take unless the URL says otherwise; "" sets none.
func openPostgres(url string, conns int, statementTimeout string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	if _, set := config.RuntimeParams["statement_timeout"]; !set && statementTimeout != "" {
		config.RuntimeParams["statement_timeout"] = statementTimeout
	}
	if _, set := config.RuntimeParams["application_name"]; !set {
		config.RuntimeParams["application_name"] = "latchkey"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}
