package oauth

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/token"
)

// tutorialTime is how long after the sign-in a refresh token gets access tokens
// by RefreshedAccess, and how long the last of them lives. It is the life of a
// refresh token in the tutorial that has this way.
const tutorialTime = 10 * time.Hour

// RefreshedAccess returns an access token of the session of a refresh token,
// with all scopes of the session, and leaves the refresh token valid. This neither
// rotates the session nor extends its idle limit.
//
// It returns apperr.NotFound when renewal is off, and apperr.Unauthorized for
// anything but the newest refresh token of a live session whose sign-in is less
// than tutorialTime ago. A refresh token that was rotated is a copy and ends its
// session, as it does at RefreshGrant.
func (s *Service) RefreshedAccess(ctx context.Context, refresh string, client auth.Client) (*Tokens, error) {
	if !s.renewal {
		return nil, apperr.New(apperr.NotFound, "", nil)
	}
	claims, p, err := s.programOf(ctx, token.APIRefresh, refresh, client)
	if err != nil {
		return nil, err
	}
	if err := s.held(ctx, auth.IdentityOf(p)); err != nil {
		return nil, err
	}
	if claims.Generation != p.Session.Generation {
		if _, err := s.auth.RotateProgram(ctx, claims, client); err != nil { // rotates nothing: it ends the session
			return nil, err
		}
		return nil, refused(errors.New("a refresh token of another generation"))
	}
	session, err := s.store.Sessions.ByID(ctx, p.Session.ID)
	if errors.Is(err, apperr.NotFound) {
		return nil, refused(err)
	}
	if err != nil {
		return nil, err
	}
	end := session.CreatedAt.Time().Add(tutorialTime)
	if !s.now().Before(end) {
		return nil, refused(errors.New("the sign-in is too long ago for an access token without a rotation"))
	}
	// The access token gets the generation of the refresh token: if the session was
	// rotated in the meantime, it counts as an earlier one.
	session.Generation, session.Delivery, session.ClientID = claims.Generation, claims.Delivery, claims.ClientID
	return s.mintAccess(session, Granted(claims.Scope).effective(p.Role), end), nil
}
