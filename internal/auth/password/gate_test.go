package password

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/apperr"
)

func TestGateNeverExceedsSlots(t *testing.T) {
	const slots, callers = 3, 200
	g := newGate(slots, callers, time.Minute)
	var running, most, done atomic.Int64
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			err := g.do(t.Context(), Caller{}, func() {
				n := running.Add(1)
				for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
				}
				cheap.derive("x", random(saltSize), tagSize)
				running.Add(-1)
				done.Add(1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := done.Load(); got != callers {
		t.Errorf("%d pieces of work were done, want %d", got, callers)
	}
	if got := most.Load(); got > slots {
		t.Errorf("%d pieces of work ran at once, want %d at most", got, slots)
	}
	checkIdle(t, g)
}

func TestGateAnswersBusyAtOnceWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 2, 2*time.Second)
		release := occupy(t, g)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if err := g.do(t.Context(), Caller{}, func() {}); err != nil {
					t.Errorf("a waiter in the queue: %v", err)
				}
			})
		}
		synctest.Wait()

		start := time.Now()
		checkBusy(t, g.do(t.Context(), Caller{}, mustNotRun(t)))
		if got := time.Since(start); got != 0 {
			t.Errorf("a full queue took %v to refuse a caller", got)
		}
		release()
		group.Wait()
		checkIdle(t, g)
	})
}

func TestGateGivesUpAfterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 50, 2*time.Second)
		release := occupy(t, g)
		start := time.Now()
		checkBusy(t, g.do(t.Context(), Caller{}, mustNotRun(t)))
		if got, want := time.Since(start), 2*time.Second; got != want {
			t.Errorf("waited %v, want %v", got, want)
		}
		release()
		synctest.Wait()
		checkIdle(t, g)
	})
}

func TestGateFreesThePlaceOfACancelledWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1, time.Hour)
		release := occupy(t, g)

		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.do(ctx, Caller{}, mustNotRun(t)) }()
		synctest.Wait()
		checkBusy(t, g.do(t.Context(), Caller{}, mustNotRun(t)))

		cancel()
		err := <-left
		if !errors.Is(err, apperr.Canceled) || !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled waiter got %v", err)
		}

		ran := make(chan error)
		go func() { ran <- g.do(t.Context(), Caller{}, func() {}) }()
		synctest.Wait()
		release()
		if err := <-ran; err != nil {
			t.Errorf("the next waiter got %v", err)
		}
		checkIdle(t, g)
	})
}

func TestGateRefusesAContextThatIsOver(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	tests := []struct {
		name string
		ctx  context.Context
		want apperr.Kind
	}{
		{"cancelled", cancelled, apperr.Canceled},
		{"deadline", late, apperr.Busy},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := newGate(1, 1, time.Minute)
			if got := apperr.KindOf(g.do(test.ctx, Caller{}, mustNotRun(t))); got != test.want {
				t.Errorf("kind = %q, want %q", got, test.want)
			}
		})
	}
}

func TestGateFreesTheSlotAfterAPanic(t *testing.T) {
	g := newGate(1, 1, time.Minute)
	func() {
		defer func() { _ = recover() }()
		_ = g.do(t.Context(), Caller{}, func() { panic("work") })
	}()
	checkIdle(t, g)
}

// occupy takes one slot of g and returns the function that frees it.
func occupy(t *testing.T, g *gate) (release func()) {
	t.Helper()
	entered, leave := make(chan error), make(chan struct{})
	go func() {
		if err := g.do(t.Context(), Caller{}, func() { entered <- nil; <-leave }); err != nil {
			entered <- err
		}
	}()
	if err := <-entered; err != nil {
		t.Fatal(err)
	}
	return func() { close(leave) }
}

func mustNotRun(t *testing.T) func() {
	return func() { t.Error("the work was done") }
}

func checkBusy(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, apperr.Busy) {
		t.Fatalf("got %v, want kind %q", err, apperr.Busy)
	}
	if got, want := apperr.Details(err).RetryAfter, 2*time.Second; got != want {
		t.Errorf("RetryAfter = %v, want %v", got, want)
	}
}

// checkIdle reports slots or places in the queue that were not given back.
func checkIdle(t *testing.T, g *gate) {
	t.Helper()
	for name, lane := range map[string]lane{"strangers": g.strangers, "known": g.known} {
		if lane.places.Taken() != 0 || len(lane.first) != 0 {
			t.Errorf("lane %s: %d places are still taken, %d callers are first", name, lane.places.Taken(), len(lane.first))
		}
	}
	if len(g.heavy) != 0 {
		t.Error("heavy work is still going on")
	}
	if len(g.slots) != 0 {
		t.Errorf("%d slots are still taken", len(g.slots))
	}
}
