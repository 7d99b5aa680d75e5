// Package seed fills a migrated database with made-up users, for measurements
// on large databases.
//
// It decides the data of these users: the same n always gives the same people on
// both engines. Package bench decides what to measure with them.
package seed

import (
	"context"
	"database/sql"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"latchkey/models"
)

const (
	admins       = 50 // of all users; all of them active
	disabledIn   = 100
	neverIn      = 5
	invitedIn    = 100
	wholeIn      = 40 // one in so many has a name of wholeNames
	ageOfOldest  = 3 * 365 * 24 * time.Hour
	shareOfLogin = 64 // sign-ins fall on so few instants per day that some coincide
)

// epoch is the instant the newest user was created, fixed so that two runs
// agree.
var epoch = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

// columns are the columns that a seeded row sets; the others have the defaults
// of the schema.
var columns = []string{
	"id", "username", "email", "email_folded", "full_name", "password_hash", "password_changed_at",
	"role", "disabled_at", "disabled_reason", "last_sign_in_at", "created_at", "updated_at", "search",
}

// Users inserts n made-up users into the empty table users of db, whose
// dialect is "sqlite" or "postgres", and gathers the planner's statistics. On
// PostgreSQL db must be a pool of pgx's. All of them are inserted, or none.
//
// One in a hundred is disabled, another one is invited, up to fifty are admins, and
// one in five has never signed in. None of them can sign in, because they have no
// passwords.
func Users(ctx context.Context, db *sql.DB, dialect string, n int) error {
	insert := insertSQLite
	if dialect == "postgres" {
		insert = copyPostgres
	}
	if err := insert(ctx, db, newPeople(n)); err != nil {
		return fmt.Errorf("seed %d users: %w", n, err)
	}
	// VACUUM also merges what the name index has pending and marks the pages
	// an index-only scan need not visit.
	after := "ANALYZE"
	if dialect == "postgres" {
		after = "VACUUM ANALYZE users"
	}
	if _, err := db.ExecContext(ctx, after); err != nil {
		return fmt.Errorf("%s: %w", after, err)
	}
	return nil
}

// copyPostgres sends the users by COPY.
func copyPostgres(ctx context.Context, db *sql.DB, p *people) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the connection is a %T, not one of pgx", driver)
		}
		source := pgx.CopyFromFunc(func() ([]any, error) { return p.next(), nil })
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{"users"}, columns, source)
		return err
	})
}

// insertSQLite inserts the users with one prepared statement in one transaction, with
// enough memory for the indexes, which are written in random order.
func insertSQLite(ctx context.Context, db *sql.DB, p *people) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA cache_size = -1000000"); err != nil { // KiB
		return err
	}
	if err := insertAll(ctx, conn, p); err != nil {
		return err
	}
	// The log of such a long transaction is as large as the database.
	_, err = conn.ExecContext(ctx, "PRAGMA cache_size = -2000; PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

func insertAll(ctx context.Context, conn *sql.Conn, p *people) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // without effect after Commit
	insert, err := tx.PrepareContext(ctx, fmt.Sprintf("INSERT INTO users (%s) VALUES (?%s)",
		strings.Join(columns, ", "), strings.Repeat(", ?", len(columns)-1)))
	if err != nil {
		return err
	}
	defer insert.Close()
	for row := p.next(); row != nil; row = p.next() {
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// people generates users one after the other.
type people struct {
	n, made int
	random  *rand.Rand
	fold    map[string]string // foldings of names, which are few
}

func newPeople(n int) *people {
	return &people{n: n, random: rand.New(rand.NewPCG(2, 20260601)), fold: map[string]string{}}
}

// next returns the values of the next user in the order of columns, and nil
// when all have been made.
func (p *people) next() []any {
	if p.made == p.n {
		return nil
	}
	i := p.made
	p.made++
	first, last := firstNames[p.random.IntN(len(firstNames))], lastNames[p.random.IntN(len(lastNames))]
	name, number := first+" "+last, strconv.Itoa(i)
	if i%wholeIn == 7 {
		name = wholeNames[p.random.IntN(len(wholeNames))]
	}
	username := p.handle(first) + "." + p.handle(last) + number
	// Some usernames are unrelated to the name.
	if i%7 == 3 {
		username = "u" + number
	}
	local := first + "." + last + number
	if p.random.IntN(3) == 0 {
		local = last + number
	}
	email := p.asTyped(local) + "@" + domains[p.random.IntN(len(domains))]
	created := epoch.Add(-time.Duration(p.random.Int64N(int64(ageOfOldest))))
	role, disabled, reason := "user", int64(0), ""
	switch {
	case i%max(1, p.n/admins) == 0:
		role = "admin"
	case i%disabledIn == 42:
		disabled, reason = p.between(created).UnixMicro(), "left the company"
	}
	lastSignIn, passwordSet := int64(0), created.UnixMicro()
	if i%invitedIn == 23 {
		passwordSet = 0
	}
	if p.random.IntN(neverIn) != 0 {
		lastSignIn = p.between(created).Truncate(24 * time.Hour / shareOfLogin).UnixMicro()
	}
	at := created.UnixMicro()
	return []any{p.id(), username, email, models.FoldEmail(email), name, "", passwordSet, role, disabled, reason, lastSignIn, at, at, models.SearchText(username, email, name)}
}

// between returns an instant from t to epoch.
func (p *people) between(t time.Time) time.Time {
	return t.Add(time.Duration(p.random.Int64N(int64(epoch.Sub(t)) + 1)))
}

// id returns an id like models.NewID, from the seeded random numbers.
func (p *people) id() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], p.random.Uint64())
	binary.LittleEndian.PutUint64(b[8:], p.random.Uint64())
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// asTyped returns s with the letters an address can have, its capitals kept in
// one case of four.
func (p *people) asTyped(s string) string {
	if p.random.IntN(4) != 0 {
		return p.handle(s)
	}
	return plain(s)
}

// handle returns s as part of a username.
func (p *people) handle(s string) string {
	if folded, ok := p.fold[s]; ok {
		return folded
	}
	folded := strings.ToLower(plain(s))
	if len(p.fold) < 1000 {
		p.fold[s] = folded
	}
	return folded
}

// plain replaces some letters by the nearest ASCII letter and drops all other
// characters but ASCII letters, digits and marks.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if near, ok := nearest[r]; ok {
			return near
		}
		if r > unicode.MaxASCII || r == ' ' || r == '\'' {
			return -1
		}
		return r
	}, s)
}

var nearest = map[rune]rune{
	'á': 'a', 'ç': 'c', 'é': 'e', 'É': 'E', 'í': 'i', 'ı': 'i', 'Ł': 'L', 'ó': 'o', 'Ó': 'O', 'ö': 'o', 'Ö': 'O',
	'ø': 'o', 'ã': 'a', 'ü': 'u', 'Ü': 'U', 'Ž': 'Z', 'ż': 'z',
}
