package account

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// VerifyLink is the link of a letter that asks to confirm an address.
type VerifyLink struct {
	State    LinkState
	Username string    // of the account that asks
	Email    string    // the address that the link was mailed to
	Change   bool      // the account has another address until it is confirmed
	Replaced time.Time // when a newer link was sent
	Done     bool      // the account has this address, confirmed
	CanSend  bool      // SendAgainByLink mails a new one

	userID string
}

// VerifyLink returns the state of a link without using it.
func (s *Service) VerifyLink(ctx context.Context, token string) (VerifyLink, error) {
	row, user, err := s.linkAndUser(ctx, token, models.PurposeVerifyEmail)
	if errors.Is(err, apperr.NotFound) {
		return VerifyLink{State: LinkUnknown}, nil
	}
	if row == nil || err != nil {
		return VerifyLink{State: LinkUnknown}, err
	}
	own := row.Email == user.Email
	link := VerifyLink{
		State: s.linkOf(row).State, Username: user.Username, Email: row.Email, Change: !own && user.Email != "", Replaced: row.ReplacedAt.Time(),
		Done: own && !user.EmailVerifiedAt.IsZero(), userID: user.ID,
	}
	switch {
	case link.Done:
		link.State = LinkUsed
	case link.State != LinkUsed && user.Disabled():
		link.State = LinkDisabled
	case link.State == LinkExpired && row.ExpiresAt.Time().Before(row.CreatedAt.Time().Add(VerifyTTL)):
		link.State = LinkEnded
	}
	link.CanSend = own && s.mail.On() && (link.State == LinkExpired || link.State == LinkEnded)
	return link, nil
}

// Confirmation is the form that confirms an address, by a link or by its code.
type Confirmation struct {
	ByLink    bool           // Token is used, and not Code
	Token     string         // of the link
	Code      string         // as it was typed
	Identity  *auth.Identity // nil: nobody is signed in
	Joining   Joining        // the sign-up of this browser, if any
	Device    string
	Presented auth.Presented
	Client    auth.Client
}

// Confirmed is the result of a confirmation.
type Confirmed struct {
	Email    string
	Change   bool           // the account had another address before; all its other sessions have ended
	Own      bool           // the account is that of the signed-in person
	SignedIn *auth.SignedIn // a session was opened for this browser; may be nil
}

// addressTaken refuses an address that another account got while its link was on
// the way.
const addressTaken = "Another account has this email address now, so it cannot become yours. Nothing was changed."

// wrongCode is the same for a code that is wrong, expired or of a phantom.
const wrongCode = "That code is not correct. Check the letters and digits, or ask for a new code."

// Confirm confirms an address. A new address becomes the account's: every session
// ends, and the browser of the signed-in person gets a new one. The browser that
// signed up is signed in. It returns apperr.Conflict when the link does not work,
// which VerifyLink explains, or when another account has the address, with a
// message; for a code apperr.Fields, and apperr.TooMany after too many.
func (s *Service) Confirm(ctx context.Context, in Confirmation) (*Confirmed, error) {
	if err := s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Links, limit.Network(in.Client.IP)); err != nil {
		return nil, err
	}
	row, err := s.rowToConfirm(ctx, in)
	if err != nil {
		return nil, err
	}
	var done *Confirmed
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, *row.UserID)
		if err != nil {
			return deadLinkWhenGone(err)
		}
		used, err := tx.Tokens.UseRow(ctx, row, s.now())
		if err == nil && (!used || user.Disabled()) {
			err = deadLink()
		}
		if err != nil {
			return err
		}
		c := confirming{s: s, tx: tx, in: in, user: user, record: record}
		done, err = c.confirm(ctx, row.Email)
		return err
	})
	if emailConflict(err) {
		err = apperr.New(apperr.Conflict, addressTaken, err)
	}
	return done, err
}

