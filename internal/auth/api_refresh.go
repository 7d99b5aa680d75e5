package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/token"
	"latchkey/models"
)

// RefreshGrant goes on with an API session: one rotation per refresh token. A
// used one ends the session (RFC 9700 §4.14.2). It returns ErrInvalidRequest,
// ErrInvalidScope or ErrInvalidGrant; apperr.TooMany with the time to wait, or
// apperr.Unavailable.
//
// A narrower scope holds for the new access token alone; the session keeps
// what it was granted (RFC 6749 §6).
func (s *Service) RefreshGrant(ctx context.Context, in RefreshGrant, client Client) (*APITokens, error) {
	if !isClientID(in.ClientID) {
		return nil, fmt.Errorf("client_id: %w", ErrInvalidRequest)
	}
	claims, err := s.keyring.Verify(token.APIRefresh, in.RefreshToken)
	if err != nil {
		s.reportClass(ctx, token.APIRefresh, in.RefreshToken, client)
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
	p, err := s.rotateAPI(ctx, claims, client)
	if err != nil {
		return nil, err
	}
	p.Session.Scope, p.Session.ClientID = claims.Scope, claims.ClientID
	return s.mintAPI(&p.Session, scopes.effective(p.Role)), nil
}

// rotateAPI moves a session to its next generation. Unlike a browser, a client
// of the API gets no second chance: whoever comes second, with a token that is
// used, ends the session.
func (s *Service) rotateAPI(ctx context.Context, claims *token.Claims, client Client) (*models.Presence, error) {
	p, err := s.store.Sessions.Rotate(ctx, s.rotation(claims, client))
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	now := s.now()
	p, err = s.store.Sessions.Examine(ctx, claims.SessionID, claims.ID, now)
	if p, err = ofToken(claims, p, err); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, notGranted(errors.New("there is no such session"))
	}
	if p.Over != "" {
		return nil, notGranted(errors.New("the session is over: " + string(p.Over)))
	}
	if deliveryOf(claims) == currentDelivery(&p.Session) {
		return nil, heldAPI(&p.Session, now)
	}
	if _, err := s.endAfterReuse(ctx, p, claims, client); err != nil {
		return nil, err
	}
	return nil, notGranted(errors.New("a refresh token of another generation"))
}

// heldAPI is held, in words for a client.
func heldAPI(session *models.Session, now time.Time) error {
	err := held(session, now)
	if errors.Is(err, apperr.TooMany) {
		apperr.Details(err).Message = "This session was refreshed too often in a short time."
	}
	return err
}

// RenewAccess returns a fresh access token of the caller's session, with the
// scopes of the present one. The session is not rotated and lives no longer
// for it. It returns apperr.Unauthorized when the session was rotated since
// the present token was made: whoever missed that is not who holds the
// session. A personal access token has no session: apperr.Forbidden.
func (s *Service) RenewAccess(ctx context.Context, caller *Caller) (*APITokens, error) {
	if caller.Personal {
		return nil, apperr.New(apperr.Forbidden, "A personal access token cannot be renewed. Create a new one.", nil)
	}
	p, err := s.store.Sessions.Examine(ctx, caller.SessionID, caller.TokenID, s.now())
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	if err != nil || p.Over != "" || p.Session.Generation != caller.generation {
		return nil, refusedBearer(errors.New("an access token of an earlier generation, or of a session that just ended"))
	}
	p.Session.ClientID = caller.ClientID
	return s.mintAccess(&p.Session, caller.Scopes), nil
}

// mintAPI signs the tokens of the session's generation: the refresh token with
// what the session was granted, the access token with scopes.
func (s *Service) mintAPI(session *models.Session, scopes Scopes) *APITokens {
	tokens := s.mintAccess(session, scopes)
	issued := session.DeliveredAt.Time().Truncate(time.Second)
	expires := earlier(issued.Add(session.Idle()), session.ExpiresAt.Time()).Truncate(time.Second)
	claims := sessionClaims(session, token.RefreshID(session.ID, session.Generation, session.Delivery), issued, expires)
	claims.Scope, claims.ClientID = session.Scope, cmp.Or(session.ClientID, DefaultClientID)
	tokens.Refresh = s.keyring.Sign(token.APIRefresh, claims)
	return tokens
}

// mintAccess signs an access token of the session (RFC 9068 §2.2).
func (s *Service) mintAccess(session *models.Session, scopes Scopes) *APITokens {
	now := s.now().Truncate(time.Second)
	expires := earlier(now.Add(s.accessTTL), session.ExpiresAt.Time()).Truncate(time.Second)
	claims := sessionClaims(session, models.NewID(), now, expires)
	claims.Scope, claims.ClientID = scopes.String(), cmp.Or(session.ClientID, DefaultClientID)
	return &APITokens{Access: s.keyring.Sign(token.APIAccess, claims), ExpiresIn: expires.Sub(now), Scope: claims.Scope}
}
