package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// backup makes backups while people use the portal, restores the last one into an
// empty database and compares it with what was acknowledged before it began.
func backup(ctx context.Context, s *stage) error {
	database, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	p, err := s.startPortal(ctx, database, "")
	if err != nil {
		return err
	}
	c, err := s.gather(ctx, p.addr, p.addr)
	if err != nil {
		return err
	}
	var file string
	var began, ended time.Time
	var slowest time.Duration
	for i := range 3 {
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
		file, began = filepath.Join(s.dir, fmt.Sprintf("backup-%d", i+1)), time.Now()
		took, err := s.must(ctx, database, "backup", file)
		if err != nil {
			return err
		}
		slowest, ended = max(slowest, took), time.Now()
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if code, _, _ := s.command(ctx, database, "backup", file); code != 1 {
		s.broken("a backup onto an existing file ended with code %d, not 1", code)
	}
	s.fact("3 backups under load, slowest %s, the last %d KiB", seconds(slowest), info.Size()>>10)
	c.disperse()
	known := c.since(began, ended)
	if err := s.conclude(ctx, c, p, true); err != nil {
		return err
	}
	if code, _, _ := s.command(ctx, database, "restore", file); code == 0 {
		s.broken("a restore while the server runs was not refused")
	}
	if _, err := p.stop(); err != nil {
		return err
	}
	return s.restore(ctx, c, file, known, p)
}

// restore restores a backup into an empty database and checks it.
func (s *stage) restore(ctx context.Context, c *crowd, file string, known []snapshot, before *portal) error {
	database, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	took, err := s.must(ctx, database, "restore", file)
	if err != nil {
		return err
	}
	p, err := s.startPortal(ctx, database, before.addr)
	if err != nil {
		return err
	}
	queue := make(chan snapshot)
	var group sync.WaitGroup
	var lost, alive atomic.Int64
	for range 4 {
		group.Go(func() {
			for one := range queue {
				if one.works(ctx, p.addr, c.host) {
					alive.Add(1)
				}
				if !one.signsIn(ctx, p.addr, c.host) {
					lost.Add(1)
				}
			}
		})
	}
	for _, one := range known {
		queue <- one
	}
	close(queue)
	group.Wait()
	s.fact("restored in %s, %d accounts from before the backup checked, %d lost", seconds(took), len(known), lost.Load())
	if lost.Load() > 0 {
		s.broken("%d accounts that the portal acknowledged before the backup are lost after the restore", lost.Load())
	}
	if alive.Load() > 0 {
		s.broken("%d sessions from before the restore work after it", alive.Load())
	}
	return ctx.Err()
}

// snapshot is what a backup has to know about somebody.
type snapshot struct {
	name      string
	passwords []string // one of them
	browser   *browser // with the cookies of now
}

// since returns the people who had an account when a backup began, with the passwords
// that they had until it ended.
func (c *crowd) since(began, ended time.Time) (list []snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.people {
		if p.gone || len(p.earlier) == 0 || p.earlier[0].from.After(began) {
			continue
		}
		one := snapshot{name: p.name, browser: p.copied(p.addr, p.host)}
		if len(p.passwords) > 1 {
			one.passwords = append(one.passwords, p.passwords[1:]...)
		}
		for i, password := range p.earlier {
			next := i+1 < len(p.earlier) && p.earlier[i+1].from.Before(began)
			if !next && password.from.Before(ended.Add(answerTimeout)) {
				one.passwords = append(one.passwords, password.password)
			}
		}
		list = append(list, one)
	}
	return list
}

// works reports whether the cookies still work.
func (o snapshot) works(ctx context.Context, addr, host string) bool {
	b := o.browser.copied(addr, host)
	defer b.client.CloseIdleConnections()
	return b.do(ctx, "/profile", nil).code == 200
}

// signsIn reports whether one of the passwords works.
func (o snapshot) signsIn(ctx context.Context, addr, host string) bool {
	b := newBrowser(addr, host, o.browser.ip)
	defer b.client.CloseIdleConnections()
	for range 20 {
		busy := false
		for _, password := range o.passwords {
			a := b.do(ctx, "/login", url.Values{"username": {o.name}, "password": {password}, "remember": {"on"}})
			if a.code == 303 {
				return true
			}
			busy = busy || a.code != 422
		}
		if !busy || pause(ctx, 200*time.Millisecond) != nil {
			return false
		}
	}
	return false
}
