package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// tally counts what people saw.
type tally struct {
	mu          sync.Mutex
	requests    int
	succeeded   int
	unavailable int // 503
	busy        int // 503 because too many people sign in at once
	unanswered  int // refused, reset or cut connections, and timeouts
	wrong       int // other statuses of 500 and more, and statuses that do not fit the request
	signedOut   int // people whose session ended for no reason
	cameBack    int // ended sessions that worked again
	lost        int // acknowledged changes that are not there
	acks        map[string]int
	firstOf     map[string]string // the first example of each problem

	running bool
	last    time.Time // of a success
	outage  time.Duration
	refused time.Time // of the last 503 or missing answer
}

func newTally() *tally { return &tally{acks: map[string]int{}, firstOf: map[string]string{}} }

// start begins the time in which outages are measured.
func (t *tally) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.last = true, time.Now()
}

// stop ends it.
func (t *tally) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running {
		t.outage, t.running = max(t.outage, time.Since(t.last)), false
	}
}

// success counts a request that was served.
func (t *tally) success() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
	t.succeeded++
	if t.running {
		now := time.Now()
		t.outage, t.last = max(t.outage, now.Sub(t.last)), now
	}
}

// acknowledge counts a change that the portal confirmed.
func (t *tally) acknowledge(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acks[kind]++
}

// failure counts a request in one of the counters, with an example of the problem.
func (t *tally) failure(counter *int, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
	if counter == &t.unavailable || counter == &t.unanswered {
		t.refused = time.Now()
	}
	t.count(counter, format, args...)
}

// problem counts something that is wrong without being a request.
func (t *tally) problem(counter *int, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count(counter, format, args...)
}

func (t *tally) count(counter *int, format string, args ...any) {
	*counter++
	if key := t.nameOf(counter); t.firstOf[key] == "" {
		t.firstOf[key] = fmt.Sprintf("%s "+format, append([]any{time.Now().Format("15:04:05.000")}, args...)...)
	}
}

func (t *tally) nameOf(counter *int) string {
	switch counter {
	case &t.unavailable:
		return "503"
	case &t.busy:
		return "busy"
	case &t.unanswered:
		return "no answer"
	case &t.signedOut:
		return "signed out wrongly"
	case &t.cameBack:
		return "came back"
	case &t.lost:
		return "lost"
	}
	return "wrong status"
}

// lastRefused returns when a request last got 503 or no answer.
func (t *tally) lastRefused() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused
}

// served returns how many requests have been served so far.
func (t *tally) served() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.succeeded
}

// changes returns the acknowledged changes as text.
func (t *tally) changes() string {
	text, total := "", 0
	for _, kind := range slices.Sorted(maps.Keys(t.acks)) {
		text += fmt.Sprintf(", %d %s", t.acks[kind], kind)
		total += t.acks[kind]
	}
	return fmt.Sprintf("%d acknowledged%s", total, text)
}
