package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"latchkey/bench/seed"
	passwords "latchkey/internal/auth/password"
	"latchkey/models"
)

// database is the database of the portal during a case.
type database struct {
	name string // SQLite or PostgreSQL
	url  string
}

// adminName is the username of the admin, who opens the list of users.
const adminName = "bench-admin"

// postgresSettings are the settings of a server in production: commits survive a
// power cut. Everything else has PostgreSQL's defaults.
func postgresSettings() []string {
	return []string{"fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on", "shared_buffers=256MB"}
}

// newDatabase creates a database that has only the admin.
func (b *bench) newDatabase(ctx context.Context, name string) (db database, drop func(), err error) {
	unique := "bench_" + strings.ToLower(rand.Text())
	if name == sqliteName {
		path := filepath.Join(b.dir, unique+".db")
		db = database{name, "sqlite:" + path}
		return db, func() { _ = os.Remove(path) }, prepare(ctx, db)
	}
	if err := b.execute(ctx, "CREATE DATABASE "+unique+" TEMPLATE template0"); err != nil {
		return db, nil, err
	}
	drop = func() {
		if err := b.execute(context.WithoutCancel(ctx), "DROP DATABASE "+unique+" WITH (FORCE)"); err != nil {
			say("%v", err)
		}
	}
	u := *b.postgres.URL
	u.Path = "/" + unique
	db = database{name, u.String()}
	return db, drop, prepare(ctx, db)
}

// execute runs a statement on the PostgreSQL server.
func (b *bench) execute(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, b.postgres.URL.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// fill adds made-up users to a new database.
func (b *bench) fill(ctx context.Context, db database) error {
	say("making %d users", b.users)
	driver, dialect, source := "pgx", "postgres", db.url
	if db.name == sqliteName {
		driver, dialect = "sqlite", "sqlite"
		source = "file:" + strings.TrimPrefix(db.url, "sqlite:") + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	}
	pool, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	err = errors.Join(seed.Users(ctx, pool, dialect, b.users), pool.Close())
	if db.name == postgresName {
		err = errors.Join(err, b.execute(ctx, "CHECKPOINT")) // not while pages are timed
	}
	return err
}

// serviceToken is the admin's personal access token for introspection.
const serviceToken = "lk_benchbenchbenchbenchbenchbenchbenchbenchbenchbenchb2"

// prepare migrates an empty database and adds the admin with the token.
func prepare(ctx context.Context, db database) error {
	hash, err := passwords.NewHasher(passwords.HasherOptions{}).Hash(ctx, password)
	if err != nil {
		return err
	}
	store, err := models.Open(ctx, models.Options{URL: db.url})
	if err != nil {
		return err
	}
	now := models.At(time.Now())
	admin := models.User{
		ID: models.NewID(), Username: adminName, Email: adminName + "@example.org", FullName: "Bench Admin",
		PasswordHash: hash, PasswordChangedAt: now, Role: models.RoleAdmin, CreatedAt: now, UpdatedAt: now,
	}
	if err = store.Migrate(ctx); err == nil {
		err = store.Users.Create(ctx, &admin)
	}
	if err == nil {
		err = store.PersonalTokens.Create(ctx, &models.PersonalToken{
			ID: models.NewID(), UserID: admin.ID, Name: "bench", TokenHash: models.HashToken(serviceToken), Hint: "nchb",
			Scope: "introspect", CreatedAt: now, ExpiresAt: models.At(now.Time().Add(24 * time.Hour)),
		})
	}
	return errors.Join(err, store.Close())
}
