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

// Joining is a sign-up that waits for its address to be confirmed. It does not tell
// whether the address was free: an account belongs to it, or a phantom.
type Joining struct {
	ID    string
	Email string // as the person typed it last
}

// BeginSignUp is SignUp while addresses are verified: it signs nobody in. If the
// address is not free, it creates no account, and the owner of the address gets a
// letter; the result is the same.
func (s *Service) BeginSignUp(ctx context.Context, in Signup) (Joining, error) {
	in.quiet = true
	user, err := s.prepareOwn(ctx, in)
	if err != nil {
		return Joining{}, err
	}
	return Joining{ID: user.ID, Email: user.Email}, s.begin(ctx, user, in.Client)
}

// begin stores a new account, or a phantom if its address is not free, and mails
// the address.
func (s *Service) begin(ctx context.Context, user *models.User, client auth.Client) error {
	to, err := s.recipientOf(ctx, user.Email, user.ID)
	if err != nil {
		return err
	}
	if to.owner == nil {
		err := s.beginAccount(ctx, user, to, client, nil)
		if !emailConflict(err) {
			return taken(err)
		}
		if to.owner, err = s.ownerOf(ctx, user.Email, user.ID); err != nil || to.owner == nil {
			return err
		}
	}
	return taken(s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		phantom := models.Phantom{ID: user.ID, Username: user.Username, FullName: user.FullName, PasswordHash: user.PasswordHash}
		if to.owner.user != nil {
			phantom.OwnerID = to.owner.user.ID
		}
		if err := tx.Phantoms.Create(ctx, phantom, s.now()); err != nil {
			return err
		}
		if err := s.likeAccount(ctx, tx, user); err != nil {
			return err
		}
		record(auth.Actor{Client: client}.Event(audit.SignUpTaken, to.owner.user, audit.Details{}))
		return s.tellOwner(ctx, tx, to)
	}))
}

// likeAccount makes a phantom take as long as an account: it runs statements like
// those that only beginAccount runs, and they find nothing.
func (s *Service) likeAccount(ctx context.Context, tx *models.Store, user *models.User) error {
	now := s.now()
	if _, err := tx.EmailChanges.Kept(ctx, user.Email, user.ID, now); err != nil {
		return err
	}
	if _, err := tx.Phantoms.Holds(ctx, user.Username, user.ID, now); err != nil {
		return err
	}
	if err := tx.Tokens.ExpireFor(ctx, user.ID, now, models.PurposeVerifyEmail); err != nil {
		return err
	}
	return s.likeAsking(ctx, tx, user.ID)
}

// likeAsking is likeAccount for a letter with a new link and a new code: the tries at
// the code begin anew.
func (s *Service) likeAsking(ctx context.Context, tx *models.Store, id string) error {
	for range 2 { // the earlier link, and the new one
		if err := tx.Tokens.ReplaceFor(ctx, id, models.PurposeVerifyEmail, s.now()); err != nil {
			return err
		}
	}
	return s.limits.Clear(ctx, tx, limit.Codes, id)
}

// beginAccount stores a new account and mails its address. before, which may be
// nil, is run first in the transaction.
func (s *Service) beginAccount(ctx context.Context, user *models.User, to recipient, client auth.Client, before func(tx *models.Store) error) error {
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		if err := tx.Users.Create(ctx, user); err != nil {
			return err
		}
		record(auth.Actor{UserID: user.ID, Name: user.Username, Client: client}.Event(audit.SignUp, user, audit.Details{}))
		return s.ask(ctx, tx, user, to)
	})
}

func emailConflict(err error) bool {
	return errors.Is(err, apperr.Conflict) && apperr.Details(err).Field == "email"
}

// joins reports whether an account still waits for its first confirmation: until
// then, the browser that signed up may act for it.
func joins(user *models.User) bool {
	return user.EmailVerifiedAt.IsZero() && user.LastSignInAt.IsZero() && !user.Disabled()
}

