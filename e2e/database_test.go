package e2e

import (
	"context"
	"database/sql"
	"strings"
)

// sqliteFile returns the path of the portal's database, and whether it is SQLite.
func (p *portal) sqliteFile() (path string, isSQLite bool) {
	return strings.CutPrefix(p.database, "sqlite:")
}

// open connects to the portal's database directly, as an operator could. Package
// models registers the drivers.
func (p *portal) open() *sql.DB {
	p.t.Helper()
	driver, source := "pgx", p.database
	if path, isSQLite := p.sqliteFile(); isSQLite {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = db.Close() })
	return db
}

// execute runs a statement on the portal's database while the portal runs.
func (p *portal) execute(statement string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if _, err := p.open().ExecContext(ctx, statement); err != nil {
		p.t.Fatalf("%s: %v", statement, err)
	}
}

// lockTables locks the tables that sign-in and every signed-in request read,
// until the end of the test.
func (p *portal) lockTables() {
	p.t.Helper()
	tx, err := p.open().BeginTx(p.t.Context(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := tx.ExecContext(p.t.Context(), "LOCK TABLE users, sessions, login_attempts"); err != nil {
		p.t.Fatal(err)
	}
}
