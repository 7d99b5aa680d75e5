package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	probeEvery   = 100 * time.Millisecond
	readyWithin  = 2 * time.Second        // of /readyz, whatever the database does
	noticesIn    = 3 * time.Second        // and it may repeat a good answer for a second
	tolerance    = 500 * time.Millisecond // for a busy machine
	probeTimeout = 30 * time.Second
	backWithin   = 10 * time.Second // after the database works again
)

// allowed is the time after which a promise about a time counts as broken. A short drill
// has to pass on a machine that does many other things.
func (s *stage) allowed(promised time.Duration) time.Duration {
	return either(s, promised+tolerance, 3*promised+tolerance)
}

// ready returns the status of /readyz, or 0 if there is no answer.
func ready(ctx context.Context, addr string) int { return status(ctx, addr, "/readyz") }

func status(ctx context.Context, addr, path string) int {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0
	}
	response, err := probeClient.Do(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

var probeClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// probe asks /readyz again and again.
type probe struct {
	mu      sync.Mutex
	samples []sample
	stop    func()
	done    chan struct{}
}

type sample struct {
	at   time.Time
	took time.Duration
	code int
}

// watch asks /readyz at addr until the drill ends.
func (s *stage) watch(ctx context.Context, addr string) {
	running, stop := context.WithCancel(ctx)
	p := &probe{done: make(chan struct{}), stop: stop}
	var group sync.WaitGroup
	go func() {
		defer close(p.done)
		for pause(running, probeEvery) == nil {
			group.Go(func() { p.ask(running, addr) }) // a slow answer delays no other
		}
		group.Wait()
	}()
	s.later(p.end)
	s.probe = p
}

func (p *probe) end() {
	p.stop()
	<-p.done
}

func (p *probe) ask(ctx context.Context, addr string) {
	at := time.Now()
	code := ready(ctx, addr)
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.samples = append(p.samples, sample{at, time.Since(at), code})
}

// latest returns the latest status.
func (p *probe) latest() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.samples) == 0 {
		return 0
	}
	return p.samples[len(p.samples)-1].code
}

// span is when a database was disturbed. If from is zero, /readyz may say 200 all the
// time.
type span struct {
	from, to time.Time
	works    time.Time // when the database works again; zero: at once
}

// judge checks that every answer came in time, that /readyz said 503 soon after the
// beginning of a disturbance and until its end, and 200 soon after that.
func (p *probe) judge(s *stage, d span) {
	if d.works.IsZero() {
		d.works = d.to
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var slowest, noticed, back time.Duration
	lies := 0
	for _, one := range p.samples {
		end := one.at.Add(one.took)
		slowest = max(slowest, one.took)
		during := !d.from.IsZero() && !one.at.Before(d.from) && end.Before(d.to)
		switch {
		case during && one.code == http.StatusServiceUnavailable && noticed == 0:
			noticed = end.Sub(d.from)
		case during && one.code == http.StatusOK && one.at.After(d.from.Add(s.allowed(readyWithin))):
			lies++
		case one.at.After(d.to) && one.code == http.StatusOK && back == 0:
			back = max(end.Sub(d.works), time.Millisecond)
		}
	}
	text := fmt.Sprintf("slowest answer of /readyz %s", seconds(slowest))
	if slowest > s.allowed(readyWithin) {
		s.broken("/readyz took %s to answer", seconds(slowest))
	}
	if d.from.IsZero() {
		s.fact("%s", text)
		return
	}
	s.fact("%s, 503 after %s, 200 again %s after the end", text, seconds(noticed), seconds(back))
	if noticed == 0 || noticed > s.allowed(noticesIn) {
		s.broken("/readyz did not say 503 within %s of the disturbance (0: never): %s", s.allowed(noticesIn), seconds(noticed))
	}
	if lies > 0 {
		s.broken("/readyz said 200 %d times while writes failed", lies)
	}
	if back == 0 || back > s.allowed(backWithin) {
		s.broken("/readyz did not say 200 within %s of the end (0: never): %s", s.allowed(backWithin), seconds(back))
	}
}
