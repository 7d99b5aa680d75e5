package handlers

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestReadyAnswersInTime asks a database that hangs. Every caller gets an answer
// within two seconds, one question is asked, and the portal is ready again when the
// database is.
func TestReadyAnswersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		hang := make(chan struct{})
		r := &readiness{obstacle: none, check: func(context.Context) error {
			asked.Add(1)
			<-hang
			return nil
		}}
		var callers sync.WaitGroup
		for i := range 5 {
			callers.Go(func() {
				time.Sleep(time.Duration(i) * 400 * time.Millisecond)
				began := time.Now()
				if err := r.ask(t.Context()); !errors.Is(err, errNoAnswer) {
					t.Errorf("caller %d: got %v, want errNoAnswer", i, err)
				}
				if took := time.Since(began); took >= 2*time.Second {
					t.Errorf("caller %d waited %s", i, took)
				}
			})
		}
		callers.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("the database was asked %d times, want once", n)
		}
		close(hang)
		synctest.Wait()
		if err := r.ask(t.Context()); err != nil {
			t.Errorf("after the database answered: %v", err)
		}
	})
}

// TestReadyAsksSeldom checks that an answer is repeated for a second when it is good,
// and not at all when it is bad.
func TestReadyAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, fault := 0, error(nil)
		r := &readiness{obstacle: none, check: func(context.Context) error { asked++; return fault }}
		for range 20 {
			if err := r.ask(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 1 {
			t.Errorf("the database was asked %d times within a second, want once", asked)
		}
		time.Sleep(readyFor)
		fault = errors.New("disk full")
		if err := r.ask(t.Context()); !errors.Is(err, fault) {
			t.Errorf("a second later: got %v, want %v", err, fault)
		}
		fault = nil
		if err := r.ask(t.Context()); err != nil {
			t.Errorf("after the fault: %v", err)
		}
	})
}

// TestReadyCallerLeaves checks that a caller who leaves does not cancel the question of
// the others.
func TestReadyCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &readiness{obstacle: none, check: func(ctx context.Context) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}}
		leaving, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if err := r.ask(leaving); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
		if err := r.ask(t.Context()); err != nil {
			t.Errorf("the caller that stayed: %v", err)
		}
	})
}

// TestReadyObstacle checks that a good answer is not repeated while something is known
// to keep writes from succeeding.
func TestReadyObstacle(t *testing.T) {
	var full error
	r := &readiness{obstacle: func() error { return full }, check: func(context.Context) error { return nil }}
	if err := r.ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	full = errors.New("disk full")
	if err := r.ask(t.Context()); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

func none() error { return nil }
