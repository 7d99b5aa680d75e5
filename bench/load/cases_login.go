package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// loginRow is how fast people sign in.
type loginRow struct {
	database string
	logins   figures
	refused  int64   // answers 503: the queue was full, or the wait too long
	hashes   float64 // bare hashes for each second, on all cores
	share    float64
}

// maxAgain bounds how often in a row somebody may be told that the portal is
// busy before that is a failure.
const maxAgain = 10

// loginPost measures sign-ins against the bare hash, in turn. Nearly all of a
// sign-in is the hash, so the hash is its floor.
func (b *bench) loginPost(ctx context.Context, db database) error {
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	var refused atomic.Int64
	visitors, err := b.signingIn(portal.addr, &refused)
	if err != nil {
		return err
	}
	defer visitors.close()
	cpu := meter(portal.cpu)
	if db.cpu != nil {
		cpu = both(cpu, db.cpu)
	}
	if _, err := visitors.run(ctx, b.warmUp, cpu); err != nil {
		return err
	}
	var rounds []round
	var bare []float64
	for range b.rounds {
		bare = append(bare, bareHashes(ctx, b.roundTime))
		r, err := quietly(func() (round, error) { return visitors.run(ctx, b.roundTime, cpu) })
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
	}
	row := loginRow{database: db.name, refused: refused.Load()}
	if row.logins, err = sum(rounds); err != nil {
		return err
	}
	for _, n := range bare {
		row.hashes += n / float64(len(bare))
	}
	row.share = row.logins.PerSecond / row.hashes
	b.report.logins = append(b.report.logins, row)
	b.report.check("`POST /login` on "+db.name, "share of the bare hash", percent(row.share), "≥ 90 %", row.share >= 0.9)
	return nil
}

// quietly runs f with a single thread for the driver, which is enough for the
// few answers of people who sign in. With more of them its runtime would wake
// one after the other and disturb the hashes on the same cores.
func quietly(f func() (round, error)) (round, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return f()
}

// signingIn opens connections on each of which somebody signs in again and
// again. Who is told that the portal is busy (503) asks again at once; refused
// counts how often.
func (b *bench) signingIn(addr string, refused *atomic.Int64) (*visitors, error) {
	names, _, err := signUp(addr, b.connections)
	if err != nil {
		return nil, err
	}
	var visits []visit
	for _, name := range names {
		request := signInRequest(addr, name)
		visits = append(visits, func(c *client) error {
			_, err := tokens(c, request)
			for again := 0; c.status == 503 && again < maxAgain; again++ {
				refused.Add(1)
				_, err = tokens(c, request)
			}
			return err
		})
	}
	return newVisitors(addr, visits)
}

// bareHashes returns how many password hashes a second all cores compute when
// nothing else is to be done. The costs are those of the portal.
func bareHashes(ctx context.Context, duration time.Duration) float64 {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	counts := make([]int, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	start := time.Now()
	for i := range counts {
		group.Go(func() {
			for ctx.Err() == nil {
				argon2.IDKey([]byte(password), []byte("sixteen bytes :)"), 2, 19456, 1, 32)
				counts[i]++
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(start).Seconds()
}

// pace is how often somebody asks for a page while others sign in.
const pace = 20 * time.Millisecond

// busyRow is how long a page takes while others sign in.
type busyRow struct {
	database      string
	requests      int
	p50, p99, max time.Duration
}

// pageWhileBusy measures how long the profile page takes while 8 connections
// sign in without pause.
func (b *bench) pageWhileBusy(ctx context.Context, db database) error {
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	var refused atomic.Int64
	crowd, err := b.signingIn(portal.addr, &refused)
	if err != nil {
		return err
	}
	defer crowd.close()
	readers, err := b.reading(portal.addr, 2)
	if err != nil {
		return err
	}
	defer readers.close()

	duration := time.Duration(b.rounds) * b.roundTime
	var group sync.WaitGroup
	var crowdFailed error
	r, err := quietly(func() (round, error) {
		group.Go(func() { _, crowdFailed = crowd.run(ctx, duration+b.warmUp, portal.cpu) })
		defer group.Wait()
		return readers.run(ctx, duration, portal.cpu)
	})
	if err := errors.Join(err, crowdFailed); err != nil {
		return err
	}
	row := busyRow{
		database: db.name, requests: len(r.latencies), p50: percentile(r.latencies, 50), p99: percentile(r.latencies, 99),
		max: slices.Max(r.latencies),
	}
	b.report.busy = append(b.report.busy, row)
	b.report.check("`GET /profile` while 8 connections sign in, "+db.name, "p99", milliseconds(row.p99), "≤ 50 ms", row.p99 <= 50*time.Millisecond)
	return nil
}

// reading opens connections on each of which somebody asks for the profile
// page now and then.
func (b *bench) reading(addr string, n int) (*visitors, error) {
	_, sessions, err := signUp(addr, n)
	if err != nil {
		return nil, err
	}
	if err := settle(addr, get(addr, "/profile", sessions[0].cookies()), sessions); err != nil {
		return nil, err
	}
	var visits []visit
	for _, s := range sessions {
		visits = append(visits, page(get(addr, "/profile", s.cookies())))
	}
	v, err := newVisitors(addr, visits)
	if err == nil {
		v.pace = pace
	}
	return v, err
}
