package servicetest

import (
	"sync/atomic"
	"time"
)

// Start is when the clock of a Portal begins.
var Start = time.Date(2026, 3, 1, 8, 30, 0, 250_000_000, time.UTC)

// Clock is a time that moves only when a test says so. It is safe for
// concurrent use.
type Clock struct{ micros, tick atomic.Int64 }

// NewClock returns a clock that shows start, in whole microseconds.
func NewClock(start time.Time) *Clock {
	c := &Clock{}
	c.micros.Store(start.UnixMicro())
	return c
}

// Now returns the time.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Add(c.tick.Load())).UTC() }

// Tick lets d pass at every call of Now, as time does between two lines of a program.
func (c *Clock) Tick(d time.Duration) { c.tick.Store(d.Microseconds()) }

// Advance lets time pass; a negative d steps the clock back.
func (c *Clock) Advance(d time.Duration) { c.micros.Add(d.Microseconds()) }
