package password

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"latchkey/internal/apperr"
)

// retryAfter is how long a refused caller is told to wait.
const retryAfter = 2 * time.Second

// networkShare is the part of the places that one network may take.
const networkShare = 4

// caller says whom a piece of work is for.
type caller struct {
	network netip.Prefix // not valid: it has no share
	known   bool
}

// callerKey is where a context keeps the caller.
type callerKey struct{}

func callerOf(ctx context.Context) caller {
	found, _ := ctx.Value(callerKey{}).(caller)
	return found
}

// WithNetwork returns a context whose hashes count to the share of a network. The
// zero Prefix has no share.
func WithNetwork(ctx context.Context, network netip.Prefix) context.Context {
	c := callerOf(ctx)
	c.network = network
	return context.WithValue(ctx, callerKey{}, c)
}

// WithKnownDevice returns a context whose hashes wait in the lane of people on a
// device that they have signed in on before.
func WithKnownDevice(ctx context.Context) context.Context {
	c := callerOf(ctx)
	c.known = true
	return context.WithValue(ctx, callerKey{}, c)
}

// gate lets a few pieces of work run at a time and a bounded number wait.
//
// One Argon2id hash fills a core and 19 MiB. More of them at once finish no
// sooner; they only take memory and let every caller time out together.
//
// There are two lanes, one for callers on a known device. Each is served in the
// order its callers came, and the two in turn: strangers who fill their lane
// leave the other open. One network has a quarter of the places at most.
type gate struct {
	wait  time.Duration
	queue int // callers that may wait in each lane
	share int // callers of one network, running or waiting

	mu     sync.Mutex
	free   int // slots
	lanes  [2][]chan struct{}
	next   int                  // the lane whose turn it is
	inside map[netip.Prefix]int // callers, by networks that have at least one
}

func newGate(slots, queue int, wait time.Duration) *gate {
	return &gate{
		wait: wait, queue: queue, share: max(1, (slots+queue)/networkShare),
		free: slots, inside: map[netip.Prefix]int{},
	}
}

// do runs work in the caller's goroutine once there is room. Otherwise it
// returns an error of kind apperr.Busy (there is no place for the caller, or the
// wait or ctx's deadline is over) or apperr.Canceled, and work has not begun.
func (g *gate) do(ctx context.Context, work func()) error {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	c := callerOf(ctx)
	if err := g.enter(ctx, c); err != nil {
		return err
	}
	defer g.leave(c)
	work()
	return nil
}

// enter takes a slot, or waits for one.
func (g *gate) enter(ctx context.Context, c caller) error {
	lane := 0
	if c.known {
		lane = 1
	}
	g.mu.Lock()
	if c.network.IsValid() && g.inside[c.network] >= g.share {
		g.mu.Unlock()
		return busy(errors.New("the network's share of password hashes is taken"))
	}
	if g.free == 0 && len(g.lanes[lane]) >= g.queue {
		g.mu.Unlock()
		return busy(errors.New("the queue for password hashes is full"))
	}
	g.inside[c.network]++
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.lanes[lane] = append(g.lanes[lane], turn)
	g.mu.Unlock()

	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-timer.C:
		return g.giveUp(c, lane, turn, busy(errors.New("waited too long for a password hash")))
	case <-ctx.Done():
		return g.giveUp(c, lane, turn, stopped(ctx))
	}
}

// giveUp takes a caller out of its lane and returns why, or nil when its turn
// came at the same moment.
func (g *gate) giveUp(c caller, lane int, turn chan struct{}, why error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.lanes[lane], turn)
	if i < 0 {
		return nil
	}
	g.lanes[lane] = slices.Delete(g.lanes[lane], i, i+1)
	g.forget(c)
	return why
}

// leave hands the slot on to the next caller.
func (g *gate) leave(c caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(c)
	for range g.lanes {
		lane := g.next
		g.next = (g.next + 1) % len(g.lanes)
		if len(g.lanes[lane]) > 0 {
			close(g.lanes[lane][0])
			g.lanes[lane] = g.lanes[lane][1:]
			return
		}
	}
	g.free++
}

// forget counts a caller out. g.mu is locked.
func (g *gate) forget(c caller) {
	if g.inside[c.network]--; g.inside[c.network] == 0 {
		delete(g.inside, c.network)
	}
}

// stopped classifies the end of ctx: a deadline means that we were slow, a
// cancellation that the caller disconnected.
func stopped(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return busy(ctx.Err())
	}
	return apperr.New(apperr.Canceled, "", ctx.Err())
}

func busy(cause error) error {
	return apperr.Wait(apperr.Busy, retryAfter, "Many people are signing in right now. Try again in a few seconds.", cause)
}
