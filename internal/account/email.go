package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// AskEmail asks for another address while mail is on: the account keeps its address
// until the new one is confirmed. Its errors are those of ChangeEmail, except that it
// does not tell whether another account has the address.
func (s *Service) AskEmail(ctx context.Context, in CredentialChange) error {
	in, p, err := s.checkEmailChange(ctx, in)
	if err != nil {
		return err
	}
	to, err := s.recipientOf(ctx, in.New, p.user.ID)
	if err != nil {
		return s.giveBack(ctx, p, err)
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		fresh, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, in.Identity, fresh, p); err != nil {
			return err
		}
		record(in.Identity.Actor(in.Client).Event(audit.EmailChangeAsked, fresh, audit.Details{Email: audit.Changed(fresh.Email, in.New)}))
		return s.ask(ctx, tx, fresh, to)
	})
	if err != nil {
		return s.giveBack(ctx, p, err)
	}
	return nil
}

// CancelEmail cancels the change of address that a signed-in person asked for, and
// reports whether there was one.
func (s *Service) CancelEmail(ctx context.Context, person *auth.Identity, client auth.Client) (cancelled bool, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		waiting, err := s.pending(ctx, tx, user.ID, user.Email, !user.EmailVerifiedAt.IsZero())
		if err != nil || !waiting.Change {
			return err
		}
		cancelled = true
		record(person.Actor(client).Event(audit.EmailChangeEnded, user, audit.Details{Email: audit.Changed(user.Email, waiting.Email)}))
		return tx.Tokens.ExpireFor(ctx, user.ID, s.now(), models.PurposeVerifyEmail)
	})
	return cancelled, err
}

// SendAgain mails a new link to the address that a signed-in person still has to
// confirm, and returns the address; empty if there is none. It returns
// apperr.TooMany when letters were asked for too often.
func (s *Service) SendAgain(ctx context.Context, person *auth.Identity, client auth.Client) (Pending, error) {
	waiting, err := s.PendingEmail(ctx, person)
	if err != nil || waiting.Email == "" {
		return waiting, err
	}
	if err := s.mayMail(ctx, person.UserID, client); err != nil {
		return waiting, err
	}
	to, err := s.recipientOf(ctx, waiting.Email, person.UserID)
	if err != nil {
		return waiting, err
	}
	return waiting, s.audit.InTx(ctx, func(tx *models.Store, _ func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		now, err := s.pending(ctx, tx, user.ID, user.Email, !user.EmailVerifiedAt.IsZero())
		if err != nil || now.Email != waiting.Email {
			return err // it was confirmed or cancelled meanwhile
		}
		return s.ask(ctx, tx, user, to)
	})
}

// SendAgainByLink is SendAgain for whoever has a link that expired: a new one goes
// to the same address. It does nothing unless the address is the account's.
func (s *Service) SendAgainByLink(ctx context.Context, token string, client auth.Client) (Pending, error) {
	link, err := s.VerifyLink(ctx, token)
	if err != nil || !link.CanSend {
		return Pending{}, err
	}
	if err := s.mayMail(ctx, link.userID, client); err != nil {
		return Pending{Email: link.Email}, err
	}
	to, err := s.recipientOf(ctx, link.Email, link.userID)
	if err != nil {
		return Pending{}, err
	}
	return Pending{Email: link.Email, Sent: true}, s.audit.InTx(ctx, func(tx *models.Store, _ func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, link.userID)
		if err != nil {
			return err
		}
		if user.Disabled() || !user.EmailVerifiedAt.IsZero() || link.Email != user.Email {
			return nil
		}
		return s.ask(ctx, tx, user, to)
	})
}

// VerifyUser marks the address of an account as verified, for an admin or the
// shell. It returns the account as it was before, and apperr.Conflict when it has no
// address.
func (s *Service) VerifyUser(ctx context.Context, actor auth.Actor, userID string) (user *models.User, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		switch {
		case user.Email == "":
			return apperr.New(apperr.Conflict, "This account has no email address.", nil)
		case !user.EmailVerifiedAt.IsZero():
			return nil
		}
		a.record(actor.Event(audit.UserVerify, user, audit.Details{}))
		return a.tx.Users.SetEmailVerified(ctx, user.ID, s.now())
	})
	return user, err
}
