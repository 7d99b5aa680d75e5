package password

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
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
			err := g.do(t.Context(), func() {
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
	checkIdle(t, g, slots)
}

func TestGateAnswersBusyAtOnceWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 2, 2*time.Second)
		release := occupy(t, g)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if err := g.do(t.Context(), func() {}); err != nil {
					t.Errorf("a waiter in the queue: %v", err)
				}
			})
		}
		synctest.Wait()

		start := time.Now()
		checkBusy(t, g.do(t.Context(), mustNotRun(t)))
		if got := time.Since(start); got != 0 {
			t.Errorf("a full queue took %v to say so", got)
		}
		release()
		group.Wait()
		checkIdle(t, g, 1)
	})
}

func TestGateGivesUpAfterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 50, 2*time.Second)
		release := occupy(t, g)
		start := time.Now()
		checkBusy(t, g.do(t.Context(), mustNotRun(t)))
		if got, want := time.Since(start), 2*time.Second; got != want {
			t.Errorf("waited %v, want %v", got, want)
		}
		release()
		synctest.Wait()
		checkIdle(t, g, 1)
	})
}

func TestGateFreesThePlaceOfACancelledWaiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1, time.Hour)
		release := occupy(t, g)

		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- g.do(ctx, mustNotRun(t)) }()
		synctest.Wait()
		checkBusy(t, g.do(t.Context(), mustNotRun(t)))

		cancel()
		err := <-left
		if !errors.Is(err, apperr.Canceled) || !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled waiter got %v", err)
		}

		ran := make(chan error)
		go func() { ran <- g.do(t.Context(), func() {}) }()
		synctest.Wait()
		release()
		if err := <-ran; err != nil {
			t.Errorf("the next waiter got %v", err)
		}
		checkIdle(t, g, 1)
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
			if got := apperr.KindOf(g.do(test.ctx, mustNotRun(t))); got != test.want {
				t.Errorf("kind = %q, want %q", got, test.want)
			}
		})
	}
}

func TestGateFreesTheSlotAfterAPanic(t *testing.T) {
	g := newGate(1, 1, time.Minute)
	func() {
		defer func() { _ = recover() }()
		_ = g.do(t.Context(), func() { panic("work") })
	}()
	checkIdle(t, g, 1)
}

// occupy takes one slot of g and returns the function that frees it.
func occupy(t *testing.T, g *gate) (release func()) {
	t.Helper()
	entered, leave := make(chan error), make(chan struct{})
	go func() {
		if err := g.do(t.Context(), func() { entered <- nil; <-leave }); err != nil {
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
func checkIdle(t *testing.T, g *gate, slots int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if waiting := len(g.lanes[0]) + len(g.lanes[1]); g.free != slots || waiting != 0 || len(g.inside) != 0 {
		t.Errorf("%d of %d slots are free, %d callers wait, networks inside: %v", g.free, slots, waiting, g.inside)
	}
}

// TestGateLanes fills the lane of strangers: a caller on a known device still
// gets a place, and its turn after the next stranger.
func TestGateLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const queue = 3
		g := newGate(1, queue, time.Minute)
		release := occupy(t, g)
		var order []string
		var group sync.WaitGroup
		wait := func(ctx context.Context, name string) {
			group.Go(func() {
				if err := g.do(ctx, func() { order = append(order, name) }); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			synctest.Wait()
		}
		for i := range queue {
			wait(t.Context(), fmt.Sprint("stranger ", i+1))
		}
		checkBusy(t, g.do(t.Context(), mustNotRun(t)))
		known := WithKnownDevice(t.Context())
		for i := range queue {
			wait(known, fmt.Sprint("known ", i+1))
		}
		checkBusy(t, g.do(known, mustNotRun(t)))
		release()
		group.Wait()
		synctest.Wait() // the one that occupied the slot leaves too
		want := []string{"stranger 1", "known 1", "stranger 2", "known 2", "stranger 3", "known 3"}
		if !slices.Equal(order, want) {
			t.Errorf("got the order %q, want %q", order, want)
		}
		checkIdle(t, g, 1)
	})
}

// TestGateShare fills the share of a network, on known devices too: others still
// find room.
func TestGateShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, 10, time.Minute) // a quarter of 12 places
		from := func(network string) context.Context {
			return WithNetwork(t.Context(), netip.MustParsePrefix(network))
		}
		release1, release2 := occupy(t, g), occupy(t, g)
		var group sync.WaitGroup
		wait := func(ctx context.Context) {
			group.Go(func() {
				if err := g.do(ctx, func() {}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for range 2 {
			wait(from("192.0.2.1/32"))
		}
		wait(WithKnownDevice(from("192.0.2.1/32")))
		checkBusy(t, g.do(from("192.0.2.1/32"), mustNotRun(t)))
		checkBusy(t, g.do(WithKnownDevice(from("192.0.2.1/32")), mustNotRun(t)))
		wait(from("192.0.2.2/32"))
		wait(t.Context()) // nobody knows from where
		release1()
		release2()
		group.Wait()
		synctest.Wait() // the one that occupied the slot leaves too
		checkIdle(t, g, 2)
	})
}
