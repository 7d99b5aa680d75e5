package main

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/auth"
)

const (
	housekeepingEvery = time.Hour
	slowHash          = 250 * time.Millisecond
)

// firstPurge is how long after the start the first purge begins: those who were cut
// off while the server restarted come back first. Tests shorten it.
var firstPurge = time.Minute

// keepPurging purges expired rows, an hour after the purge before.
func (o *portal) keepPurging(ctx context.Context) error {
	timer := time.NewTimer(firstPurge)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		o.purge(ctx) // after a long pause it may take hours: it rests in between
		timer.Reset(housekeepingEvery)
	}
}

// keepHouse runs background work at the start and every hour: it seals secrets
// again after a change of the master secret.
func (o *portal) keepHouse(ctx context.Context) error {
	if took := o.hasher.SelfTest(); took > slowHash {
		o.logger.Warn("one password hash takes long: every sign-in occupies a core for that time", "took", took.String())
	} else {
		o.logger.Debug("one password hash", "took", took.String())
	}
	ticker := time.NewTicker(housekeepingEvery)
	defer ticker.Stop()
	for {
		o.tidy(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (o *portal) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, housekeepingEvery/2)
	defer cancel()
	// A process of an earlier release may have created accounts since the
	// start.
	if err := o.store.Users.FillSearch(ctx); err != nil && ctx.Err() == nil {
		o.logger.Warn("prepare accounts for search", "error", err.Error())
	}
	if n, err := o.auth.ResealApps(ctx); err != nil && ctx.Err() == nil {
		o.logger.Warn("seal the secrets of authenticator apps again", "error", err.Error())
	} else if n > 0 {
		o.logger.Info("sealed the secrets of authenticator apps with the new master secret", "apps", n)
	}
}

// purge purges expired rows. While the clock may be wrong it removes
// nothing; it logs that once, and once that it purges again.
func (o *portal) purge(ctx context.Context) {
	purged, err := o.auth.Purge(ctx)
	if err == nil { // the clock is right
		var n int64
		n, err = o.outbox.Purge(ctx)
		purged += n
	}
	switch {
	case errors.Is(err, auth.ErrClock):
		if !o.purgeHeld {
			o.logger.Warn("nothing is purged for now: check this machine's time", "error", err.Error())
		}
		o.purgeHeld = true
	case err != nil:
		if ctx.Err() == nil {
			o.logger.Warn("purge", "error", err.Error())
		}
	default:
		if o.purgeHeld {
			o.logger.Info("the clock is trusted again: purging goes on")
		}
		o.purgeHeld = false
		if o.metrics != nil {
			o.metrics.Purged(time.Now())
		}
		if purged > 0 {
			o.logger.Info("purged expired rows", "rows", purged)
		}
		o.erase(ctx) // only while the clock is trusted
	}
}
