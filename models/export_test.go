package models

import (
	"context"
	"database/sql"
)

// MigrateDown undoes every migration.
func (s *Store) MigrateDown(ctx context.Context) error { return s.migrateDown(ctx) }

// SQL is the connection pool, to look behind the queries.
func (s *Store) SQL() *sql.DB { return s.sqlDB }
