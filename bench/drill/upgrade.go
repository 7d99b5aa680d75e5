package main

import (
	"context"
	"database/sql"
	"errors"
	"os/exec"
	"strings"
	"time"

	"latchkey/internal/previous"
)

// upgrade starts the program beside the one from before the newest migration, while
// a reader has read every table and stays.
func upgrade(ctx context.Context, s *stage) error {
	program, err := s.earlierProgram(ctx)
	if err != nil {
		return err
	}
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	old, err := s.newPortal(url, "")
	if err != nil {
		return err
	}
	old.program = program.Path
	if err := old.start(ctx); err != nil {
		return err
	}
	c, err := s.gather(ctx, old.addr, old.addr)
	if err != nil {
		return err
	}
	release, err := readEverything(ctx, url)
	if err != nil {
		return err
	}
	p, err := s.newPortal(url, old.addr)
	if err != nil {
		return err
	}
	if err := p.launch(); err != nil {
		return err
	}
	start := time.Now()
	err = until(ctx, 20*time.Second, "the new program is ready", func() bool { return !p.runs() || ready(ctx, p.addr) == 200 })
	with := "with the reader"
	if err == nil && p.runs() { // both versions serve while the reader stays
		c.use(old.addr, p.addr)
		err = pause(ctx, 5*time.Second)
	} else if p.runs() {
		with, err = "after the reader ended", nil
	}
	if err = errors.Join(err, release()); err != nil {
		return err
	}
	if err := p.waitReady(ctx); err != nil {
		return err
	}
	s.fact("before is %.9s, the new program was ready after %s, %s", program.Commit, seconds(time.Since(start)), with)
	c.use(old.addr, p.addr)
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	c.use(p.addr)
	if err := pause(ctx, 3*time.Second); err != nil {
		return err
	}
	if _, err := old.stop(); err != nil {
		s.broken("the program before: %v", err)
	}
	return s.conclude(ctx, c, p, true)
}

// earlierProgram builds the program from before the newest migration.
func (s *stage) earlierProgram(ctx context.Context) (*previous.Program, error) {
	program, err := previous.Build(ctx, s.source, s.dir)
	if errors.Is(err, previous.ErrNoHistory) || errors.Is(err, exec.ErrNotFound) {
		return nil, cannotRun{err.Error()}
	}
	return program, err
}

// openDatabase opens a database as another program.
func openDatabase(url string) (db *sql.DB, tables string, err error) {
	if path, isSQLite := strings.CutPrefix(url, "sqlite:"); isSQLite {
		db, err = sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(10000)")
		return db, "SELECT name FROM sqlite_master WHERE type = 'table'", err
	}
	db, err = sql.Open("pgx", url)
	return db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", err
}

// readEverything reads every table in one transaction, as a backup does, and keeps
// it open until release is called.
func readEverything(ctx context.Context, url string) (release func() error, err error) {
	db, list, err := openDatabase(url)
	if err != nil {
		return nil, err
	}
	options := &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	if strings.HasPrefix(url, "sqlite:") {
		options = nil
	}
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	release = func() error { return errors.Join(tx.Rollback(), db.Close()) }
	tables, err := names(ctx, tx, list)
	for _, table := range tables {
		var n int
		err = errors.Join(err, tx.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n))
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

// names returns the first column of every row.
func names(ctx context.Context, tx *sql.Tx, query string) (list []string, err error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
