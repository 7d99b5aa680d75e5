package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// meter returns CPU time used so far.
type meter func() (time.Duration, error)

// round has the measurements of one period in which connections were busy.
type round struct {
	took      time.Duration
	cpu       time.Duration
	latencies []time.Duration
}

// drive keeps connections busy until duration is over: visit makes one exchange
// on one of them and checks the answer. The first failure ends it. pace is the
// pause before each visit.
func drive(ctx context.Context, people []*browser, visit func(*browser) error, pace, duration time.Duration, cpu meter) (round, error) {
	before, err := cpu()
	if err != nil {
		return round{}, err
	}
	start := time.Now()
	taken := make([][]time.Duration, len(people))
	group, failing := errgroup.WithContext(ctx)
	timed, cancel := context.WithTimeout(failing, duration)
	defer cancel()
	for i, b := range people {
		group.Go(func() error {
			for pause(timed, pace) == nil {
				start := time.Now()
				if err := visit(b); err != nil {
					return err
				}
				taken[i] = append(taken[i], time.Since(start))
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	took := time.Since(start)
	after, err2 := cpu()
	return round{took, after - before, slices.Concat(taken...)}, errors.Join(err, err2)
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// figures summarise the rounds of one server.
type figures struct {
	perSecond float64
	p50, p99  time.Duration
	cpu10k    float64 // CPU seconds for each 10,000 requests
	perCPU    float64 // requests for each CPU second
}

func sum(rounds ...round) (figures, error) {
	var took, cpu time.Duration
	var all []time.Duration
	for _, r := range rounds {
		took, cpu = took+r.took, cpu+r.cpu
		all = append(all, r.latencies...)
	}
	if len(all) == 0 || cpu <= 0 {
		return figures{}, fmt.Errorf("%d requests and %v of CPU time are too little to measure", len(all), cpu)
	}
	n := float64(len(all))
	return figures{
		perSecond: n / took.Seconds(), p50: percentile(all, 50), p99: percentile(all, 99),
		cpu10k: cpu.Seconds() / n * 10000, perCPU: n / cpu.Seconds(),
	}, nil
}

// percentile returns the smallest value that p percent of the values do not
// exceed (nearest rank). It sorts them.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	rank := (len(values)*p + 99) / 100
	return values[max(rank, 1)-1]
}

// work is a request that is compared with the floor's. Functions may be nil.
type work struct {
	name, path       string
	sqlite, postgres share                                            // of the floor that it should have at least; 0: no target
	env              func(b *bench) (environment []string, err error) // settings of the portal
	prepare          func(b *browser) error                           // makes a browser ready that has signed up
	request          func(b *browser) url.Values                      // returns the form of the next request
	check            func(b *browser, before string, a answer) error  // before is the refresh token that b had
}

// visit makes one exchange. Without a check function, the response must be 200 and
// set no cookies: a page that rotates the session would be different work.
func (w work) visit(b *browser) error {
	before := b.cookies["refresh"]
	var form url.Values
	if w.request != nil {
		form = w.request(b)
	}
	a, err := b.do(w.path, form)
	switch {
	case err != nil:
	case w.check != nil:
		err = w.check(b, before, a)
	case a.StatusCode != 200 || len(a.Cookies()) > 0:
		err = fmt.Errorf("status %d and %d cookies set; want 200 and none", a.StatusCode, len(a.Cookies()))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.path, err)
	}
	b.received = len(a.body)
	return nil
}

// compared returns a case that compares a work of the portal with the floor.
func compared(w work) func(*bench, context.Context, database) error {
	return func(b *bench, ctx context.Context, db database) (err error) {
		var env []string
		if w.env != nil {
			if env, err = w.env(b); err != nil {
				return err
			}
		}
		return b.withPortal(ctx, db, b.connections, func(portal *server, people []*browser) error {
			for _, p := range people {
				if w.prepare != nil {
					if err := w.prepare(p); err != nil {
						return err
					}
				}
			}
			return b.compare(ctx, db, portal, people, w)
		}, env...)
	}
}

// compare drives a floor with a page of the same size and the portal in turn:
// floor, portal, floor, portal … Other work of the machine then affects both
// equally.
func (b *bench) compare(ctx context.Context, db database, portal *server, people []*browser, w work) error {
	cpu := b.cpuOf(portal, db)
	if _, err := drive(ctx, people, w.visit, 0, b.warmUp, cpu); err != nil {
		return err
	}
	bytes := people[0].received
	floor, err := b.startFloor(ctx, bytes)
	if err != nil {
		return err
	}
	defer floor.stop()
	var onFloor []*browser
	for _, p := range people {
		onFloor = append(onFloor, p.on(floor.addr))
	}
	plain := work{path: w.path, request: w.request}
	if _, err := drive(ctx, onFloor, plain.visit, 0, b.warmUp, floor.cpu); err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	var ofPortal, ofFloor []round
	var pairs []share
	for i := range b.rounds {
		f, err := drive(ctx, onFloor, plain.visit, 0, b.roundTime, floor.cpu)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		p, err := drive(ctx, people, w.visit, 0, b.roundTime, cpu)
		if err != nil {
			return err
		}
		ofFloor, ofPortal = append(ofFloor, f), append(ofPortal, p)
		_, _, s, err := shareOf(ofPortal[i:], ofFloor[i:])
		if err != nil {
			return err
		}
		pairs = append(pairs, s)
	}
	p, f, s, err := shareOf(ofPortal, ofFloor)
	if err != nil {
		return err
	}
	const title = "Pages against the floor"
	const columns = "page | database | bytes | server | requests/s | p50 | p99 | CPU s per 10,000 | share of the floor (worst to best pair)"
	b.report.add(title, columns, w.name, db.name, bytes, "portal", int(p.perSecond), p.p50, p.p99, fmt.Sprintf("%.3f", p.cpu10k),
		fmt.Sprintf("**%s** (%s–%s)", text(s), text(slices.Min(pairs)), text(slices.Max(pairs))))
	b.report.add(title, columns, "", "", "", "floor", int(f.perSecond), f.p50, f.p99, fmt.Sprintf("%.3f", f.cpu10k), "")
	target := w.sqlite
	if db.name == postgresName {
		target = w.postgres
	}
	if target > 0 {
		check(&b.report, w.name+" on "+db.name, "share of the floor", s, least, target)
	}
	return b.reportMemory(fmt.Sprintf("%s, %d connections", w.name, b.connections), db, portal)
}

// shareOf summarises rounds and returns the portal's requests per CPU second as a
// share of the floor's.
func shareOf(portal, floor []round) (p, f figures, s share, err error) {
	if p, err = sum(portal...); err == nil {
		f, err = sum(floor...)
	}
	return p, f, share(p.perCPU / f.perCPU), err
}
