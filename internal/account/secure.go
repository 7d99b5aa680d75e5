package account

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
	"latchkey/views/letters"
)

// SecureLink returns the state of a link of "This wasn't me" without using it.
func (s *Service) SecureLink(ctx context.Context, token string) (Link, error) {
	row, user, err := s.linkAndUser(ctx, token, models.PurposeSecure)
	if row == nil || err != nil {
		return Link{State: LinkUnknown}, err
	}
	link := s.linkOf(row)
	link.Username, link.Email, link.Mailed = user.Username, row.Email, true
	if link.State == LinkGood && user.Disabled() {
		link.State = LinkDisabled
	}
	if link.State != LinkGood {
		return link, nil
	}
	change, err := s.undoable(ctx, s.store, user.ID, row.CreatedAt.Time())
	if link.Email = user.Email; change != nil { // who gets the reset link
		link.Undoes, link.Email = user.Email, change.OldEmail
	}
	return link, err
}

// SecureByLink takes an account back with the link of a notice: it ends every session
// and token, forgets the known devices, undoes a change of the address since the
// notice, makes the password unusable and mails a reset link. When the link does not
// work it returns apperr.Conflict; SecureLink says why.
func (s *Service) SecureByLink(ctx context.Context, token string, client auth.Client) error {
	row, err := s.linkRow(ctx, token, models.PurposeSecure)
	if err != nil {
		return err
	}
	if row == nil {
		return deadLink()
	}
	actor := auth.Actor{Client: client}
	if err := s.auth.Take(ctx, actor, limit.Links, limit.Network(client.IP)); err != nil {
		return err
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, *row.UserID)
		if err != nil {
			return deadLinkWhenGone(err)
		}
		used, err := tx.Tokens.Use(ctx, token, models.PurposeSecure, s.now())
		if err != nil {
			return err
		}
		if !used || user.Disabled() {
			return deadLink()
		}
		actor.UserID, actor.Name = user.ID, user.Username
		return s.takeBack(ctx, tx, user, row.CreatedAt.Time(), actor, record)
	})
}

// takeBack does the work of SecureByLink for a locked account; changes of the address
// since the given instant are undone.
func (s *Service) takeBack(ctx context.Context, tx *models.Store, user *models.User, since time.Time, actor auth.Actor, record func(models.Event)) error {
	now := s.now()
	details := audit.Details{}
	change, err := s.undoable(ctx, tx, user.ID, since)
	if err != nil {
		return err
	}
	if change != nil {
		details.Email = audit.Changed(user.Email, change.OldEmail)
		if err := tx.EmailChanges.Undo(ctx, user, *change, now); err != nil {
			if errors.Is(err, apperr.Conflict) {
				return apperr.New(apperr.Conflict, "Your earlier email address now belongs to another account. Nothing was changed. Ask for help.", err)
			}
			return err
		}
		user.Email, user.EmailFolded, user.EmailVerifiedAt = change.OldEmail, change.OldFolded, change.Verified
	}
	if err := tx.Users.SetPassword(ctx, user.ID, "", now); err != nil {
		return err
	}
	if details.SessionsEnded, err = tx.Sessions.EndAll(ctx, user.ID, "", models.ReasonSecured, now); err != nil {
		return err
	}
	if details.TokensEnded, err = s.endSecrets(ctx, tx, user.ID, since); err != nil {
		return err
	}
	record(actor.Event(audit.Secured, user, details))
	if err := s.limits.ClearAccount(ctx, tx, user.ID); err != nil {
		return err
	}
	return s.mailReset(ctx, tx, user, letters.Reset{Secured: true})
}

