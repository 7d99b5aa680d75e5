package password

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/internal/apperr"
)

// waiter starts callers that wait for a slot of g, and notes in which order they
// get it.
type waiter struct {
	t     *testing.T
	g     *gate
	group sync.WaitGroup
	order []string // written by one caller at a time: g has one slot
}

func (w *waiter) start(ctx context.Context, name string, caller Caller) {
	w.group.Go(func() {
		hash := func() {
			w.order = append(w.order, name)
			<-time.After(time.Millisecond) // lets the next caller of the lane move up
		}
		if err := w.g.do(ctx, caller, hash); err != nil && ctx.Err() == nil {
			w.t.Errorf("%s: %v", name, err)
		}
	})
	synctest.Wait()
}

// TestGateLanes fills the lane of strangers and checks that known callers still find
// places and that the lanes take turns.
func TestGateLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const queue = 3
		g := newGate(1, queue, time.Minute)
		w := &waiter{t: t, g: g}
		release := occupy(t, g)
		for i := range queue {
			w.start(t.Context(), fmt.Sprint("stranger ", i+1), Caller{})
		}
		checkBusy(t, g.do(t.Context(), Caller{}, mustNotRun(t)))
		for i := range queue + 1 { // the one that runs is a stranger
			w.start(t.Context(), fmt.Sprint("known ", i+1), Caller{Known: true})
		}
		checkBusy(t, g.do(t.Context(), Caller{Known: true}, mustNotRun(t)))
		release()
		w.group.Wait()
		synctest.Wait() // the caller that occupied the slot leaves too
		want := []string{"stranger 1", "known 1", "stranger 2", "known 2", "stranger 3", "known 3", "known 4"}
		if !slices.Equal(w.order, want) {
			t.Errorf("got the order %q, want %q", w.order, want)
		}
		checkIdle(t, g)
	})
}

// TestGateCancelledFirst cancels the caller whose turn is next and one behind it,
// and checks that the others move up.
func TestGateCancelledFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 3, time.Minute)
		w := &waiter{t: t, g: g}
		release := occupy(t, g)
		ctx, cancel := context.WithCancel(t.Context())
		w.start(ctx, "first", Caller{})
		w.start(t.Context(), "second", Caller{})
		w.start(ctx, "third", Caller{})
		checkBusy(t, g.do(t.Context(), Caller{}, mustNotRun(t)))
		cancel()
		synctest.Wait()
		w.start(t.Context(), "fourth", Caller{})
		w.start(t.Context(), "fifth", Caller{})
		release()
		w.group.Wait()
		synctest.Wait()
		if want := []string{"second", "fourth", "fifth"}; !slices.Equal(w.order, want) {
			t.Errorf("got the order %q, want %q", w.order, want)
		}
		checkIdle(t, g)
	})
}

// TestGateShare fills the share of one network in each lane and checks that other
// networks find room.
func TestGateShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 11, time.Minute) // a quarter of 12 places
		w := &waiter{t: t, g: g}
		release := occupy(t, g)
		from := func(ip string, known bool) Caller { return Caller{IP: netip.MustParseAddr(ip), Known: known} }
		for _, known := range []bool{false, true} {
			for range 3 {
				w.start(t.Context(), "flood", from("2001:db8::1", known))
			}
			checkBusy(t, g.do(t.Context(), from("2001:db8:0:ff::2", known), mustNotRun(t)))
			w.start(t.Context(), "neighbour", from("2001:db8:0:100::1", known))
			w.start(t.Context(), "other", from("192.0.2.2", known))
		}
		release()
		w.group.Wait()
		synctest.Wait()
		if len(w.order) != 10 {
			t.Errorf("%d callers ran, want 10", len(w.order))
		}
		checkIdle(t, g)
	})
}

// TestGateFlood lets strangers from one network and from many networks call without
// pause, and checks that a known caller and a stranger from another network get in.
func TestGateFlood(t *testing.T) {
	g := newGate(2, 12, 10*time.Second)
	ctx, stop := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	hash := func() { cheap.derive("x", random(saltSize), tagSize) }
	for range 40 {
		flood.Go(func() {
			for ctx.Err() == nil {
				if err := g.do(ctx, Caller{IP: netip.MustParseAddr("192.0.2.1")}, hash); errors.Is(err, apperr.Busy) {
					hash() // as if it asked again over the network
				}
			}
		})
	}
	for range 50 {
		for name, caller := range map[string]Caller{
			"a stranger from another network": {IP: netip.MustParseAddr("192.0.2.2")},
			"a known device on the network":   {IP: netip.MustParseAddr("192.0.2.1"), Known: true},
		} {
			if err := g.do(t.Context(), caller, hash); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	stop()
	flood.Wait()
	checkIdle(t, g)
}
