package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/token"
	"latchkey/models"
)

// Logout ends the session that the tokens point to and denies the tokens, in
// one transaction. Once it returns nil, the session and its tokens have stopped
// working everywhere. It ignores tokens that are not ours or have expired.
func (s *Service) Logout(ctx context.Context, presented Presented, client Client) error {
	genuine := s.genuine(presented)
	if len(genuine) == 0 {
		return nil
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		ended, err := s.endEach(ctx, tx, genuine, models.ReasonLogout)
		if err != nil {
			return err
		}
		for _, session := range ended {
			user, err := tx.Users.ByID(ctx, session.UserID)
			if err != nil {
				return err
			}
			actor := Actor{UserID: user.ID, Name: user.Username, SessionID: session.ID, Client: client}
			record(actor.Event(audit.Logout, user, audit.Details{}))
		}
		return nil
	})
}

// endEach ends the sessions that genuine tokens point to, denies the tokens, and
// returns the sessions that were live. Two tokens may be of different sessions.
func (s *Service) endEach(ctx context.Context, tx *models.Store, genuine []*token.Claims, reason models.Reason) ([]models.Session, error) {
	var ended []models.Session
	for _, claims := range genuine {
		live, err := s.EndByToken(ctx, tx, claims, reason)
		if err != nil {
			return nil, err
		}
		if live {
			ended = append(ended, models.Session{ID: claims.SessionID, UserID: claims.Subject})
		}
	}
	return ended, nil
}

// EndByToken ends the session that a token points to, denies the token, and
// reports whether the session was live.
func (s *Service) EndByToken(ctx context.Context, tx *models.Store, claims *token.Claims, reason models.Reason) (bool, error) {
	if err := tx.Denylist.Deny(ctx, claims.ID, claims.Subject, reason, claims.ExpiresAt.Time()); err != nil {
		return false, err
	}
	err := tx.Sessions.End(ctx, claims.SessionID, claims.Subject, reason, s.now())
	if errors.Is(err, apperr.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// genuine returns the claims of those tokens that are ours and not expired. A
// token that is not valid yet is included: its session must end too.
func (s *Service) genuine(presented Presented) []*token.Claims {
	var list []*token.Claims
	if claims, err := s.keyring.VerifyUnexpired(token.WebAccess, presented.Access); err == nil {
		list = append(list, claims)
	}
	if claims, err := s.keyring.VerifyUnexpired(token.WebRefresh, presented.Refresh); err == nil {
		list = append(list, claims)
	}
	return list
}
