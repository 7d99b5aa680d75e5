package auth

import (
	"context"
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
	keepFailed   = 30 * 24 * time.Hour // failed sign-ins, with addresses of people who may be nobody's users
	keepBuckets  = 24 * time.Hour      // the longest window
)

// purgeBatch bounds one statement, so that nothing waits long behind it.
const purgeBatch = 500

// Purge removes what nothing needs any more and returns how many rows went. A
// denial goes only after the token it denies is dead. Replicas may do it at
// the same time.
func (s *Service) Purge(ctx context.Context) (int64, error) {
	now := s.now()
	var total int64
	for _, purge := range []func(*models.Store) (int64, error){
		func(t *models.Store) (int64, error) { return t.Denylist.Purge(ctx, now, purgeBatch) },
		func(t *models.Store) (int64, error) { return t.Sessions.Purge(ctx, now.Add(-keepSessions), purgeBatch) },
		func(t *models.Store) (int64, error) { return t.Tokens.Purge(ctx, now.Add(-keepTokens), purgeBatch) },
		func(t *models.Store) (int64, error) {
			return t.PersonalTokens.Purge(ctx, now.Add(-keepSessions), purgeBatch)
		},
		func(t *models.Store) (int64, error) { return t.Users.PurgeRetired(ctx, now, purgeBatch) },
		func(t *models.Store) (int64, error) { return t.Devices.Purge(ctx, now.Add(-keepDevices), purgeBatch) },
		func(t *models.Store) (int64, error) { return t.Audit.Purge(ctx, now.Add(-keepAudit), purgeBatch) },
		func(t *models.Store) (int64, error) {
			return t.Audit.PurgeAction(ctx, audit.LoginFailed, now.Add(-keepFailed), purgeBatch)
		},
		func(*models.Store) (int64, error) {
			return s.limits.Purge(ctx, now.Add(-keepBuckets), purgeBatch)
		},
	} {
		for {
			n, err := purge(s.store)
			total += n
			if err != nil {
				return total, err
			}
			if n < purgeBatch {
				break
			}
		}
	}
	return total, nil
}

// maxSkew is how far this clock and the database's may be apart.
const maxSkew = 30 * time.Second

// Skew returns how far this process's clock is ahead of the database's, and
// whether that is too far for lifetimes to mean anything.
func (s *Service) Skew(ctx context.Context) (skew time.Duration, bad bool, err error) {
	theirs, err := s.store.Now(ctx)
	if err != nil {
		return 0, false, err
	}
	skew = s.now().Sub(theirs)
	return skew, skew.Abs() > maxSkew, nil
}
