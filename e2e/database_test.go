package e2e

import (
	"context"
	"database/sql"
	"strings"
)

// sqliteFile is the path of the portal's database, if that is SQLite.
func (p *portal) sqliteFile() (path string, isSQLite bool) {
	return strings.CutPrefix(p.database, "sqlite:")
}

// open connects to the portal's database beside it, as its operator may. The
// drivers are those of package models.
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

// execute changes the portal's database behind its back.
func (p *portal) execute(statement string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if _, err := p.open().ExecContext(ctx, statement); err != nil {
		p.t.Fatalf("%s: %v", statement, err)
	}
}

// lockTables takes what every request of somebody who is signed in, or wants
// to be, has to read, until the end of the test.
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
