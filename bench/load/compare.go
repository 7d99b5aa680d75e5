package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// database is where the portal keeps its data during a case.
type database struct {
	name string // SQLite or PostgreSQL
	url  string
	cpu  meter // of the database's own processes; nil: it is inside the portal
}

// comparison is one line of the table of pages: the portal and the floor,
// driven in turn in one run.
type comparison struct {
	Work          string
	Database      string
	PageBytes     int
	Portal, Floor figures
	Share         float64 // requests for each CPU second, as a share of the floor's
	Low, High     float64 // the same of the worst and the best pair of rounds
	Target        float64 // what Share should be at least; 0: no target
}

// work is a page to be compared.
type work struct {
	name   string
	visits []visit // one for each connection to the portal
	sample []byte  // a request for the page; the floor gets the same
	target float64
}

// compare drives the portal and a floor with a page of the same size in turn:
// floor, portal, floor, portal … What else happens on the machine then meets
// both alike.
func (b *bench) compare(ctx context.Context, db database, portal *server, w work) (comparison, error) {
	visitors, err := newVisitors(portal.addr, w.visits)
	if err != nil {
		return comparison{}, err
	}
	defer visitors.close()
	cpu := meter(portal.cpu)
	if db.cpu != nil {
		cpu = both(cpu, db.cpu)
	}
	if _, err := visitors.run(ctx, b.warmUp, cpu); err != nil {
		return comparison{}, fmt.Errorf("%s: %w", w.name, err)
	}
	size := len(visitors.clients[0].body)
	floor, err := b.startFloor(ctx, size)
	if err != nil {
		return comparison{}, err
	}
	defer floor.stop()
	onFloor, err := newVisitors(floor.addr, slices.Repeat([]visit{page(w.sample)}, len(w.visits)))
	if err != nil {
		return comparison{}, err
	}
	defer onFloor.close()
	if _, err := onFloor.run(ctx, b.warmUp, floor.cpu); err != nil {
		return comparison{}, fmt.Errorf("floor: %w", err)
	}
	result := comparison{Work: w.name, Database: db.name, PageBytes: size, Target: w.target}
	return result, result.measure(ctx, b, pair{visitors, cpu}, pair{onFloor, floor.cpu})
}

// pair is a server under load and what it costs.
type pair struct {
	visitors *visitors
	cpu      meter
}

func (r *comparison) measure(ctx context.Context, b *bench, portal, floor pair) error {
	var ofPortal, ofFloor []round
	for range b.rounds {
		f, err := floor.visitors.run(ctx, b.roundTime, floor.cpu)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		p, err := portal.visitors.run(ctx, b.roundTime, portal.cpu)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Work, err)
		}
		ofFloor, ofPortal = append(ofFloor, f), append(ofPortal, p)
		share, err := shareOf(p, f)
		if err != nil {
			return err
		}
		if r.Low == 0 || share < r.Low {
			r.Low = share
		}
		r.High = max(r.High, share)
	}
	var err error
	if r.Floor, err = sum(ofFloor); err != nil {
		return err
	}
	if r.Portal, err = sum(ofPortal); err != nil {
		return err
	}
	r.Share = r.Portal.PerCPU / r.Floor.PerCPU
	return ctx.Err()
}

func shareOf(portal, floor round) (float64, error) {
	p, err := sum([]round{portal})
	if err != nil {
		return 0, err
	}
	f, err := sum([]round{floor})
	return p.PerCPU / f.PerCPU, err
}

// page asks for a page again and again. The answer must be 200 and set no
// cookie: a page that rotated the session would be another work.
func page(request []byte) visit {
	return func(c *client) error {
		if err := c.do(request); err != nil {
			return err
		}
		if c.status != 200 || len(c.cookies) > 0 {
			return fmt.Errorf("%s: status %d, %d cookies set; want 200 and none", firstLine(request), c.status, len(c.cookies))
		}
		return nil
	}
}

// rotating asks for a page with nothing but the refresh token, and takes the
// new one from each answer.
func rotating(host, path, refresh string) visit {
	var request []byte
	return func(c *client) error {
		request = appendGet(request[:0], host, path, "refresh="+refresh)
		if err := c.do(request); err != nil {
			return err
		}
		next := c.cookie("refresh")
		if c.status != 200 || next == "" || next == refresh || c.cookie("access") == "" {
			return fmt.Errorf("%s: status %d and no new pair of tokens: the session did not rotate", firstLine(request), c.status)
		}
		refresh = next
		return nil
	}
}

func firstLine(request []byte) []byte {
	line, _, _ := bytes.Cut(request, []byte("\r\n"))
	return line
}

// session are the cookies of a browser that is signed in.
type session struct{ access, refresh string }

func (s session) cookies() string { return "access=" + s.access + "; refresh=" + s.refresh }
