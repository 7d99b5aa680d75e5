package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"time"
)

// disturb lets people use a portal on a database, disturbs the database and checks
// what they and /readyz saw.
func (s *stage) disturb(ctx context.Context, url string, disturbance func(*crowd) (span, error)) (*crowd, *portal, error) {
	p, err := s.startPortal(ctx, url, "")
	if err != nil {
		return nil, nil, err
	}
	c, err := s.gather(ctx, p.addr, p.addr)
	if err != nil {
		return nil, nil, err
	}
	s.watch(ctx, p.addr)
	if err := pause(ctx, either(s, 3*time.Second, time.Second)); err != nil {
		return nil, nil, err
	}
	d, err := disturbance(c)
	if err != nil {
		return nil, nil, err
	}
	if !d.from.IsZero() {
		s.fact("disturbed for %s", seconds(d.to.Sub(d.from)))
	}
	before := c.tally.served()
	if err := until(ctx, either(s, 30*time.Second, 2*time.Minute), "people are served again", func() bool { return c.tally.served() > before+5*s.people }); err != nil {
		s.broken("%v", err)
	}
	_ = until(ctx, 2*s.allowed(backWithin), "/readyz returns 200", func() bool { return s.probe.latest() == http.StatusOK }) // judged below
	if err := pause(ctx, either(s, 4*time.Second, time.Second)); err != nil {
		return nil, nil, err
	}
	s.probe.end()
	s.probe.judge(s, d)
	return c, p, nil
}

// hold keeps a disturbance up. In a short drill a busy machine may need longer until
// /readyz says 503.
func (s *stage) hold(ctx context.Context, whole, short time.Duration) error {
	err := pause(ctx, either(s, whole, short))
	if s.short && err == nil {
		_ = until(ctx, s.allowed(noticesIn), "/readyz returns 503", func() bool { return s.probe.latest() == http.StatusServiceUnavailable }) // judged later
	}
	return err
}

// outage is a disturbance of a database after which people are served again without
// a restart.
func (s *stage) outage(ctx context.Context, url string, disturbance func(*crowd) (span, error)) error {
	c, p, err := s.disturb(ctx, url, disturbance)
	if err != nil {
		return err
	}
	return s.conclude(ctx, c, p, true)
}

// stopped stops PostgreSQL for some seconds.
func stopped(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	return s.outage(ctx, url, func(*crowd) (d span, err error) {
		d.from = time.Now()
		if err := s.postgres.Halt(); err != nil {
			return d, err
		}
		err = s.hold(ctx, 10*time.Second, 4*time.Second)
		d.to = time.Now()
		err = errors.Join(err, s.postgres.Resume())
		d.works = time.Now()
		return d, err
	})
}

// stalled makes the database answer nothing, or take no writes, for some seconds.
func stalled(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	return s.outage(ctx, url, func(*crowd) (d span, err error) {
		stall := func() (func() error, error) { return freeze(s.postgres.PID) }
		if s.database == sqliteName {
			stall = func() (func() error, error) { return lockSQLite(ctx, url) }
		}
		release, err := stall()
		if err != nil {
			return d, err
		}
		d.from = time.Now()
		err = s.hold(ctx, 20*time.Second, 7*time.Second)
		d.to = time.Now()
		return d, errors.Join(err, release())
	})
}

// slow makes the database slow for some seconds.
func slow(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	w, url, err := s.wire(url)
	if err != nil {
		return err
	}
	return s.outage(ctx, url, func(*crowd) (d span, err error) {
		end := time.Now().Add(15 * time.Second)
		if s.database == postgresName {
			w.delay(50 * time.Millisecond)
			err = pause(ctx, time.Until(end))
			w.delay(0)
			return d, err
		}
		for time.Now().Before(end) && err == nil {
			release, failed := lockSQLite(ctx, url)
			if failed != nil {
				return d, failed
			}
			err = errors.Join(pause(ctx, 400*time.Millisecond), release(), pause(ctx, 100*time.Millisecond))
		}
		return d, err
	})
}

// cut breaks the network between the portal and PostgreSQL in three ways.
func cut(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	w, url, err := s.wire(url)
	if err != nil {
		return err
	}
	return s.outage(ctx, url, func(*crowd) (d span, err error) {
		for range 10 {
			w.reset()
			if err := pause(ctx, 300*time.Millisecond); err != nil {
				return d, err
			}
		}
		d.from = time.Now()
		w.refuse(true)
		err = pause(ctx, 5*time.Second)
		w.drop(true)
		w.refuse(false)
		err = errors.Join(err, pause(ctx, 10*time.Second))
		d.to = time.Now()
		w.drop(false)
		return d, err
	})
}

// lockSQLite takes the write lock of a database file until release is called.
func lockSQLite(ctx context.Context, url string) (release func() error, err error) {
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?mode=rw&_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}
