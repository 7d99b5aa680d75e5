package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// memoryRow are the resident bytes of the portal after some work.
type memoryRow struct {
	when, database string
	resident, peak int64
}

const (
	parallelLogins = 100
	loginAgain     = 200 * time.Millisecond // after a 503
	loginPatience  = 60 * time.Second
)

// memoryOfLogins lets 100 people sign in at the same moment at a portal that
// was idle, and looks at its memory before, at most and after. Who is told
// that the queue is full (503) asks again, until everybody is in.
func (b *bench) memoryOfLogins(ctx context.Context, db database) error {
	names, err := b.fill(ctx, db)
	if err != nil {
		return err
	}
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	if err := pause(ctx, b.quiet()); err != nil {
		return err
	}
	if err := forgetPeak(portal.cmd.Process.Pid); err != nil {
		return fmt.Errorf("reset the peak of resident memory: %w", err)
	}
	before, err := portal.memory()
	if err != nil {
		return err
	}
	refused, err := signInTogether(ctx, portal.addr, names)
	if err != nil {
		return err
	}
	peak, err := portal.memory()
	if err != nil {
		return err
	}
	if err := pause(ctx, b.quiet()); err != nil {
		return err
	}
	after, err := portal.memory()
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%d parallel sign-ins (%d times 503, asked again)", parallelLogins, refused)
	b.report.memory = append(b.report.memory,
		memoryRow{"before " + title, db.name, before.resident, before.peak},
		memoryRow{"after them, " + b.quiet().String() + " later", db.name, after.resident, peak.peak})
	added := peak.peak - before.resident
	b.report.check(fmt.Sprintf("%d parallel sign-ins on %s", parallelLogins, db.name), "added resident memory", megabytes(added), "≤ 150 MB", added <= 150<<20)
	return nil
}

// quiet is how long the portal is left alone before its memory is read.
func (b *bench) quiet() time.Duration {
	if b.quick {
		return time.Second
	}
	return 10 * time.Second
}

// signInTogether signs in on many connections at once and returns how often
// somebody had to ask again.
func signInTogether(ctx context.Context, addr string, names []string) (refused int, err error) {
	ctx, cancel := context.WithTimeout(ctx, loginPatience)
	defer cancel()
	again := make([]int, parallelLogins)
	failures := make([]error, parallelLogins)
	var group sync.WaitGroup
	for i := range parallelLogins {
		group.Go(func() { again[i], failures[i] = signInPatiently(ctx, addr, names[i%len(names)]) })
	}
	group.Wait()
	for _, n := range again {
		refused += n
	}
	return refused, errors.Join(failures...)
}

func signInPatiently(ctx context.Context, addr, name string) (again int, err error) {
	c, err := dial(addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	request := signInRequest(addr, name)
	for ; ; again++ {
		_, err := tokens(c, request)
		if err == nil || c.status != 503 {
			return again, err
		}
		if err := pause(ctx, loginAgain); err != nil {
			return again, fmt.Errorf("sign in: still refused: %w", err)
		}
	}
}

// idleMemory starts the portal on an existing database, leaves it alone and
// looks at its memory.
func (b *bench) idleMemory(ctx context.Context, db database) error {
	if _, err := b.fill(ctx, db); err != nil {
		return err
	}
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	if err := pause(ctx, b.quiet()); err != nil {
		return err
	}
	used, err := portal.memory()
	if err != nil {
		return err
	}
	b.report.memory = append(b.report.memory, memoryRow{"idle, " + b.quiet().String() + " after the start", db.name, used.resident, used.peak})
	b.report.check("idle on "+db.name, "resident memory", megabytes(used.resident), "≤ 40 MB", used.resident <= 40<<20)
	return nil
}

// fill makes a database that was in use before, and returns who signed up.
func (b *bench) fill(ctx context.Context, db database) (names []string, err error) {
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return nil, err
	}
	defer portal.stop()
	names, _, err = signUp(portal.addr, b.connections)
	return names, err
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
