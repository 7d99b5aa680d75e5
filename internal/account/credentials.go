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

// Credentials change: what the person typed, and where.
type CredentialChange struct {
	Who       *auth.Identity
	Current   string // the current password
	New       string // the new password or the new address
	EndTokens bool   // with a new password: the personal access tokens stop working too
	Device    string // the device cookie
	Presented auth.Presented
	Client    auth.Client
}

// ChangePassword ends every session of the person and opens a new one for this
// browser. It returns apperr.Fields (a wrong current password too),
// apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) ChangePassword(ctx context.Context, in CredentialChange) (*auth.SignedIn, error) {
	var wrong apperr.Fields
	if in.Current == "" {
		wrong.Add("current_password", "Enter your current password.")
	}
	wrong.Add("new_password", s.checkNew(in.New, in.Who.Username, in.Who.Email))
	if len(wrong) == 0 && in.New == in.Current {
		wrong.Add("new_password", "The new password is the same as the current one. Choose another.")
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	user, proven, err := s.reprove(ctx, in)
	if err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, in.New)
	if err != nil {
		return nil, s.limits.GiveBack(ctx, proven, err)
	}
	return s.renew(ctx, in, user, proven, audit.PasswordChange, models.ReasonPassword, func(tx *models.Store, _ *models.User) (audit.Details, error) {
		if err := tx.Users.SetPassword(ctx, user.ID, hash, s.now()); err != nil {
			return audit.Details{}, err
		}
		if err := tx.Devices.ForgetAll(ctx, user.ID); err != nil { // this browser gets a new one
			return audit.Details{}, err
		}
		ended, err := s.endTokens(ctx, tx, user.ID, in.EndTokens)
		return audit.Details{TokensEnded: ended}, err
	})
}

// endTokens ends the personal access tokens of a person whose password is
// replaced, if that is wanted, and returns how many worked.
func (s *Service) endTokens(ctx context.Context, tx *models.Store, userID string, wanted bool) (int, error) {
	if !wanted {
		return 0, nil
	}
	return tx.PersonalTokens.EndAll(ctx, userID, models.ReasonPassword, s.now())
}

// checkNew returns a sentence when a password cannot take another one's place.
func (s *Service) checkNew(password, username, email string) string {
	if password == "" {
		return "Enter a new password."
	}
	return s.policy.Check(password, username, localPart(email))
}

// ChangeEmail is as ChangePassword, with a new address.
func (s *Service) ChangeEmail(ctx context.Context, in CredentialChange) (*auth.SignedIn, error) {
	typed := in.New
	in.New = models.TidyName(typed)
	var wrong apperr.Fields
	wrong.Add("email", withLeftOut(checkEmail(in.New), typed))
	if in.New != "" && in.New == in.Who.Email {
		wrong.Add("email", "This is your email address already.")
	}
	if in.Current == "" {
		wrong.Add("current_password", "Enter your current password.")
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	user, proven, err := s.reprove(ctx, in)
	if err != nil {
		return nil, err
	}
	// Or the answers would tell which addresses are taken.
	err = s.auth.Take(ctx, in.Who.Actor(in.Client), limit.Addresses, user.ID)
	if err != nil {
		return nil, s.limits.GiveBack(ctx, proven, err)
	}
	return s.renew(ctx, in, user, proven, audit.EmailChange, models.ReasonEmail, func(tx *models.Store, user *models.User) (audit.Details, error) {
		details := audit.Details{Email: audit.Changed(user.Email, in.New)}
		user.Email, user.EmailFolded = in.New, models.FoldEmail(in.New)
		return details, taken(tx.Users.SetNames(ctx, user, s.now()))
	})
}

// passwordChanged is said when a proof of the password is out of date.
const passwordChanged = "Your password was changed at the same time from somewhere else. Nothing was changed here."

// reprove checks the current password of somebody who is signed in.
func (s *Service) reprove(ctx context.Context, in CredentialChange) (*models.User, limit.Taken, error) {
	user, err := s.store.Users.ByID(ctx, in.Who.UserID)
	if err != nil {
		return nil, limit.Taken{}, auth.SignedOut(err)
	}
	p, err := s.auth.Prove(ctx, auth.Attempt{
		User: user, Identifier: user.Username, Password: in.Current, Device: in.Device, Client: in.Client,
	})
	if errors.Is(err, apperr.Unauthorized) {
		if err := s.audit.Record(ctx, in.Who.Actor(in.Client).Event(audit.PasswordFailed, user, audit.Details{})); err != nil {
			return nil, limit.Taken{}, err
		}
		return nil, limit.Taken{}, apperr.Fields{{Field: "current_password", Message: "The current password is not correct."}}
	}
	return user, p, err
}

// renew changes a credential, ends every session and every set-password link,
// and opens a new session for this browser, in one transaction. change is given
// the account as it was, and returns the details for the audit log, to which the
// number of sessions is added.
func (s *Service) renew(ctx context.Context, in CredentialChange, proven *models.User, p limit.Taken, action string,
	reason models.Reason, change func(tx *models.Store, user *models.User) (audit.Details, error),
) (*auth.SignedIn, error) {
	var signedIn *auth.SignedIn
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Who)
		if err != nil {
			return err
		}
		if user.PasswordHash != proven.PasswordHash {
			return apperr.New(apperr.Conflict, passwordChanged, nil)
		}
		if err := s.limits.Settle(ctx, tx, p); err != nil {
			return err
		}
		details, err := change(tx, user)
		if err != nil {
			return err
		}
		if err := tx.Tokens.ExpireFor(ctx, user.ID, s.now()); err != nil { // links made before the change stop working
			return err
		}
		signedIn, details.SessionsEnded, err = s.auth.Restart(ctx, tx, user, in.Who.SessionID, reason, auth.Opening{
			Presented: in.Presented, Device: in.Device, Client: in.Client,
		})
		if err != nil {
			return err
		}
		record(in.Who.Actor(in.Client).Event(action, user, details))
		return nil
	})
	if err != nil {
		return nil, s.limits.GiveBack(ctx, p, err)
	}
	return signedIn, nil
}
