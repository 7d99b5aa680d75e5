package main

import (
	"context"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// crowd is the people who use the portal during a drill.
type crowd struct {
	tally *tally
	host  string // of the portal's public URL
	think time.Duration

	mu     sync.Mutex
	addrs  []string  // of the portals or a proxy; people use them in turn
	people []*person // also those who have left, who must still be signed in
	stop   func()
	group  sync.WaitGroup
}

// gather signs people up and lets them use the portal until disperse. host is the
// host of the portal's public URL.
func (s *stage) gather(ctx context.Context, host string, addrs ...string) (*crowd, error) {
	c := &crowd{tally: newTally(), addrs: addrs, host: host, think: 30 * time.Millisecond}
	s.result.tally = c.tally
	running, stop := context.WithCancel(ctx)
	c.stop = stop
	s.later(c.disperse)
	for range s.people {
		c.group.Go(func() { c.live(running) })
	}
	err := until(ctx, readyTimeout, "people sign up", func() bool { return c.tally.served() > 20*s.people })
	c.tally.start()
	return c, err
}

// pick returns an address for the next action.
func (c *crowd) pick() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addrs[mathrand.N(len(c.addrs))]
}

// use makes people use these addresses from now on.
func (c *crowd) use(addrs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addrs = addrs
}

// disperse ends the use of the portal. Requests that are on their way are finished.
func (c *crowd) disperse() {
	c.tally.stop()
	c.stop()
	c.group.Wait()
}

// live uses the portal as one person after the other until ctx ends. Each person
// leaves after a while without signing out.
func (c *crowd) live(ctx context.Context) {
	// A request that has begun is not cut off by the end of the drill: its outcome
	// would be unknown.
	requests := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		p := c.newPerson()
		for ctx.Err() == nil && !p.signUp(requests) {
			_ = pause(ctx, 10*c.think)
			p = c.newPerson() // the first account may exist, with an unknown outcome
		}
		if len(p.passwords) == 0 {
			return
		}
		c.mu.Lock()
		c.people = append(c.people, p)
		c.mu.Unlock()
		for range 60 + mathrand.N(120) {
			if ctx.Err() != nil || p.gone {
				break
			}
			p.addr = c.pick()
			p.act(requests)
			_ = pause(ctx, c.think/2+mathrand.N(c.think))
		}
		p.settle(requests)
		p.client.CloseIdleConnections()
	}
}

// act does one thing.
func (p *person) act(ctx context.Context) {
	switch {
	case !p.certain:
		p.view(ctx, 1)
		return
	case !p.signedIn:
		p.signIn(ctx)
		return
	}
	switch n := mathrand.N(100); {
	case n < 55:
		p.view(ctx, 1)
	case n < 70:
		p.view(ctx, 4)
	case n < 90:
		p.rename(ctx)
	case n < 96:
		p.signOut(ctx)
	default:
		p.changePassword(ctx)
	}
}

// settle signs the person in if they are not, so that they leave a session that has
// to live on.
func (p *person) settle(ctx context.Context) {
	for range 3 {
		if !p.gone && (!p.certain || !p.signedIn) {
			p.act(ctx)
		}
	}
}

// judge counts an answer. It returns false unless the portal handled the request;
// fits are the statuses that it may then have.
func (c *crowd) judge(path string, a answer, fits ...int) bool {
	t := c.tally
	switch {
	case slices.Contains(fits, a.code):
		t.success()
		return true
	case a.code == 0:
		t.failure(&t.unanswered, "%s: %v", path, a.err)
	case a.code == http.StatusServiceUnavailable && strings.Contains(a.body, "Many people are signing in"):
		t.failure(&t.busy, "%s", path)
	case a.code == http.StatusServiceUnavailable:
		t.failure(&t.unavailable, "%s: %s", path, firstLine(a.body))
	default:
		t.failure(&t.wrong, "%s: status %d, %s", path, a.code, firstLine(a.body))
	}
	return false
}

// firstLine returns the heading of a page, or the first characters of a body.
func firstLine(body string) string {
	if _, rest, found := strings.Cut(body, "<title>"); found {
		body, _, _ = strings.Cut(rest, "</title>")
	}
	return body[:min(len(body), 80)]
}

// verify compares a server with everything that the portal has acknowledged to the
// crowd: sessions, names, ended sessions and passwords.
func (s *stage) verify(ctx context.Context, c *crowd, addr, host string) {
	queue := make(chan *person)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for p := range queue {
				p.check(ctx, addr, host)
			}
		})
	}
	for _, p := range c.people {
		queue <- p
	}
	close(queue)
	group.Wait()
	s.fact("%d accounts checked", len(c.people))
}

// check compares what a server knows of a person with what was acknowledged.
func (p *person) check(ctx context.Context, addr, host string) {
	if p.gone {
		return
	}
	p.browser = p.copied(addr, host)
	defer func() { p.client.CloseIdleConnections() }()
	if p.certain && p.signedIn {
		p.view(ctx, 1)
	}
	for _, before := range p.ended {
		p.tryEnded(ctx, before.copied(addr, host), "at the end")
	}
	p.forget()
	p.signedIn = false
	for range 20 { // the portal may be busy
		if p.signIn(ctx); p.signedIn || p.gone || ctx.Err() != nil {
			break
		}
		_ = pause(ctx, 200*time.Millisecond)
	}
	switch {
	case p.signedIn:
		p.view(ctx, 1)
	case !p.gone:
		p.crowd.tally.problem(&p.crowd.tally.lost, "%s cannot sign in at the end", p.name)
	}
}

// keptPromises adds what the tally has found to the broken promises.
func (s *stage) keptPromises(t *tally) {
	s.none(t, &t.lost, "%d acknowledged changes are lost")
	s.none(t, &t.signedOut, "%d people were signed out wrongly")
	s.none(t, &t.cameBack, "%d ended sessions worked again")
	s.none(t, &t.wrong, "%d wrong statuses or pages")
}

// keptRequests does so for lost requests, if the drill must not lose any.
func (s *stage) keptRequests(t *tally, refusals bool) {
	if refusals {
		return
	}
	s.none(t, &t.unavailable, "%d requests got 503")
	s.none(t, &t.unanswered, "%d requests got no answer")
}

func (s *stage) none(t *tally, n *int, text string) {
	if *n > 0 {
		s.broken(text+", the first: %s", *n, t.firstOf[t.nameOf(n)])
	}
}
