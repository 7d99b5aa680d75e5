package auth

import (
	"context"
	"time"

	"latchkey/internal/token"
	"latchkey/models"
)

// Peek tells who presented a refresh token and leaves its session at the
// generation where it is: for an answer that cannot give the browser new
// tokens. The token must be one that Authenticate would go on with: the
// current one, or its immediate predecessor while the two overlap. An older
// one that comes back ends the session as ever.
//
// Its errors are apperr.Unavailable and apperr.Canceled. The Result never has
// tokens.
func (s *Service) Peek(ctx context.Context, refresh string, client Client) (Result, error) {
	ended := Result{Clear: true}
	claims, err := s.keyring.Verify(token.WebRefresh, refresh)
	if err != nil {
		s.reportClass(ctx, token.WebRefresh, refresh, client)
		return ended, nil
	}
	now := s.now()
	p, err := s.store.Sessions.Examine(ctx, claims.SessionID, claims.ID, now)
	if p, err = ofToken(claims, p, err); p == nil {
		return ended, err
	}
	session := &p.Session
	if ended.Ended = p.Over; ended.Ended != "" {
		return ended, nil
	}
	presented, current := claims.Generation, session.Generation
	if presented == current || presented == current-1 && s.overlaps(session, now) {
		if err := s.seen(ctx, claims, session, now); err != nil {
			return Result{}, err
		}
		return Result{Identity: identityOf(p)}, nil
	}
	ended.Ended, err = s.endMisused(ctx, p, presented, client)
	return ended, err
}

// seen records the use of a session's tokens: the first of their generation
// confirms it, and otherwise last_seen_at is written at most once a minute.
func (s *Service) seen(ctx context.Context, claims *token.Claims, session *models.Session, now time.Time) error {
	unseen := now.Sub(session.LastSeenAt.Time()) >= seenEvery
	if claims.Generation > session.ConfirmedGeneration || unseen && claims.Generation == session.ConfirmedGeneration {
		return s.store.Sessions.Confirm(ctx, claims.SessionID, claims.Generation, now)
	}
	return nil
}
