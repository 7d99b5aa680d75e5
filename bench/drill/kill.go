package main

import (
	"context"
	mathrand "math/rand/v2"
	"time"
)

// kills ends the portal with kill -9 again and again.
func kills(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	p, err := s.startPortal(ctx, url, "")
	if err != nil {
		return err
	}
	c, err := s.gather(ctx, p.addr, p.addr)
	if err != nil {
		return err
	}
	n, slowest := either(s, 30, 5), time.Duration(0)
	for range n {
		if err := pause(ctx, 300*time.Millisecond+mathrand.N(time.Second)); err != nil {
			return err
		}
		p.kill()
		start := time.Now()
		if err := p.start(ctx); err != nil {
			return err
		}
		slowest = max(slowest, time.Since(start))
		before := c.tally.served()
		if err := until(ctx, 30*time.Second, "people are served again", func() bool { return c.tally.served() > before+s.people }); err != nil {
			return err
		}
	}
	s.fact("%d times kill -9, slowest start %s", n, seconds(slowest))
	c.disperse()
	p.kill()
	return s.conclude(ctx, c, p, true)
}

// conclude starts the portal again and compares it with everything that it has
// acknowledged. With refusals, people may have got 503 or no answer.
func (s *stage) conclude(ctx context.Context, c *crowd, p *portal, refusals bool) error {
	c.disperse()
	s.keptRequests(c.tally, refusals)
	if p.runs() {
		if _, err := p.stop(); err != nil {
			s.broken("%v", err)
		}
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	s.verify(ctx, c, p.addr, c.host)
	s.keptPromises(c.tally)
	return ctx.Err()
}