// ContinueSignUp mails again, to the address of the sign-up or to another one that
// it then has. It returns apperr.Fields, and apperr.TooMany when letters were asked
// for too often. Whether there is an account does not show.
func (s *Service) ContinueSignUp(ctx context.Context, joining Joining, email string, client auth.Client) (Joining, error) {
	typed := email
	email = models.TidyName(typed)
	var wrong apperr.Fields
	wrong.Add("email", withLeftOut(checkEmail(email), typed))
	if len(wrong) > 0 {
		return joining, wrong
	}
	if err := s.mayMail(ctx, joining.ID, client); err != nil {
		return joining, err
	}
	to, err := s.recipientOf(ctx, email, joining.ID)
	if err != nil {
		return joining, err
	}
	next := Joining{ID: joining.ID, Email: email}
	user, err := s.store.Users.ByID(ctx, joining.ID)
	switch {
	case err == nil:
		return next, s.readdress(ctx, user, to, client)
	case errors.Is(err, apperr.NotFound):
		return next, s.readdressPhantom(ctx, joining.ID, to, client)
	}
	return joining, err
}

// mayMail counts a letter that someone asks for. key is whom it is for.
func (s *Service) mayMail(ctx context.Context, key string, client auth.Client) error {
	if err := s.auth.Take(ctx, auth.Actor{Client: client}, limit.Mailings, limit.Network(client.IP)); err != nil {
		return err
	}
	return s.auth.Take(ctx, auth.Actor{Client: client}, limit.Letters, key)
}

// readdress mails the address of an account that waits for its first confirmation.
// A free address becomes the account's.
func (s *Service) readdress(ctx context.Context, user *models.User, to recipient, client auth.Client) error {
	move := func(free bool) error {
		return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
			user, err := tx.Users.Lock(ctx, user.ID)
			if err != nil || !joins(user) {
				return err
			}
			if free && user.Email != to.email {
				actor := auth.Actor{UserID: user.ID, Name: user.Username, Client: client}
				record(actor.Event(audit.ProfileChange, user, audit.Details{Email: audit.Changed(user.Email, to.email)}))
				user.Email, user.EmailFolded = to.email, models.FoldEmail(to.email)
				if err := tx.Users.SetNames(ctx, user, s.now()); err != nil {
					return err
				}
			}
			return s.ask(ctx, tx, user, to)
		})
	}
	err := move(to.owner == nil)
	if !emailConflict(err) {
		return err
	}
	if to.owner, err = s.ownerOf(ctx, to.email, user.ID); err != nil || to.owner == nil {
		return err
	}
	return move(false)
}

// readdressPhantom turns a phantom whose address is free now into an account. For one
// that does not exist, it only acts as if a new code had been sent.
func (s *Service) readdressPhantom(ctx context.Context, id string, to recipient, client auth.Client) error {
	phantom, err := s.store.Phantoms.ByID(ctx, id)
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return err
	}
	if err == nil && to.owner == nil {
		user := s.newUser(Profile{Username: phantom.Username, Email: to.email, FullName: phantom.FullName}, models.RoleUser)
		user.ID, user.PasswordHash, user.PasswordChangedAt = phantom.ID, phantom.PasswordHash, user.CreatedAt
		err := s.beginAccount(ctx, user, to, client, func(tx *models.Store) error {
			removed, err := tx.Phantoms.Remove(ctx, phantom.ID)
			if err == nil && !removed {
				err = errGone
			}
			return err
		})
		if !errors.Is(err, errGone) && !emailConflict(err) {
			return err
		}
		if to.owner, err = s.ownerOf(ctx, to.email, phantom.ID); err != nil {
			return err
		}
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		if err := s.likeAsking(ctx, tx, id); err != nil || to.owner == nil {
			return err
		}
		record(auth.Actor{Client: client}.Event(audit.SignUpTaken, to.owner.user, audit.Details{}))
		return s.tellOwner(ctx, tx, to)
	})
}

// errGone reports that another request took the phantom.
var errGone = errors.New("the phantom is gone")

// Joined returns the account of a sign-up that still waits for its first
// confirmation, nil for any other: it was confirmed, or is a phantom.
func (s *Service) joined(ctx context.Context, joining Joining) (*models.User, error) {
	if joining.ID == "" {
		return nil, nil //nolint:nilnil // no account is a result, not a failure
	}
	user, err := s.store.Users.ByID(ctx, joining.ID)
	if errors.Is(err, apperr.NotFound) || err == nil && !joins(user) {
		return nil, nil //nolint:nilnil // as above
	}
	return user, err
}

// Joins reports whether a sign-up can still be continued: it waits for its first
// confirmation, or looks as if it did.
func (s *Service) Joins(ctx context.Context, joining Joining) (bool, error) {
	if joining.ID == "" || !s.Verifies() {
		return false, nil
	}
	user, err := s.store.Users.ByID(ctx, joining.ID)
	if errors.Is(err, apperr.NotFound) {
		return true, nil
	}
	return err == nil && joins(user), err
}
