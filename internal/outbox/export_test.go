package outbox

import "time"

// Hurry shortens the waits that the clock of a test does not move.
func (o *Outbox) Hurry() { o.pollEvery, o.markPause = time.Millisecond, time.Millisecond }
