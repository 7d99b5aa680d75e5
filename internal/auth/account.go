package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/limit"
	"latchkey/models"
)

// PasswordMin is the least length of a password in code points.
func (s *Service) PasswordMin() int { return s.policy.Min() }

// UpdateProfile changes the person's names. It returns apperr.Fields.
func (s *Service) UpdateProfile(ctx context.Context, who *Identity, username, fullName string, client Client) error {
	username, fullName = FoldUsername(username), tidyFullName(fullName)
	var wrong apperr.Fields
	if username != who.Username { // a name given before a rule was made may stay
		wrong.Add("username", checkOwnUsername(username))
	}
	wrong.Add("full_name", checkFullName(fullName))
	if len(wrong) > 0 {
		return wrong
	}
	if username == who.Username && fullName == who.FullName {
		return nil
	}
	if username != who.Username { // or the answers would tell which names are taken
		err := s.limited(ctx, who.Actor(client), limit.Usernames, who.UserID)
		if err != nil {
			return err
		}
	}
	return taken(s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.lockActive(ctx, tx, who)
		if err != nil {
			return err
		}
		var changes []string
		if username != user.Username {
			changes = append(changes, "username "+fromTo(user.Username, username))
		}
		if fullName != user.FullName {
			changes = append(changes, "name "+fromTo(user.FullName, fullName))
		}
		record(who.Actor(client).Event(audit.ProfileChange, user, strings.Join(changes, ", ")))
		return tx.Users.SetProfile(ctx, user.ID, username, fullName, s.now())
	}))
}

// Credentials change: what the person typed, and where.
type CredentialChange struct {
	Who       *Identity
	Current   string // the current password
	New       string // the new password or the new address
	Device    string // the device cookie
	Presented Presented
	Client    Client
}

// ChangePassword ends every session of the person and opens a new one for this
// browser. It returns apperr.Fields (a wrong current password too),
// apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) ChangePassword(ctx context.Context, in CredentialChange) (*SignedIn, error) {
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
	return s.renew(ctx, in, user, proven, audit.PasswordChange, models.ReasonPassword, func(tx *models.Store, _ *models.User) (string, error) {
		return "", tx.Users.SetPassword(ctx, user.ID, hash, s.now())
	})
}

// checkNew returns a sentence when a password cannot take another one's place.
func (s *Service) checkNew(password, username, email string) string {
	if password == "" {
		return "Enter a new password."
	}
	return s.policy.Check(password, username, localPart(email))
}

// ChangeEmail is as ChangePassword, with a new address.
func (s *Service) ChangeEmail(ctx context.Context, in CredentialChange) (*SignedIn, error) {
	in.New = strings.TrimSpace(in.New)
	var wrong apperr.Fields
	wrong.Add("email", checkEmail(in.New))
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
	err = s.limited(ctx, in.Who.Actor(in.Client), limit.Addresses, user.ID)
	if err != nil {
		return nil, s.limits.GiveBack(ctx, proven, err)
	}
	return s.renew(ctx, in, user, proven, audit.EmailChange, models.ReasonEmail, func(tx *models.Store, user *models.User) (string, error) {
		return fromTo(user.Email, in.New), taken(tx.Users.SetEmail(ctx, user.ID, in.New, s.now()))
	})
}

// reprove checks the current password of somebody who is signed in.
func (s *Service) reprove(ctx context.Context, in CredentialChange) (*models.User, limit.Taken, error) {
	user, err := s.store.Users.ByID(ctx, in.Who.UserID)
	if err != nil {
		return nil, limit.Taken{}, signedOut(err)
	}
	p, err := s.prove(ctx, attempt{user: user, identifier: user.Username, password: in.Current, device: in.Device, client: in.Client})
	if errors.Is(err, apperr.Unauthorized) {
		if err := s.audit.Record(ctx, in.Who.Actor(in.Client).Event(audit.PasswordFailed, user, "")); err != nil {
			return nil, limit.Taken{}, err
		}
		return nil, limit.Taken{}, apperr.Fields{{Field: "current_password", Message: "The current password is not correct."}}
	}
	return user, p, err
}

// renew changes a credential, ends every session and every set-password link,
// and opens a new session for this browser, in one transaction. change is given
// the account as it was, and returns what the audit log says before the number
// of sessions, "" for nothing.
func (s *Service) renew(ctx context.Context, in CredentialChange, proven *models.User, p limit.Taken, action string,
	reason models.Reason, change func(tx *models.Store, user *models.User) (string, error),
) (*SignedIn, error) {
	var signedIn *SignedIn
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.lockActive(ctx, tx, in.Who)
		if err != nil {
			return err
		}
		if user.PasswordHash != proven.PasswordHash {
			return apperr.New(apperr.Conflict, "Your password was changed at the same time from somewhere else. Nothing was changed here.", nil)
		}
		if err := s.limits.Settle(ctx, tx, p); err != nil {
			return err
		}
		detail, err := change(tx, user)
		if err != nil {
			return err
		}
		old, err := tx.Sessions.ByID(ctx, in.Who.SessionID)
		if err != nil {
			return signedOut(err)
		}
		// The session of this browser is replaced: a late answer to it must not take
		// the cookies of the new one away.
		replaced, err := s.endEach(ctx, tx, s.genuine(in.Presented), models.ReasonReplaced)
		if err != nil {
			return err
		}
		ended, err := tx.Sessions.EndAll(ctx, user.ID, "", reason, s.now())
		if err != nil {
			return err
		}
		if err := tx.Tokens.ExpireFor(ctx, user.ID, s.now()); err != nil { // whoever has a copy of a link is out too
			return err
		}
		session := s.newSession(user.ID, old.Method, old.Remember, in.Client)
		record(in.Who.Actor(in.Client).Event(action, user, joined(", ", detail, sessionsEnded(ended+len(replaced)))))
		signedIn, err = s.open(ctx, tx, user, session, Presented{}, in.Device)
		return err
	})
	if err != nil {
		return nil, s.limits.GiveBack(ctx, p, err)
	}
	return signedIn, nil
}

// lockActive locks the account of somebody who acts for themself. Meanwhile it
// may have been disabled or deleted, or their session ended: then they are
// signed out.
func (s *Service) lockActive(ctx context.Context, tx *models.Store, who *Identity) (*models.User, error) {
	user, err := tx.Users.Lock(ctx, who.UserID)
	if err != nil {
		return nil, signedOut(err)
	}
	if user.Disabled() {
		return nil, apperr.New(apperr.Unauthorized, "", errors.New("disabled meanwhile"))
	}
	return user, s.stillIn(ctx, tx, who.Actor(Client{}))
}

// stillIn returns apperr.Unauthorized when the session or the personal access
// token of the one who acts is over. Between the check at the door and the act
// lies the body, which a client may take seconds to send. Call it after the
// account is locked, as whoever ends a session does.
func (s *Service) stillIn(ctx context.Context, tx *models.Store, actor Actor) error {
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

// signedOut says that the account or session of the one who acts is gone.
func signedOut(err error) error {
	if errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.Unauthorized, "", err)
	}
	return err
}

// sessionsEnded says how many for the audit log, and "" for none.
func sessionsEnded(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 session ended"
	}
	return fmt.Sprintf("%d sessions ended", n)
}

// tokensEnded is as sessionsEnded.
func tokensEnded(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 access token ended"
	}
	return fmt.Sprintf("%d access tokens ended", n)
}

// joined is the parts that are not empty, with sep between them.
func joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), sep)
}
