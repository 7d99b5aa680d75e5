package password

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
)

// retryAfter is how long a refused caller is told to wait.
const retryAfter = 2 * time.Second

// gate lets a few pieces of work run at a time and a bounded number wait, in
// the order they came.
//
// One Argon2id hash fills a core and 19 MiB. More of them at once finish no
// sooner; they only take memory and let every caller time out together.
type gate struct {
	places chan struct{} // one element for each caller inside, running or waiting
	slots  chan struct{} // one element for each piece of work that runs
	wait   time.Duration
}

func newGate(slots, queue int, wait time.Duration) *gate {
	return &gate{places: make(chan struct{}, slots+queue), slots: make(chan struct{}, slots), wait: wait}
}

// do runs work in the caller's goroutine once there is room. Otherwise it
// returns an error of kind apperr.Busy (the queue is full, or the wait or ctx's
// deadline is over) or apperr.Canceled, and work has not begun.
func (g *gate) do(ctx context.Context, work func()) error {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	select {
	case g.places <- struct{}{}:
		defer func() { <-g.places }()
	default:
		return busy(errors.New("the queue for password hashes is full"))
	}
	if err := g.enter(ctx); err != nil {
		return err
	}
	defer func() { <-g.slots }()
	work()
	return nil
}

// enter takes a slot. Waiters on a channel are served in the order they came.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}: // a free slot wins over a wait that is over
		return nil
	default:
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
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
