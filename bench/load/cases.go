package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

const (
	sqliteName   = "SQLite"
	postgresName = "PostgreSQL"
)

// benchCase is one thing to measure.
type benchCase struct {
	name string
	run  func(b *bench, ctx context.Context, db database) error
	once bool // on the first database only: it has nothing to do with one
}

// allCases are the cases in the order they run.
func allCases() []benchCase {
	return []benchCase{
		{"login-page", (*bench).loginPage, true},
		{"password-page", (*bench).passwordPage, false},
		{"profile", (*bench).profilePage, false},
		{"rotation", (*bench).rotatingPage, false},
		{"forward-auth", (*bench).forwardAuth, false},
		{"users-me", (*bench).usersMe, false},
		{"introspect", (*bench).introspect, false},
		{"token-refresh", (*bench).tokenRefresh, false},
		{"login", (*bench).loginPost, false},
		{"busy", (*bench).pageWhileBusy, false},
		{"memory", (*bench).memoryOfLogins, false},
		{"idle", (*bench).idleMemory, false},
		{"startup", (*bench).startUp, false},
		{"bytes", (*bench).loginPageBytes, true},
		{"list", (*bench).userList, false},
	}
}

func caseNames() []string {
	var names []string
	for _, c := range allCases() {
		names = append(names, c.name)
	}
	return names
}

// cases runs every case that is wanted on every database, each on a database
// of its own.
func (b *bench) cases(ctx context.Context, databases []string) error {
	for i, name := range databases {
		for _, c := range allCases() {
			if len(b.only) > 0 && !slices.Contains(b.only, c.name) || c.once && i > 0 {
				continue
			}
			say("%s on %s", c.name, name)
			if err := b.one(ctx, c, name); err != nil {
				return fmt.Errorf("%s on %s: %w", c.name, name, err)
			}
		}
	}
	return nil
}

func (b *bench) one(ctx context.Context, c benchCase, name string) error {
	db, drop, err := b.emptyDatabase(ctx, name)
	if err != nil {
		return err
	}
	defer drop()
	return c.run(b, ctx, db)
}

// emptyDatabase makes a database without a schema; the portal migrates it.
func (b *bench) emptyDatabase(ctx context.Context, name string) (db database, drop func(), err error) {
	if name == postgresName {
		url, drop, err := b.postgres.create(ctx, newName("bench"))
		return database{name: name, url: url, cpu: b.postgres.cpu}, drop, err
	}
	path := filepath.Join(b.dir, newName("bench")+".db")
	return database{name: name, url: "sqlite:" + path}, func() { removeSQLite(path) }, nil
}
