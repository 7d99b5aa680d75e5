package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// CredentialChange is a form with a new password or email address.
type CredentialChange struct {
	Identity     *auth.Identity
	Current      string // the current password
	Confirmed    bool   // instead of Current, a fresh confirmation of the session counts; not for a new password
	New          string // the new password or the new address
	RemoveTokens bool   // with a new password: the personal access tokens stop working too
	Device       string // the device cookie
	Presented    auth.Presented
	Client       auth.Client
}

// ChangePassword ends every session of the person and opens a new one for this
// browser. It returns apperr.Fields (a wrong current password too),
// apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) ChangePassword(ctx context.Context, in CredentialChange) (*auth.SignedIn, error) {
	var wrong apperr.Fields
	if in.Current == "" {
		wrong.Add("current_password", "Enter your current password.")
	}
	wrong.Add("new_password", s.checkNew(in.New, in.Identity.Username, in.Identity.Email))
	if len(wrong) == 0 && in.New == in.Current {
		wrong.Add("new_password", "The new password is the same as the current one. Choose another.")
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	in.Confirmed = false // a confirmation may have been a code
	p, err := s.reprove(ctx, in)
	if err != nil {
		return nil, err
	}
	hash, err := s.hasher.For(in.Client.Caller(true)).Hash(ctx, in.New)
	if err != nil {
		return nil, s.giveBack(ctx, p, err)
	}
	return s.renew(ctx, in, p, audit.PasswordChange, models.ReasonPassword, func(tx *models.Store, user *models.User) (audit.Details, error) {
		if err := tx.Users.SetPassword(ctx, user.ID, hash, s.now()); err != nil {
			return audit.Details{}, err
		}
		if err := tx.Devices.ForgetAll(ctx, user.ID); err != nil { // this browser gets a new one
			return audit.Details{}, err
		}
		ended, err := s.removeTokens(ctx, tx, user.ID, in.RemoveTokens)
		return audit.Details{TokensEnded: ended}, err
	})
}

// removeTokens removes the personal access tokens of a person who sets a new
// password, if they want that, and returns how many worked.
func (s *Service) removeTokens(ctx context.Context, tx *models.Store, userID string, wanted bool) (int, error) {
	if !wanted {
		return 0, nil
	}
	return tx.PersonalTokens.RemoveAll(ctx, userID, models.ReasonPassword, s.now())
}

// checkNew returns a sentence when a new password breaks the rules.
func (s *Service) checkNew(password, username, email string) string {
	if password == "" {
		return "Enter a new password."
	}
	return s.policy.Check(password, username, localPart(email))
}

// ChangeEmail is ChangePassword for the email address. While mail is on, the
// account keeps its address until the new one is confirmed: use AskEmail.
func (s *Service) ChangeEmail(ctx context.Context, in CredentialChange) (*auth.SignedIn, error) {
	in, p, err := s.checkEmailChange(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.renew(ctx, in, p, audit.EmailChange, models.ReasonEmail, func(tx *models.Store, user *models.User) (audit.Details, error) {
		details := audit.Details{Email: audit.Changed(user.Email, in.New)}
		user.Email, user.EmailFolded, user.EmailVerifiedAt = in.New, models.FoldEmail(in.New), 0
		return details, taken(tx.Users.SetNames(ctx, user, s.now()))
	})
}

// checkEmailChange checks the form with a new address and the current password. It
// returns the form with the tidy address.
func (s *Service) checkEmailChange(ctx context.Context, in CredentialChange) (CredentialChange, proven, error) {
	typed := in.New
	in.New = models.TidyName(typed)
	var wrong apperr.Fields
	wrong.Add("email", withLeftOut(checkEmail(in.New), typed))
	if in.New != "" && in.New == in.Identity.Email {
		wrong.Add("email", "This is already your email address.")
	}
	wrong.Add("current_password", needsPassword(in.Current, in.Confirmed))
	if len(wrong) > 0 {
		return in, proven{}, wrong
	}
	p, err := s.reprove(ctx, in)
	if err != nil {
		return in, proven{}, err
	}
	// Without a limit, the responses would reveal which addresses are taken.
	err = s.auth.Take(ctx, in.Identity.Actor(in.Client), limit.Addresses, p.user.ID)
	if err != nil {
		return in, proven{}, s.giveBack(ctx, p, err)
	}
	return in, p, nil
}

// renew changes a credential, ends all sessions and reset links, and opens a
// new session for this browser, in one transaction. change receives the account
// as it was and returns the details for the audit log; renew adds the number of
// sessions.
func (s *Service) renew(ctx context.Context, in CredentialChange, p proven, action string,
	reason models.Reason, change func(tx *models.Store, user *models.User) (audit.Details, error),
) (*auth.SignedIn, error) {
	var signedIn *auth.SignedIn
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, in.Identity, user, p); err != nil {
			return err
		}
		details, err := change(tx, user)
		if err != nil {
			return err
		}
		if err := s.endLinks(ctx, tx, user.ID); err != nil { // links made before the change stop working
			return err
		}
		signedIn, details.SessionsEnded, err = s.auth.Restart(ctx, tx, user, in.Identity.SessionID, reason, auth.Opening{
			Presented: in.Presented, Device: in.Device, Client: in.Client,
		})
		if err != nil {
			return err
		}
		record(in.Identity.Actor(in.Client).Event(action, user, details))
		return nil
	})
	if err != nil {
		return nil, s.giveBack(ctx, p, err)
	}
	return signedIn, nil
}
