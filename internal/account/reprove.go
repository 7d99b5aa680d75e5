package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// passwordChanged refuses a change when the password was replaced after it was
// checked.
const passwordChanged = "Your password was just changed in another window or on another device. Nothing was changed here."

// proven is a person who may change their account: they entered the current password,
// or their session is freshly confirmed.
type proven struct {
	user       *models.User // as it was when it was checked
	byPassword bool
	attempt    limit.Taken // at the password
}

// needsPassword returns the problem of a form without the current password, "" if it
// needs none.
func needsPassword(current string, confirmed bool) string {
	if confirmed || current != "" {
		return ""
	}
	return "Enter your current password."
}

// reprove checks the current password of a signed-in person. With in.Confirmed it
// checks instead that the session is freshly confirmed, and returns auth.Unconfirmed
// if it is not.
func (s *Service) reprove(ctx context.Context, in CredentialChange) (proven, error) {
	if in.Confirmed && !s.auth.Confirmed(in.Identity) {
		return proven{}, auth.Unconfirmed()
	}
	user, err := s.store.Users.ByID(ctx, in.Identity.UserID)
	if err != nil {
		return proven{}, auth.SignedOut(err)
	}
	if in.Confirmed {
		return proven{user: user}, nil
	}
	attempt, err := s.auth.Prove(ctx, auth.Attempt{
		User: user, Identifier: user.Username, Password: in.Current, Device: in.Device, Client: in.Client,
	})
	if errors.Is(err, apperr.Unauthorized) {
		if err := s.audit.Record(ctx, in.Identity.Actor(in.Client).Event(audit.PasswordFailed, user, audit.Details{})); err != nil {
			return proven{}, err
		}
		return proven{}, apperr.Fields{{Field: "current_password", Message: "The current password is not correct."}}
	}
	return proven{user: user, byPassword: true, attempt: attempt}, err
}

// settle lets a change happen in the transaction that has locked the account. A right
// password is a confirmation of the session too. It returns apperr.Conflict when the
// password was replaced meanwhile.
func (s *Service) settle(ctx context.Context, tx *models.Store, person *auth.Identity, locked *models.User, p proven) error {
	if locked.PasswordHash != p.user.PasswordHash {
		return apperr.New(apperr.Conflict, passwordChanged, nil)
	}
	if !p.byPassword {
		return nil
	}
	if err := s.limits.Settle(ctx, tx, p.attempt); err != nil {
		return err
	}
	return s.auth.ProvedPassword(ctx, tx, person)
}

// giveBack gives the attempt at the password back when nothing came of it, and returns
// cause.
func (s *Service) giveBack(ctx context.Context, p proven, cause error) error {
	if !p.byPassword {
		return cause
	}
	return s.limits.GiveBack(ctx, p.attempt, cause)
}