// rowToConfirm returns the row of the link or of the code.
func (s *Service) rowToConfirm(ctx context.Context, in Confirmation) (*models.OneTimeToken, error) {
	if in.ByLink {
		row, err := s.linkRow(ctx, in.Token, models.PurposeVerifyEmail)
		if err == nil && row == nil {
			err = deadLink()
		}
		return row, err
	}
	userID := in.Joining.ID
	if in.Identity != nil {
		userID = in.Identity.UserID
	} else if userID == "" {
		return nil, deadLink()
	}
	code := tidyCode(in.Code)
	if code == "" {
		return nil, apperr.Fields{{Field: "code", Message: "Enter the code from the message."}}
	}
	if err := s.limits.Try(ctx, limit.Codes, userID); err != nil {
		if limit.Refused(err) {
			return nil, apperr.Fields{{Field: "code", Message: apperr.Details(err).Message}}
		}
		return nil, err
	}
	row, err := s.store.Tokens.Pending(ctx, userID, models.PurposeVerifyEmail, s.now())
	if err == nil && in.Identity == nil {
		user, joinedErr := s.joined(ctx, in.Joining)
		if joinedErr != nil {
			return nil, joinedErr
		}
		if user == nil {
			err = apperr.NotFound
		}
	}
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	if err != nil || subtle.ConstantTimeCompare([]byte(row.CodeHash), []byte(s.codeHash(userID, code))) != 1 {
		return nil, apperr.Fields{{Field: "code", Message: wrongCode}}
	}
	return row, nil
}

// confirming is a confirmation whose account is locked and whose link is used.
type confirming struct {
	s      *Service
	tx     *models.Store
	in     Confirmation
	user   *models.User
	record func(models.Event)
}

// own reports whether the account is that of the person who is signed in here,
// still.
func (c confirming) own(ctx context.Context) (bool, error) {
	if c.in.Identity == nil || c.in.Identity.UserID != c.user.ID {
		return false, nil
	}
	err := c.s.auth.StillSignedIn(ctx, c.tx, c.in.Identity.Actor(c.in.Client))
	if errors.Is(err, apperr.Unauthorized) {
		return false, nil
	}
	return err == nil, err
}

func (c confirming) confirm(ctx context.Context, email string) (*Confirmed, error) {
	own, err := c.own(ctx)
	if err != nil {
		return nil, err
	}
	done := &Confirmed{Email: email, Own: own}
	if email != c.user.Email {
		done.Change = true
		return done, c.change(ctx, done)
	}
	first := joins(c.user)
	if !c.user.EmailVerifiedAt.IsZero() { // an admin was faster
		return done, nil
	}
	if err := c.tx.Users.SetEmailVerified(ctx, c.user.ID, c.s.now()); err != nil {
		return nil, err
	}
	actor := auth.Actor{UserID: c.user.ID, Name: c.user.Username, Client: c.in.Client}
	switch {
	case done.Own:
		actor.SessionID = c.in.Identity.SessionID
	case first && c.in.Joining.ID == c.user.ID:
		if err := c.signIn(ctx, done); err != nil {
			return nil, err
		}
		actor.SessionID = done.SignedIn.SessionID
	}
	c.record(actor.Event(audit.EmailVerify, c.user, audit.Details{}))
	return done, nil
}

// signIn opens the first session of a new account, in the browser that signed up.
func (c confirming) signIn(ctx context.Context, done *Confirmed) error {
	err := c.tx.Users.SignedIn(ctx, c.user.ID, c.s.now())
	if err != nil {
		return err
	}
	done.SignedIn, err = c.s.auth.Open(ctx, c.tx, c.user, auth.Opening{
		Proof:  auth.ByPassword(),
		Method: auth.MethodSignUp, Remember: true, Presented: c.in.Presented, Device: c.in.Device, Client: c.in.Client,
	})
	return err
}

// change gives the account its new address and ends its sessions.
func (c confirming) change(ctx context.Context, done *Confirmed) error {
	now := c.s.now()
	details := audit.Details{Email: audit.Changed(c.user.Email, done.Email)}
	renamed := *c.user
	renamed.Email, renamed.EmailFolded, renamed.EmailVerifiedAt = done.Email, models.FoldEmail(done.Email), models.At(now)
	if err := c.tx.Users.SetNames(ctx, &renamed, now); err != nil {
		return err
	}
	if err := c.tx.Tokens.ExpireFor(ctx, c.user.ID, now, models.PurposeSetPassword); err != nil { // they may have been mailed to the old address
		return err
	}
	actor := auth.Actor{UserID: c.user.ID, Name: c.user.Username, Client: c.in.Client}
	var err error
	if done.Own {
		actor.SessionID = c.in.Identity.SessionID
		done.SignedIn, details.SessionsEnded, err = c.s.auth.Restart(ctx, c.tx, &renamed, c.in.Identity.SessionID, models.ReasonEmail, auth.Opening{
			Presented: c.in.Presented, Device: c.in.Device, Client: c.in.Client,
		})
	} else {
		details.SessionsEnded, err = c.tx.Sessions.EndAll(ctx, c.user.ID, "", models.ReasonEmail, now)
	}
	if err != nil {
		return err
	}
	c.record(actor.Event(audit.EmailChange, c.user, details))
	return nil
}
