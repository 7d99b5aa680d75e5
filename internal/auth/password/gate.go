package password

import (
	"context"
	"errors"
	"net/netip"
	"runtime/debug"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/share"
)

// retryAfter is how long a refused caller is told to wait.
const retryAfter = 2 * time.Second

// Caller is the client that a hash is computed for. The zero value is a stranger
// from an unknown network.
type Caller struct {
	IP    netip.Addr
	Known bool // on a device known to the account, or proven otherwise
}

// gate lets a few pieces of work run at a time and a bounded number wait.
//
// One Argon2id hash fills a core and 19 MiB. More of them at once finish no
// sooner; they only take memory and let every caller time out together.
//
// Known callers have a lane of their own. Each lane serves its callers in the
// order in which they came, and the lanes take turns, so strangers who fill their
// lane delay a known caller by one hash at most.
type gate struct {
	slots     chan struct{} // one element for each piece of work that runs
	heavy     chan struct{} // one element while heavy work runs or is next
	wait      time.Duration
	waited    func(time.Duration) // may be nil
	strangers lane
	known     lane
}

// lane is a queue. Only its first caller waits for a slot. The two lanes take
// turns because a channel serves its senders in the order in which they came.
type lane struct {
	places *share.Places // of callers, running or waiting
	first  chan struct{} // one element while a caller is first
}

func newGate(slots, queue int, wait time.Duration) *gate {
	newLane := func() lane { return lane{places: share.New(slots + queue), first: make(chan struct{}, 1)} }
	return &gate{slots: make(chan struct{}, slots), heavy: make(chan struct{}, 1), wait: wait, strangers: newLane(), known: newLane()}
}

// do runs work in the caller's goroutine once there is room. Otherwise it
// returns an error of kind apperr.Busy (the lane or the network's share of it is
// full, or the wait or ctx's deadline is over) or apperr.Canceled, and work has
// not begun.
func (g *gate) do(ctx context.Context, caller Caller, work func()) error {
	return g.run(ctx, caller, false, work)
}

// doHeavy is do for work that takes more memory than a slot stands for. Only one
// such piece runs at a time. Those that wait for it hold nobody else up.
func (g *gate) doHeavy(ctx context.Context, caller Caller, work func()) error {
	return g.run(ctx, caller, true, func() {
		work()
		debug.FreeOSMemory() // or the next one would come on top of this one's memory
	})
}

func (g *gate) run(ctx context.Context, caller Caller, heavy bool, work func()) error {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	lane, network := g.strangers, share.Network(caller.IP)
	if caller.Known {
		lane = g.known
	}
	if !lane.places.Take(network) {
		return busy(errors.New("the queue for password hashes is full"))
	}
	defer lane.places.Free(network)
	start := time.Now()
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	var err error
	if heavy {
		if err = take(ctx, g.heavy, timer); err == nil {
			defer func() { <-g.heavy }()
		}
	}
	if err == nil {
		err = g.enter(ctx, lane.first, timer)
	}
	if g.waited != nil {
		g.waited(time.Since(start))
	}
	if err != nil {
		return err
	}
	defer func() { <-g.slots }()
	work()
	return nil
}

// enter takes a slot once the caller is the first of its lane.
func (g *gate) enter(ctx context.Context, first chan struct{}, timer *time.Timer) error {
	if err := take(ctx, first, timer); err != nil {
		return err
	}
	defer func() { <-first }()
	return take(ctx, g.slots, timer)
}

// take puts an element into a channel, unless ctx or timer ends first.
func take(ctx context.Context, into chan struct{}, timer *time.Timer) error {
	select {
	case into <- struct{}{}: // room wins over a wait that is over
		return nil
	default:
	}
	select {
	case into <- struct{}{}:
		return nil
	case <-timer.C:
		return busy(errors.New("waited too long for a password hash"))
	case <-ctx.Done():
		return stopped(ctx)
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
