package main

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"latchkey/bench/seed"
)

// copyBoth copies a large database to one of the other kind, lets people go on
// there, and copies it back.
func copyBoth(ctx context.Context, s *stage) error {
	other := postgresName
	if s.database == postgresName {
		other = sqliteName
	}
	first, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	p, err := s.startPortal(ctx, first, "")
	if err != nil {
		return err
	}
	if err := fillDatabase(ctx, first, s.users); err != nil {
		return err
	}
	c, err := s.gather(ctx, p.addr, p.addr)
	if err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := s.copyRunning(ctx, first, other); err != nil {
		return err
	}
	c.disperse()
	if _, err := p.stop(); err != nil {
		return err
	}
	second, err := s.copyTo(ctx, first, other)
	if err != nil {
		return err
	}
	if err := s.goOn(ctx, c, second, p); err != nil {
		return err
	}
	third, err := s.copyTo(ctx, second, s.database)
	if err != nil {
		return err
	}
	if err := s.goOn(ctx, c, third, p); err != nil {
		return err
	}
	s.keptPromises(c.tally)
	return ctx.Err()
}

// fillDatabase adds made-up users.
func fillDatabase(ctx context.Context, url string, n int) error {
	db, _, err := openDatabase(url)
	if err != nil {
		return err
	}
	dialect := "postgres"
	if strings.HasPrefix(url, "sqlite:") {
		dialect = "sqlite"
	}
	say("making %d users", n)
	return errors.Join(seed.Users(ctx, db, dialect, n), db.Close())
}

// copyRunning tries a copy while the server runs. It must either refuse, or keep the
// promises to the people.
func (s *stage) copyRunning(ctx context.Context, from, kind string) error {
	to, err := s.newDatabaseOf(ctx, kind, s.dir)
	if err != nil {
		return err
	}
	code, output, took := s.command(ctx, from, "copy", "--to", s.argument(to))
	if code == 0 {
		s.fact("a copy while people used the portal took %s", seconds(took))
		return nil
	}
	s.fact("a copy while the server runs is refused: %s", output)
	if code != 1 || strings.Count(output, "\n") > 0 {
		s.broken("a copy while the server runs ended with code %d: %s", code, output)
	}
	return nil
}

// copyTo copies a database into an empty one, and checks that a second copy into it
// is refused.
func (s *stage) copyTo(ctx context.Context, from, kind string) (to string, err error) {
	if to, err = s.newDatabaseOf(ctx, kind, s.dir); err != nil {
		return "", err
	}
	took, err := s.must(ctx, from, "copy", "--to", s.argument(to))
	if err != nil {
		return "", err
	}
	users, err := countUsers(ctx, from)
	if err != nil {
		return "", err
	}
	copied, err := countUsers(ctx, to)
	if err != nil {
		return "", err
	}
	s.fact("%d users copied to %s in %s", copied, kind, seconds(took))
	if users != copied {
		s.broken("%d users became %d on %s", users, copied, kind)
	}
	if code, output, _ := s.command(ctx, from, "copy", "--to", s.argument(to)); code != 1 {
		s.broken("a second copy into the same database ended with code %d, not 1: %s", code, output)
	}
	return to, nil
}

// argument returns a database URL as an argument: without its password, which
// commands then find in their environment.
func (s *stage) argument(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil || u.User == nil {
		return databaseURL
	}
	password, _ := u.User.Password()
	u.User, s.variables = url.User(u.User.Username()), []string{"PGPASSWORD=" + password}
	return u.String()
}

func countUsers(ctx context.Context, url string) (n int, err error) {
	db, _, err := openDatabase(url)
	if err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&n)
	return n, errors.Join(err, db.Close())
}

// goOn starts a portal on the copy and checks that everybody is still signed in.
func (s *stage) goOn(ctx context.Context, c *crowd, url string, before *portal) error {
	p, err := s.startPortal(ctx, url, before.addr)
	if err != nil {
		return err
	}
	s.verify(ctx, c, p.addr, c.host)
	_, err = p.stop()
	return err
}
