package auth

import (
	"context"
	"time"

	"latchkey/internal/token"
	"latchkey/models"
)

// Peek returns the person behind a refresh token without rotating its session,
// for responses that cannot give the browser new tokens. It accepts the tokens
// that Authenticate accepts: the current one, and its immediate predecessor
// while the two overlap. An older token ends the session, as always.
//
// Its errors are apperr.Unavailable and apperr.Canceled. The Result never has
// tokens.
func (s *Service) Peek(ctx context.Context, refresh string, client Client) (Result, error) {
	claims, err := s.keyring.Verify(token.WebRefresh, refresh)
	if err != nil {
		s.ReportClass(ctx, token.WebRefresh, refresh, client)
		return Result{}, nil
	}
	now := s.now()
	p, err := s.store.Sessions.Examine(ctx, claims.SessionID, claims.ID, now)
	if p, err = ofToken(claims, p, err); p == nil {
		return Result{Over: true}, err
	}
	session := &p.Session
	if p.Over != "" {
		return Result{Over: true, Ended: p.Over}, nil
	}
	switch s.judge(deliveryOf(claims), session, now) {
	case verdictCurrent, verdictParallel, verdictLate:
		if err := s.seen(ctx, claims, session, now); err != nil {
			return Result{}, err
		}
		return Result{Identity: IdentityOf(p)}, nil
	}
	ended, err := s.endAfterReuse(ctx, p, claims, client)
	return Result{Over: true, Ended: ended}, err
}

// seen records the use of a session's tokens: the first use confirms their
// delivery, and otherwise last_seen_at is written at most once per seenEvery.
func (s *Service) seen(ctx context.Context, claims *token.Claims, session *models.Session, now time.Time) error {
	used, confirmed, before := deliveryOf(claims), confirmedDelivery(session), now.Add(-s.seenEvery)
	if used.after(confirmed) || used == confirmed && session.LastSeenAt <= models.At(before) {
		return s.store.Sessions.Confirm(ctx, claims.SessionID, used.generation, used.number, now, before)
	}
	return nil
}
