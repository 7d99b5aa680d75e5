package account

import (
	"context"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// deletedLetter is how long it is worth telling someone that their account is gone.
const deletedLetter = 24 * time.Hour

// Departure is the form with which people delete their own account.
type Departure struct {
	Identity  *auth.Identity
	Confirm   string // the address, or the username if there is none, as it was typed
	Current   string // the current password
	Confirmed bool   // instead of Current, a fresh confirmation of the session counts
	Device    string // the device cookie
	Client    auth.Client
}

// DeleteOwn deletes the person's account for good: its sessions and tokens stop
// working at once, and only a pseudonym is left in the audit log. A last letter is
// mailed. It returns apperr.Fields (confirm, current_password), auth.Unconfirmed,
// apperr.Conflict for
// the last active admin, apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) DeleteOwn(ctx context.Context, in Departure) error {
	wrong := checkConfirm(in.Confirm, in.Identity.Username, in.Identity.Email)
	wrong.Add("current_password", needsPassword(in.Current, in.Confirmed))
	if len(wrong) > 0 {
		return wrong
	}
	p, err := s.reprove(ctx, CredentialChange{
		Identity: in.Identity, Current: in.Current, Confirmed: in.Confirmed, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return err
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		admins, err := tx.Users.LockActiveAdmins(ctx)
		if err != nil {
			return err
		}
		user, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, in.Identity, user, p); err != nil {
			return err
		}
		if isLast(admins, user.ID) {
			return apperr.New(apperr.Conflict, LastAdminYou, nil)
		}
		return s.depart(ctx, tx, user, in.Client, record)
	})
	if err != nil {
		return s.giveBack(ctx, p, err)
	}
	return nil
}

// depart removes a locked account for good.
func (s *Service) depart(ctx context.Context, tx *models.Store, user *models.User, client auth.Client, record func(models.Event)) error {
	details, err := s.end(ctx, tx, user)
	if err != nil {
		return err
	}
	if err := tx.Users.Delete(ctx, user.ID); err != nil {
		return err
	}
	gone := *user
	if gone.Username, err = s.forget(ctx, tx, user.ID, user.Email, s.now()); err != nil {
		return err
	}
	record(auth.Actor{UserID: gone.ID, Name: gone.Username, Client: client}.Event(audit.AccountDelete, &gone, details))
	// Without the account's id: the letter must not lead to its lines in the log.
	_, err = s.mail.Put(ctx, tx, mail.Envelope{Topic: mail.TopicDeleted, To: user.Email, Useless: deletedLetter},
		letters.Goodbye(s.mail.Brand(), s.mail.Support(), user.FullName))
	return err
}

// end ends everything that lets someone into an account that is about to be
// removed, and withdraws its invitations. The rows die with the account; what is
// counted here goes into the audit log.
func (s *Service) end(ctx context.Context, tx *models.Store, user *models.User) (details audit.Details, err error) {
	now := s.now()
	if details.SessionsEnded, err = tx.Sessions.EndAll(ctx, user.ID, "", models.ReasonDeleted, now); err != nil {
		return details, err
	}
	if details.TokensEnded, err = tx.PersonalTokens.RemoveAll(ctx, user.ID, models.ReasonDeleted, now); err != nil {
		return details, err
	}
	if details.InvitationsWithdrawn, err = tx.Invitations.WithdrawBy(ctx, user.ID, now); err != nil {
		return details, err
	}
	return details, s.limits.ClearAccount(ctx, tx, user.ID)
}

// forget removes what is left of a person whose account is gone, and returns the
// pseudonym in the audit log. until is when the account was deleted: a newer
// account may have the address since then.
func (s *Service) forget(ctx context.Context, tx *models.Store, userID, email string, until time.Time) (pseudonym string, err error) {
	if pseudonym, err = audit.Forget(ctx, tx, userID); err != nil {
		return "", err
	}
	if err := tx.Users.ForgetFactors(ctx, userID); err != nil {
		return "", err
	}
	if err := tx.Deliveries.ForgetOf(ctx, userID, email, until); err != nil {
		return "", err
	}
	if err := tx.Invitations.Forget(ctx, userID, email, pseudonym, until); err != nil {
		return "", err
	}
	return pseudonym, tx.Users.ForgetOwner(ctx, userID)
}

// checkConfirm returns the problem of what was typed to confirm that an account
// with these names is deleted.
func checkConfirm(typed, username, email string) apperr.Fields {
	return checkTyped(typed, &models.User{Username: username, Email: email}, "To delete the account, type ")
}

// checkTyped returns the problem of what was typed to name an account: its address,
// or its username if it has none. before is the start of the sentence.
func checkTyped(typed string, user *models.User, before string) (wrong apperr.Fields) {
	switch {
	case user.Email == "" && models.FoldUsername(typed) != user.Username:
		wrong.Add("confirm", before+"its username.")
	case user.Email != "" && models.FoldEmail(typed) != models.FoldEmail(user.Email):
		wrong.Add("confirm", before+"its email address.")
	}
	return wrong
}

func isLast(admins []string, userID string) bool { return len(admins) == 1 && admins[0] == userID }

// IsLastAdmin reports whether the person is the last active admin, who cannot
// delete their account.
func (s *Service) IsLastAdmin(ctx context.Context, person *auth.Identity) (bool, error) {
	if !person.Admin {
		return false, nil
	}
	n, err := s.store.Users.CountActiveAdmins(ctx)
	return n == 1, err
}
