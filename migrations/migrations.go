// Package migrations holds the database schema as numbered SQL files, one
// folder for each dialect with the same numbers.
//
// It defines the tables. Package models runs the files, under a lock, and reads
// and writes the tables.
package migrations

import "embed"

// Files holds sqlite/NNNNN_name.sql and postgres/NNNNN_name.sql.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
