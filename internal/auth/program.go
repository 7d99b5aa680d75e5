package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/token"
	"latchkey/models"
)

// A program that uses the API has a session like a browser's. Package oauth
// decides which tokens it gets; this file has the rows and their rules.

// OpenProgram opens the session of a program in a transaction that has locked
// the user. scope is the granted scope, clientID the program's name for itself.
func (s *Service) OpenProgram(ctx context.Context, tx *models.Store, userID, scope, clientID string, client Client) (*models.Session, error) {
	session := s.newSession(userID, MethodPassword, true, ByPassword(), client)
	session.Kind, session.Scope, session.ClientID = models.KindAPI, scope, clientID
	if err := tx.Sessions.Create(ctx, session); err != nil {
		return nil, err
	}
	return session, tx.Sessions.Trim(ctx, session, maxSessions, s.now())
}

// RotateProgram moves the session of a refresh token to its next generation. It
// returns apperr.Unauthorized for a token that is not valid, apperr.TooMany
// with the time to wait, or apperr.Unavailable.
//
// Unlike a browser, a program gets no second chance: presenting a used token ends
// the session (RFC 9700 §4.14.2).
func (s *Service) RotateProgram(ctx context.Context, claims *token.Claims, client Client) (*models.Presence, error) {
	p, err := s.store.Sessions.Rotate(ctx, s.rotation(claims, client))
	if err == nil {
		s.countRotation(RotationWon)
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
	switch {
	case p == nil:
		return nil, unauthorized("there is no such session")
	case p.Over != "":
		return nil, unauthorized("the session is over: " + string(p.Over))
	case deliveryOf(claims) == currentDelivery(&p.Session):
		return nil, held(&p.Session, now, "This session was refreshed too often in a short time.")
	}
	if _, err := s.endAfterReuse(ctx, p, claims, client); err != nil {
		return nil, err
	}
	return nil, unauthorized("a refresh token of another generation")
}

// ProgramOf returns the live session of a program's token with its person. It
// returns apperr.Unauthorized when the session is over, or older than the token.
func (s *Service) ProgramOf(ctx context.Context, claims *token.Claims) (*models.Presence, error) {
	p, err := s.store.Sessions.Identify(ctx, claims.SessionID, claims.ID, s.now())
	if p, err = ofToken(claims, p, err); err != nil {
		return nil, err
	}
	switch {
	case p == nil:
		return nil, unauthorized("there is no such session")
	case p.Over != "":
		return nil, unauthorized("the session is over: " + string(p.Over))
	case deliveryOf(claims).after(currentDelivery(&p.Session)):
		return nil, unauthorized("the token is newer than its session")
	}
	return p, nil
}

// ProgramUsed records that a program used one of its access tokens, at most once
// per seenEvery. An older access token of the session counts too: a program may
// share them among its workers.
func (s *Service) ProgramUsed(ctx context.Context, session *models.Session) error {
	now := s.now()
	before := now.Add(-s.seenEvery)
	if session.LastSeenAt > models.At(before) {
		return nil
	}
	return s.store.Sessions.Seen(ctx, session.ID, now, before)
}

func unauthorized(cause string) error { return apperr.New(apperr.Unauthorized, "", errors.New(cause)) }
