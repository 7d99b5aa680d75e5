package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/errgroup"
)

const (
	parallelLogins = 100
	// maxAgain is how often in a row a sign-in may be refused as busy before the
	// bench fails.
	maxAgain = 100
	// pace is the pause between two pages while others sign in.
	pace = 20 * time.Millisecond
)

// signingIn returns a visit that signs a person in. After a 503 (busy) it tries
// again after a pause; refused counts how often.
func signingIn(ctx context.Context, wait time.Duration, refused *atomic.Int64) func(*browser) error {
	return func(b *browser) error {
		for range maxAgain {
			clear(b.cookies)
			a, err := b.do("/login", signInForm(b.name))
			if err != nil || a.StatusCode != http.StatusServiceUnavailable {
				return errors.Join(err, b.wantTokens(a))
			}
			refused.Add(1)
			if err := pause(ctx, wait); err != nil {
				return err
			}
		}
		return fmt.Errorf("POST /login: 503 %d times in a row", maxAgain)
	}
}

// loginPost measures sign-ins against the bare hash, in turn. Nearly all of a
// sign-in is the hash, so the hash is its floor.
func (b *bench) loginPost(ctx context.Context, db database) error {
	return b.withPortal(ctx, db, b.connections, func(portal *server, people []*browser) error {
		var refused atomic.Int64
		visit, cpu := signingIn(ctx, 0, &refused), b.cpuOf(portal, db)
		if _, err := drive(ctx, people, visit, 0, b.warmUp, cpu); err != nil {
			return err
		}
		var rounds []round
		hashes := 0.0
		for range b.rounds {
			hashes += bareHashes(ctx, b.roundTime) / float64(b.rounds)
			r, err := quietly(func() (round, error) { return drive(ctx, people, visit, 0, b.roundTime, cpu) })
			if err != nil {
				return err
			}
			rounds = append(rounds, r)
		}
		f, err := sum(rounds...)
		if err != nil {
			return err
		}
		s := share(f.perSecond / hashes)
		b.report.add("Signing in", "database | sign-ins/s | bare hashes/s | share | p50 | p99 | 503 | CPU s per 10,000",
			db.name, fmt.Sprintf("%.1f", f.perSecond), fmt.Sprintf("%.1f", hashes), s, f.p50, f.p99, refused.Load(), int(f.cpu10k))
		check(&b.report, "`POST /login` on "+db.name, "share of the bare hash", s, least, 0.75)
		return nil
	})
}

// quietly runs f with a single thread for the driver, which is enough for the few
// responses to sign-ins. More threads would compete with the hashes for the cores.
func quietly(f func() (round, error)) (round, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return f()
}

// bareHashes returns how many password hashes per second all cores compute without
// any other work, with the portal's costs.
func bareHashes(ctx context.Context, duration time.Duration) float64 {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var total atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for ctx.Err() == nil {
				argon2.IDKey([]byte(password), []byte("sixteen bytes :)"), 2, 19456, 1, 32)
				total.Add(1)
			}
		})
	}
	group.Wait()
	return float64(total.Load()) / time.Since(start).Seconds()
}

// pageWhileBusy measures how long two people who ask for the profile page now
// and then wait while 8 others sign in without pause.
func (b *bench) pageWhileBusy(ctx context.Context, db database) error {
	return b.withPortal(ctx, db, b.connections+2, func(portal *server, people []*browser) error {
		duration := time.Duration(b.rounds) * b.roundTime
		r, err := quietly(func() (r round, err error) {
			var group errgroup.Group
			group.Go(func() error {
				_, err := drive(ctx, people[2:], signingIn(ctx, 0, new(atomic.Int64)), 0, duration+b.warmUp, portal.cpu)
				return err
			})
			r, err = drive(ctx, people[:2], work{path: "/profile"}.visit, pace, duration, portal.cpu)
			return r, errors.Join(err, group.Wait())
		})
		if err != nil {
			return err
		}
		const name = "`GET /profile` while 8 connections sign in"
		p99 := percentile(r.latencies, 99)
		b.report.add(name, "database | requests | p50 | p99 | max", db.name, len(r.latencies), percentile(r.latencies, 50), p99, slices.Max(r.latencies))
		check(&b.report, name+", "+db.name, "p99", p99, most, 60*time.Millisecond)
		return nil
	})
}

// memoryOfLogins measures the memory of an idle portal on a database in use, then
// lets 100 people sign in at the same time, and measures its peak memory and the
// memory afterwards. Everyone gets in: after a 503 (queue full) they try again.
func (b *bench) memoryOfLogins(ctx context.Context, db database) error {
	var people []*browser
	if err := b.withPortal(ctx, db, b.connections, func(_ *server, p []*browser) error { people = p; return nil }); err != nil {
		return err
	}
	return b.withPortal(ctx, db, 0, func(portal *server, _ []*browser) error {
		err := errors.Join(pause(ctx, b.quiet), forgetPeak(portal.pid))
		idle, _, err2 := memory(portal.pid)
		if err := errors.Join(err, err2, b.reportMemory(fmt.Sprintf("idle, %v after the start", b.quiet), db, portal)); err != nil {
			return err
		}
		var refused atomic.Int64
		var group errgroup.Group
		for i := range parallelLogins {
			group.Go(func() error {
				p := newBrowser(portal.addr)
				defer p.client.CloseIdleConnections()
				p.name = people[i%len(people)].name
				return signingIn(ctx, 200*time.Millisecond, &refused)(p)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		_, peak, err := memory(portal.pid)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%d parallel sign-ins", parallelLogins)
		check(&b.report, "idle on "+db.name, "resident memory", idle, most, 40<<20)
		check(&b.report, name+" on "+db.name, "added resident memory", peak-idle, most, 250<<20)
		err = pause(ctx, b.quiet)
		return errors.Join(err, b.reportMemory(fmt.Sprintf("%v after %s (%d times 503, asked again)", b.quiet, name, refused.Load()), db, portal))
	})
}

func (b *bench) reportMemory(when string, db database, portal *server) error {
	resident, peak, err := memory(portal.pid)
	b.report.add("Memory of the portal", "when | database | resident | peak", when, db.name, resident, peak)
	return err
}
