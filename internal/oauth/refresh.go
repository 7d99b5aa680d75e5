package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/token"
	"latchkey/models"
)

// RefreshGrant continues an API session: one rotation per refresh token. A used
// one ends the session (RFC 9700 §4.14.2). It returns ErrInvalidRequest,
// ErrInvalidScope or ErrInvalidGrant; apperr.TooMany with the time to wait, or
// apperr.Unavailable.
//
// A narrower scope holds only for the new access token; the session keeps its
// scopes (RFC 6749 §6).
func (s *Service) RefreshGrant(ctx context.Context, in RefreshGrant, client auth.Client) (*Tokens, error) {
	if !isClientID(in.ClientID) {
		return nil, fmt.Errorf("client_id: %w", ErrInvalidRequest)
	}
	claims, err := s.keyring.Verify(token.APIRefresh, in.RefreshToken)
	if err != nil {
		s.auth.ReportClass(ctx, token.APIRefresh, in.RefreshToken, client)
		return nil, notGranted(err)
	}
	if in.ClientID != "" && in.ClientID != claims.ClientID {
		return nil, notGranted(errors.New("the refresh token of another client"))
	}
	scopes := Granted(claims.Scope)
	wanted, known := ParseScopes(in.Scope)
	if !known || !wanted.Within(scopes) {
		return nil, fmt.Errorf("more than was granted: %w", ErrInvalidScope)
	}
	if len(wanted) > 0 {
		scopes = wanted
	}
	if err := s.checkHeld(ctx, claims); err != nil {
		return nil, err
	}
	p, err := s.auth.RotateProgram(ctx, claims, client)
	if errors.Is(err, apperr.Unauthorized) {
		return nil, notGranted(err)
	}
	if err != nil {
		return nil, err
	}
	p.Session.Scope, p.Session.ClientID = claims.Scope, claims.ClientID
	return s.mint(&p.Session, scopes.effective(p.Role)), nil
}

// checkHeld refuses the refresh token of a person who has to do something in a browser
// first, without using it.
func (s *Service) checkHeld(ctx context.Context, claims *token.Claims) error {
	if !s.verified && !s.auth.RequiresStep(true) {
		return nil
	}
	p, err := s.auth.ProgramOf(ctx, claims)
	if errors.Is(err, apperr.Unauthorized) {
		return nil // the rotation decides
	}
	if err == nil {
		err = s.held(ctx, auth.IdentityOf(p))
	}
	if Held(err) {
		return notGranted(err)
	}
	return err
}

// renewalTime is how long after a password or refresh grant access tokens can
// be renewed, and how long the last of them lives: a stolen access token must
// not replace the refresh token.
const renewalTime = time.Hour

// RenewAccess returns a fresh access token of the caller's session, with the
// scopes of the present one, at most renewalTime after the last grant. This
// neither rotates the session nor extends its idle limit.
//
// It returns apperr.NotFound when renewal is off, apperr.Forbidden for a personal
// access token, which has no session, and apperr.Unauthorized when the time is
// up or the session was rotated since the present token was made: a caller who
// missed the rotation does not hold the session.
func (s *Service) RenewAccess(ctx context.Context, caller *Caller) (*Tokens, error) {
	if !s.renewal {
		return nil, apperr.New(apperr.NotFound, "", nil)
	}
	if caller.Personal {
		return nil, apperr.New(apperr.Forbidden, "A personal access token cannot be renewed. Create a new one.", nil)
	}
	now := s.now()
	p, err := s.store.Sessions.Examine(ctx, caller.SessionID, caller.TokenID, now)
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	if err != nil || p.Over != "" || p.Session.Generation != caller.generation {
		return nil, refused(errors.New("an access token of an earlier generation, or of a session that just ended"))
	}
	end := p.Session.DeliveredAt.Time().Add(renewalTime)
	if !now.Before(end) {
		return nil, refused(errors.New("the last grant of the session is too long ago to renew an access token"))
	}
	p.Session.ClientID = caller.ClientID
	return s.mintAccess(&p.Session, caller.Scopes, end), nil
}

// mint signs the tokens of a session's current delivery: the refresh token with
// the scopes of the session, the access token with the given scopes.
func (s *Service) mint(session *models.Session, scopes Scopes) *Tokens {
	tokens := s.mintAccess(session, scopes, session.ExpiresAt.Time())
	claims := auth.RefreshClaims(session)
	claims.Scope, claims.ClientID = session.Scope, cmp.Or(session.ClientID, DefaultClientID)
	tokens.Refresh = s.keyring.Sign(token.APIRefresh, claims)
	return tokens
}

// mintAccess signs an access token of the session (RFC 9068 §2.2) that expires
// at end at the latest. ExpiresIn is shorter when the idle limit of the session
// comes first, because only use extends it.
func (s *Service) mintAccess(session *models.Session, scopes Scopes, end time.Time) *Tokens {
	claims := s.auth.AccessClaims(session)
	claims.ExpiresAt = min(claims.ExpiresAt, token.DateOf(end))
	claims.Scope, claims.ClientID = scopes.String(), cmp.Or(session.ClientID, DefaultClientID)
	return &Tokens{
		Access: s.keyring.Sign(token.APIAccess, claims), Scope: claims.Scope,
		ExpiresIn: min(time.Duration(claims.ExpiresAt-claims.IssuedAt)*time.Second, s.unusedLife(session)),
	}
}

// unusedLife returns how long a session still lives if it is not used, in whole
// seconds.
func (s *Service) unusedLife(session *models.Session) time.Duration {
	end := min(session.ExpiresAt, session.LastSeenAt.Add(session.Idle()))
	return max(end.Time().Sub(s.now()), 0).Truncate(time.Second)
}
