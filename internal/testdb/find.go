package testdb

import (
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/models"
)

// opened has the database URL of every store that this package opened.
var opened sync.Map

// Find returns the columns, as table.column in alphabetical order, that contain a
// text in any row, without regard to case. It looks at every table.
func Find(tb testing.TB, store *models.Store, text string) (found []string) {
	tb.Helper()
	databaseURL, _ := opened.Load(store)
	name, columns := databaseURL.(string), "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'"
	driver := "pgx"
	if path, isSQLite := strings.CutPrefix(name, "sqlite:"); isSQLite {
		driver, name = "sqlite", path
		columns = "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'TEXT'"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, column := range rows(tb, db, columns) {
		table, _, _ := strings.Cut(column, ".")
		if len(rows(tb, db, "SELECT 'x' FROM "+table+" WHERE lower("+column+") LIKE lower($1) LIMIT 1", "%"+text+"%")) > 0 {
			found = append(found, column)
		}
	}
	slices.Sort(found)
	return found
}

// rows returns the first column of every row.
func rows(tb testing.TB, db *sql.DB, query string, args ...any) (list []string) {
	tb.Helper()
	result, err := db.QueryContext(tb.Context(), query, args...)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = result.Close() }()
	for result.Next() {
		var value string
		if err := result.Scan(&value); err != nil {
			tb.Fatal(err)
		}
		list = append(list, value)
	}
	if err := result.Err(); err != nil {
		tb.Fatal(err)
	}
	return list
}
