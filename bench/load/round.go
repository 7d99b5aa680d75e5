package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// meter returns CPU time used so far.
type meter func() (time.Duration, error)

// both adds two meters.
func both(a, b meter) meter {
	return func() (time.Duration, error) {
		x, err := a()
		if err != nil {
			return 0, err
		}
		y, err := b()
		return x + y, err
	}
}

// visit is one exchange on a connection. It checks the answer.
type visit func(*client) error

// round is what was measured while connections were busy for a while.
type round struct {
	took      time.Duration
	cpu       time.Duration
	latencies []time.Duration
}

// visitors are connections to one server, each with something to do on it.
type visitors struct {
	clients []*client
	visits  []visit
	pace    time.Duration // from one visit to the next; 0: without pause
}

// newVisitors opens a connection for each visit.
func newVisitors(addr string, visits []visit) (*visitors, error) {
	v := &visitors{visits: visits}
	for range visits {
		c, err := dial(addr)
		if err != nil {
			v.close()
			return nil, err
		}
		v.clients = append(v.clients, c)
	}
	return v, nil
}

func (v *visitors) close() {
	for _, c := range v.clients {
		c.close()
	}
}

// run keeps every connection busy until duration is over.
func (v *visitors) run(ctx context.Context, duration time.Duration, cpu meter) (round, error) {
	before, err := cpu()
	if err != nil {
		return round{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var group sync.WaitGroup
	taken := make([][]time.Duration, len(v.clients))
	failures := make([]error, len(v.clients))
	start := time.Now()
	for i, c := range v.clients {
		group.Go(func() {
			taken[i], failures[i] = v.repeat(ctx, c, v.visits[i])
			if failures[i] != nil {
				cancel()
			}
		})
	}
	group.Wait()
	r := round{took: time.Since(start), latencies: slices.Concat(taken...)}
	for _, err := range failures {
		if err != nil {
			return round{}, err
		}
	}
	after, err := cpu()
	r.cpu = after - before
	return r, err
}

// repeat visits until ctx is done and returns how long each exchange took.
func (v *visitors) repeat(ctx context.Context, c *client, visit visit) ([]time.Duration, error) {
	taken := make([]time.Duration, 0, 1<<14)
	next := func() bool { return ctx.Err() == nil }
	if v.pace > 0 {
		ticker := time.NewTicker(v.pace)
		defer ticker.Stop()
		next = func() bool {
			select {
			case <-ticker.C:
				return true
			case <-ctx.Done():
				return false
			}
		}
	}
	for next() {
		start := time.Now()
		if err := visit(c); err != nil {
			return nil, err
		}
		taken = append(taken, time.Since(start))
	}
	return taken, nil
}

// figures sum up rounds of one server.
type figures struct {
	Requests  int
	PerSecond float64
	P50, P99  time.Duration
	CPU10k    float64 // CPU seconds for each 10,000 requests
	PerCPU    float64 // requests for each CPU second
}

func sum(rounds []round) (figures, error) {
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
		Requests: len(all), PerSecond: n / took.Seconds(), P50: percentile(all, 50), P99: percentile(all, 99),
		CPU10k: cpu.Seconds() / n * 10000, PerCPU: n / cpu.Seconds(),
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
