package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"latchkey/bench/seed"
	passwords "latchkey/internal/auth/password"
	"latchkey/migrations"
	"latchkey/models"
)

// adminName is who looks at the list.
const adminName = "bench-admin"

// bigDatabase returns a database with many users, made by the real migrations
// and kept between runs. Its name holds a hash of the migrations: a change of
// the schema makes a new one and takes the old ones away.
func (b *bench) bigDatabase(ctx context.Context, name string) (database, error) {
	stem, err := bigName(name, b.users)
	if err != nil {
		return database{}, err
	}
	if name == postgresName {
		return b.bigPostgres(ctx, stem)
	}
	return b.bigSQLite(ctx, stem)
}

// bigStem begins the names of all databases with that many users.
func bigStem(users int) string { return fmt.Sprintf("users_%d_", users) }

func bigName(database string, users int) (string, error) {
	folder := "sqlite"
	if database == postgresName {
		folder = "postgres"
	}
	files, err := fs.Glob(migrations.Files, folder+"/*.sql")
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, file := range files {
		text, err := fs.ReadFile(migrations.Files, file)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(hash, "%s %d\n%s", file, len(text), text)
	}
	return bigStem(users) + hex.EncodeToString(hash.Sum(nil)[:6]), nil
}

// bigSQLite makes the file under another name first: one that was left
// half-way is never taken for a whole one.
func (b *bench) bigSQLite(ctx context.Context, stem string) (database, error) {
	path := filepath.Join(b.cache, stem+".db")
	db := database{name: sqliteName, url: "sqlite:" + path}
	if _, err := os.Stat(path); err == nil {
		return db, nil
	}
	if err := os.MkdirAll(b.cache, 0o700); err != nil {
		return db, err
	}
	old, err := filepath.Glob(filepath.Join(b.cache, bigStem(b.users)+"*"))
	if err != nil {
		return db, err
	}
	for _, file := range old {
		_ = os.Remove(file)
	}
	making := filepath.Join(b.cache, bigStem(b.users)+"making.db")
	url := "file:" + making + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	if err := b.seed(ctx, database{name: sqliteName, url: "sqlite:" + making}, "sqlite", url); err != nil {
		return db, err
	}
	_ = os.Remove(making + ".lock")
	return db, os.Rename(making, path)
}

func (b *bench) bigPostgres(ctx context.Context, stem string) (database, error) {
	db := database{name: postgresName, url: b.postgres.url(stem), cpu: b.postgres.cpu}
	if there, err := b.postgres.has(ctx, stem); err != nil || there {
		return db, err
	}
	if err := b.postgres.dropAll(ctx, bigStem(b.users)); err != nil {
		return db, err
	}
	making := bigStem(b.users) + "making"
	url, _, err := b.postgres.create(ctx, making)
	if err != nil {
		return db, err
	}
	if err := b.seed(ctx, database{name: postgresName, url: url}, "pgx", url); err != nil {
		return db, err
	}
	if err := b.postgres.rename(ctx, making, stem); err != nil {
		return db, err
	}
	return db, b.postgres.execute(ctx, "CHECKPOINT") // not while pages are timed
}

// seed migrates a database, fills it and adds the admin.
func (b *bench) seed(ctx context.Context, db database, driver, driverURL string) error {
	say("making %d users on %s; they are kept in %s", b.users, db.name, b.cache)
	store, err := models.Open(ctx, models.Options{URL: db.url})
	if err != nil {
		return err
	}
	err = store.Migrate(ctx)
	if err == nil {
		err = fillUsers(ctx, driver, driverURL, store.Dialect(), b.users)
	}
	if err == nil {
		err = addAdmin(ctx, store)
	}
	return errors.Join(err, store.Close())
}

func fillUsers(ctx context.Context, driver, url, dialect string, n int) error {
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	return errors.Join(seed.Users(ctx, db, dialect, n), db.Close())
}

func addAdmin(ctx context.Context, store *models.Store) error {
	hash, err := passwords.NewHasher(passwords.HasherOptions{}).Hash(ctx, password)
	if err != nil {
		return err
	}
	now := models.At(time.Now())
	return store.Users.Create(ctx, &models.User{
		ID: models.NewID(), Username: adminName, Email: adminName + "@example.org", FullName: "Bench Admin",
		PasswordHash: hash, PasswordChangedAt: now, Role: models.RoleAdmin, CreatedAt: now, UpdatedAt: now,
	})
}

// searches are what is searched for.
type searches struct {
	letter   string // begins about a tenth of all usernames
	username string // of one person
	family   string // begins some hundred usernames
	fullName string // part of many full names
}

// choose looks into a big database for searches that find many and few.
func choose(ctx context.Context, db database) (searches, error) {
	driver, url := "sqlite", "file:"+strings.TrimPrefix(db.url, "sqlite:")+"?mode=ro"
	if db.name == postgresName {
		driver, url = "pgx", db.url
	}
	pool, err := sql.Open(driver, url)
	if err != nil {
		return searches{}, err
	}
	p, err := chooseFrom(ctx, pool)
	return p, errors.Join(err, pool.Close())
}

func chooseFrom(ctx context.Context, pool *sql.DB) (p searches, err error) {
	var total int
	if err := pool.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&total); err != nil {
		return p, err
	}
	best := total
	for letter := 'a'; letter <= 'z'; letter++ {
		n, err := countPrefix(ctx, pool, string(letter))
		if err != nil {
			return p, err
		}
		if distance := max(n-total/10, total/10-n); distance < best {
			best, p.letter = distance, string(letter)
		}
	}
	err = pool.QueryRowContext(ctx, fmt.Sprintf(
		"SELECT username, full_name FROM users WHERE username LIKE '%%.%%' ORDER BY username LIMIT 1 OFFSET %d", total*2/5)).Scan(&p.username, &p.fullName)
	if err != nil {
		return p, err
	}
	_, p.fullName, _ = strings.Cut(p.fullName, " ")
	for p.family = p.username; len(p.family) > 1; p.family = p.family[:len(p.family)-1] {
		n, err := countPrefix(ctx, pool, p.family)
		if err != nil || n >= 120 {
			return p, err
		}
	}
	return p, nil
}

func countPrefix(ctx context.Context, pool *sql.DB, prefix string) (n int, err error) {
	end := prefix[:len(prefix)-1] + string(rune(prefix[len(prefix)-1]+1))
	err = pool.QueryRowContext(ctx, "SELECT count(*) FROM users WHERE username >= $1 AND username < $2", prefix, end).Scan(&n)
	return n, err
}