// endSecrets removes what opens an account besides its sessions and its password:
// personal access tokens, whose number it returns, known devices, links, and the
// factors that were added since the given instant. Links of
// "This wasn't me" from before since keep working: a thief who has changed the
// address must not be able to end those of the owner.
func (s *Service) endSecrets(ctx context.Context, tx *models.Store, userID string, since time.Time) (tokens int, err error) {
	now := s.now()
	if tokens, err = tx.PersonalTokens.RemoveAll(ctx, userID, models.ReasonSecured, now); err != nil {
		return 0, err
	}
	if err := tx.Devices.ForgetAll(ctx, userID); err != nil {
		return 0, err
	}
	// A factor is added a moment before the event about it is recorded.
	if err := tx.Users.RemoveFactors(ctx, userID, since.Add(-factorMoment), models.RemovedSecured, now); err != nil {
		return 0, err
	}
	if err := s.endLinks(ctx, tx, userID); err != nil {
		return 0, err
	}
	return tokens, tx.Tokens.ExpireSince(ctx, userID, models.PurposeSecure, since, now)
}

// factorMoment is longer than it takes to add a factor and to record it.
const factorMoment = time.Minute

// undoable returns the first change of an account's address since the given instant
// that can still be undone, nil when there is none.
func (s *Service) undoable(ctx context.Context, store *models.Store, userID string, since time.Time) (*models.EmailChange, error) {
	if oldest := s.now().Add(-models.KeepEmail); since.Before(oldest) {
		since = oldest
	}
	changes, err := store.EmailChanges.Since(ctx, userID, since)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	return &changes[0], nil
}

// ReplayStory is what is known about a session of which a copy was used.
type ReplayStory struct {
	Event   models.Event   // the use of the copy
	Held    *audit.Use     // the other use; nil: not recorded
	Session models.Session // the zero Session when it is not kept any more
	// Mailed says that Secure makes the password unusable and mails a reset link;
	// otherwise it leads to a new password.
	Mailed bool
	// Undoes is the address that Secure replaces by Email; "" for none.
	Undoes, Email string
}

// Replay returns the story of a copied session of a person, by the id of its event. It
// returns apperr.NotFound when there is no such event.
func (s *Service) Replay(ctx context.Context, userID, eventID string) (ReplayStory, error) {
	e, err := s.store.Audit.ByID(ctx, eventID)
	if err == nil && (e.SubjectID != userID || e.Action != audit.Replay) {
		err = apperr.New(apperr.NotFound, "", errors.New("not a copied session of this person"))
	}
	if err != nil {
		return ReplayStory{}, err
	}
	user, err := s.store.Users.ByID(ctx, userID)
	if err != nil {
		return ReplayStory{}, err
	}
	story := ReplayStory{Email: user.Email, Event: *e, Held: audit.DetailsOf(*e).Held, Mailed: s.mail.On() && user.Email != ""}
	session, err := s.store.Sessions.ByID(ctx, e.SessionID)
	switch {
	case err == nil:
		story.Session = *session
	case !errors.Is(err, apperr.NotFound):
		return ReplayStory{}, err
	}
	change, err := s.undoable(ctx, s.store, userID, story.since())
	if change != nil {
		story.Undoes, story.Email = user.Email, change.OldEmail
		story.Mailed = s.mail.On()
	}
	return story, err
}

// since is from when on the account may have been in other hands.
func (r ReplayStory) since() time.Time {
	if at := r.Session.CreatedAt; !at.IsZero() {
		return at.Time()
	}
	return r.Event.At.Time()
}

// SecureOwn secures the account of a signed-in person after a copy of a session was
// used. It does the work of SecureByLink and returns nil; or, when no mail can reach
// the person, it keeps the password, ends everything else and returns a new session
// for this browser.
func (s *Service) SecureOwn(ctx context.Context, in CredentialChange, story ReplayStory) (signedIn *auth.SignedIn, err error) {
	actor := in.Identity.Actor(in.Client)
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if story.Mailed {
			return s.takeBack(ctx, tx, user, story.since(), actor, record)
		}
		details := audit.Details{}
		if details.TokensEnded, err = s.endSecrets(ctx, tx, user.ID, story.since()); err != nil {
			return err
		}
		signedIn, details.SessionsEnded, err = s.auth.Restart(ctx, tx, user, in.Identity.SessionID, models.ReasonSecured, auth.Opening{
			Presented: in.Presented, Device: in.Device, Client: in.Client,
		})
		if err != nil {
			return err
		}
		record(actor.Event(audit.Secured, user, details))
		return nil
	})
	return signedIn, err
}
