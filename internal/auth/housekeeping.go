package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// How long things are kept after their use.
const (
	keepSessions = endedShown           // after their absolute limit; personal access tokens too
	keepTokens   = 7 * 24 * time.Hour   // dead links still explain themselves
	keepDevices  = 180 * 24 * time.Hour // since they were last used
	keepAudit    = 180 * 24 * time.Hour
	keepFailed   = 30 * 24 * time.Hour // failed sign-ins, with addresses of people who may have no account
	keepBuckets  = 24 * time.Hour      // the longest window

	keepInvitations = keepAudit // after they are over
)

// Limits of the clock.
const (
	maxSkew = 30 * time.Second // between this process's clock and the database's
	maxJump = 24 * time.Hour   // between two checks; after more, the clock has to be steady for as long
)

// ErrClock is why Purge removes nothing: the clock may be wrong.
var ErrClock = errors.New("the clock may be wrong")

// Purge removes rows that are no longer needed and returns how many it removed. It
// removes a denial only after the denied token has expired. It works in small batches
// with rests in between. Replicas may purge at the same time. While the clock may be
// wrong, Purge removes nothing and returns ErrClock. Call it more than once a day.
func (s *Service) Purge(ctx context.Context) (int64, error) {
	now := s.now()
	if err := s.checkClock(ctx, now); err != nil {
		return 0, err
	}
	var total int64
	for _, purge := range []func(limit int) (int64, error){
		func(limit int) (int64, error) { return s.store.Denylist.Purge(ctx, now, limit) },
		func(limit int) (int64, error) { return s.store.Sessions.Purge(ctx, now.Add(-keepSessions), limit) },
		func(limit int) (int64, error) { return s.store.Tokens.Purge(ctx, now.Add(-keepTokens), limit) },
		func(limit int) (int64, error) {
			return s.store.PersonalTokens.Purge(ctx, now.Add(-keepSessions), limit)
		},
		func(limit int) (int64, error) { return s.store.Users.PurgeRetired(ctx, now, limit) },
		func(limit int) (int64, error) { return s.store.Phantoms.Purge(ctx, now, limit) },
		func(limit int) (int64, error) { return s.store.Devices.Purge(ctx, now.Add(-keepDevices), limit) },
		func(limit int) (int64, error) {
			return s.store.EmailChanges.Purge(ctx, now.Add(-models.KeepEmail), limit)
		},
		func(limit int) (int64, error) { return s.store.Audit.Purge(ctx, now.Add(-keepAudit), limit) },
		func(limit int) (int64, error) {
			return s.store.Audit.PurgeAction(ctx, audit.LoginFailed, now.Add(-keepFailed), limit)
		},
		func(limit int) (int64, error) {
			return s.store.Invitations.Purge(ctx, now.Add(-keepInvitations), limit)
		},
		func(limit int) (int64, error) {
			return s.limits.Purge(ctx, now.Add(-keepBuckets), limit)
		},
	} {
		n, err := models.Paced(ctx, purge)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// checkClock returns ErrClock unless the clock agrees with the database's and has
// not jumped within the last day.
//
// A jump cannot be told from a portal that was off for as long, so the clock is
// trusted again once it has been steady for a day. A clock that differs from the
// database's is not recorded: it is this server's fault, not that of the others.
func (s *Service) checkClock(ctx context.Context, now time.Time) error {
	skew, bad, err := s.Skew(ctx)
	if err != nil {
		return err
	}
	if bad {
		return fmt.Errorf("%w: it differs from the database's by %s", ErrClock, skew.Abs())
	}
	steadySince, err := s.store.Clock.Check(ctx, now, maxJump)
	if err != nil {
		return err
	}
	if now.Before(steadySince.Add(maxJump)) {
		return fmt.Errorf("%w: it moved by more than a day, or the portal was off for as long; if it is right, purging goes on by itself after 24 hours", ErrClock)
	}
	return nil
}

// Skew returns how far this process's clock is ahead of the database's, and
// whether that is too far for lifetimes to mean anything.
func (s *Service) Skew(ctx context.Context) (skew time.Duration, bad bool, err error) {
	theirs, err := s.databaseNow(ctx)
	if err != nil {
		return 0, false, err
	}
	skew = s.now().Sub(theirs)
	return skew, skew.Abs() > maxSkew, nil
}

// CountSessions returns how many sessions are live. At a million sessions it takes
// up to a second.
func (s *Service) CountSessions(ctx context.Context) (int64, error) {
	return s.store.Sessions.CountLive(ctx, s.now())
}
