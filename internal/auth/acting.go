package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// LockActive locks the account of a signed-in person who changes it, and
// returns its row. Call it first in the transaction of the change. It returns
// apperr.Unauthorized when the account was disabled or deleted, or the session
// ended, after the request was authenticated.
func (s *Service) LockActive(ctx context.Context, tx *models.Store, person *Identity) (*models.User, error) {
	user, err := tx.Users.Lock(ctx, person.UserID)
	if err != nil {
		return nil, SignedOut(err)
	}
	if user.Disabled() {
		return nil, apperr.New(apperr.Unauthorized, "", errors.New("disabled meanwhile"))
	}
	return user, s.StillSignedIn(ctx, tx, person.Actor(Client{}))
}

// StillSignedIn returns apperr.Unauthorized when the actor's session or personal
// access token has ended: between authentication and the change the body is
// read, which can take seconds. Call it after the account is locked; whatever
// ends a session locks the account first too.
func (s *Service) StillSignedIn(ctx context.Context, tx *models.Store, actor Actor) error {
	in, err := false, error(nil)
	if actor.PersonalTokenID != "" {
		in, err = tx.PersonalTokens.IsWorking(ctx, actor.PersonalTokenID, actor.UserID, s.now())
	} else {
		in, err = tx.Sessions.IsLive(ctx, actor.SessionID, actor.UserID, s.now())
	}
	if err == nil && !in {
		err = apperr.New(apperr.Unauthorized, "", errors.New("signed out meanwhile"))
	}
	return err
}

// SignedOut turns apperr.NotFound for the actor's own account or session into
// apperr.Unauthorized.
func SignedOut(err error) error {
	if errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.Unauthorized, "", err)
	}
	return err
}
