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

// ErrUsePasskey is the cause of apperr.Forbidden for a person who has to prove with a
// passkey who they are.
var ErrUsePasskey = errors.New("the password alone is not enough where a second step is required and there is a passkey")

// LockFactors is LockActive for a change of the factors of an account. While a second
// step is required, a password alone must not add one to an account that has passkeys,
// so it returns apperr.Forbidden with ErrUsePasskey.
func (s *Service) LockFactors(ctx context.Context, tx *models.Store, person *Identity) (*models.User, error) {
	user, err := s.LockActive(ctx, tx, person)
	if err != nil || !s.LacksStep(person) {
		return user, err
	}
	uses, err := s.usesPasskeys(ctx, tx, user.ID)
	if err == nil && uses {
		err = apperr.New(apperr.Forbidden, "Continue with your passkey first.", ErrUsePasskey)
	}
	return user, err
}

// MustUsePasskey reports whether a person lacks a required step in their session and
// has a passkey, which is enough.
func (s *Service) MustUsePasskey(ctx context.Context, person *Identity) (bool, error) {
	if !s.LacksStep(person) {
		return false, nil
	}
	return s.usesPasskeys(ctx, s.store, person.UserID)
}

// usesPasskeys reports whether an account has a passkey that works where the portal is.
func (s *Service) usesPasskeys(ctx context.Context, store *models.Store, userID string) (bool, error) {
	rows, err := store.Passkeys.InUse(ctx, userID)
	return s.passkeys.Unavailable() == "" && len(s.here(rows)) > 0, err
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
