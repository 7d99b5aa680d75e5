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
)

// How long links work.
const (
	SetPasswordTTL = 24 * time.Hour // shown to an admin or in the shell
	MailedResetTTL = 30 * time.Minute
	SetupTTL       = time.Hour
)

// maxLinkToken bounds the tokens that are looked up; ours have 43 characters.
const maxLinkToken = 128

// LinkState is the state of a one-time link.
type LinkState int

// The states of a link.
const (
	LinkGood LinkState = iota
	LinkExpired
	LinkUsed
	LinkReplaced // a newer one was created
	LinkUnknown
	LinkDisabled // the account is disabled
	LinkEnded    // it was ended early, and there is no newer one
)

// Link is a one-time link and the person it is for.
type Link struct {
	State    LinkState
	Username string
	Email    string
	Until    time.Time // when it expires, or expired
	Replaced time.Time
	Tokens   int  // the number of working personal access tokens
	Invited  bool // the person has never had a password
	Mailed   bool // it was mailed: it works for MailedResetTTL
	// Undoes is the address that securing the account replaces by Email; "" for
	// none.
	Undoes string
}

// createSetPassword creates a reset link, which replaces earlier ones of the
// person, and returns its token. mailedTo is the address that it is mailed to, or
// "".
func (s *Service) createSetPassword(ctx context.Context, tx *models.Store, userID string, ttl time.Duration, mailedTo string) (string, error) {
	now := s.now()
	if err := tx.Tokens.ReplaceFor(ctx, userID, models.PurposeSetPassword, now); err != nil {
		return "", err
	}
	token := models.NewToken()
	return token, tx.Tokens.Create(ctx, &models.OneTimeToken{
		TokenHash: models.HashToken(token), Purpose: models.PurposeSetPassword, UserID: &userID,
		CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(ttl)), Email: mailedTo,
	})
}

// endLinks makes the unused links stop working with which the account can be opened or
// its address be changed.
func (s *Service) endLinks(ctx context.Context, tx *models.Store, userID string) error {
	return tx.Tokens.ExpireFor(ctx, userID, s.now(), models.PurposeSetPassword, models.PurposeVerifyEmail)
}

// SetPasswordLink returns the state of a reset link without using it.
func (s *Service) SetPasswordLink(ctx context.Context, token string) (Link, error) {
	row, user, err := s.linkAndUser(ctx, token, models.PurposeSetPassword)
	if row == nil || err != nil {
		return Link{State: LinkUnknown}, err
	}
	link := s.linkOf(row)
	link.Username, link.Email, link.Invited = user.Username, user.Email, user.PasswordChangedAt.IsZero()
	ttl := SetPasswordTTL
	if link.Mailed = row.Email != ""; link.Mailed {
		ttl = MailedResetTTL
	}
	if link.Tokens, err = s.CountTokens(ctx, user.ID); err != nil {
		return Link{}, err
	}
	switch {
	case link.State != LinkUsed && user.Disabled(): // disabling ended it
		link.State = LinkDisabled
	case link.State == LinkExpired && row.ExpiresAt.Time().Before(row.CreatedAt.Time().Add(ttl)):
		link.State = LinkEnded
	}
	return link, nil
}

// linkAndUser finds a link and its user; nil without an error when there is no link.
func (s *Service) linkAndUser(ctx context.Context, token string, purpose models.Purpose) (*models.OneTimeToken, *models.User, error) {
	row, err := s.linkRow(ctx, token, purpose)
	if row == nil || err != nil {
		return nil, nil, err
	}
	user, err := s.store.Users.ByID(ctx, *row.UserID)
	return row, user, err
}

// linkRow finds a link; nil without an error when there is none.
func (s *Service) linkRow(ctx context.Context, token string, purpose models.Purpose) (*models.OneTimeToken, error) {
	if token == "" || len(token) > maxLinkToken {
		return nil, nil //nolint:nilnil // no link is a result, not a failure
	}
	row, err := s.store.Tokens.ByToken(ctx, token, purpose)
	if errors.Is(err, apperr.NotFound) {
		return nil, nil //nolint:nilnil // as above
	}
	return row, err
}

func (s *Service) linkOf(row *models.OneTimeToken) Link {
	link := Link{State: LinkGood, Until: row.ExpiresAt.Time(), Replaced: row.ReplacedAt.Time()}
	switch {
	case !row.UsedAt.IsZero():
		link.State = LinkUsed
	case !row.ReplacedAt.IsZero():
		link.State = LinkReplaced
	case models.At(s.now()) >= row.ExpiresAt:
		link.State = LinkExpired
	}
	return link
}

// Reset is a form with a reset link and a new password.
type Reset struct {
	Token        string // of the link
	Password     string // as it was typed
	RemoveTokens bool   // the personal access tokens stop working too
	Device       string
	Presented    auth.Presented
	Client       auth.Client
}

// ResetPassword uses a reset link: it sets the password and ends every session.
// An invited person, who sets their first password, is signed in; for anyone
// else it returns a nil SignedIn. When the link does not work it returns
// apperr.Conflict; SetPasswordLink says why. A password that is refused is
// apperr.Fields.
func (s *Service) ResetPassword(ctx context.Context, in Reset) (*auth.SignedIn, error) {
	link, err := s.SetPasswordLink(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	if link.State != LinkGood {
		return nil, deadLink()
	}
	if problem := s.checkNew(in.Password, link.Username, link.Email); problem != "" {
		return nil, apperr.Fields{{Field: "password", Message: problem}}
	}
	if err := s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Links, limit.Network(in.Client.IP)); err != nil {
		return nil, err
	}
	hash, err := s.hasher.For(in.Client.Caller(true)).Hash(ctx, in.Password)
	if err != nil {
		return nil, err
	}
	var signedIn *auth.SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.useLink(ctx, tx, in.Token)
		if err != nil {
			return err
		}
		if err := tx.Users.SetPassword(ctx, user.ID, hash, s.now()); err != nil {
			return err
		}
		if err := tx.Devices.ForgetAll(ctx, user.ID); err != nil {
			return err
		}
		ended, err := tx.Sessions.EndAll(ctx, user.ID, "", models.ReasonPassword, s.now())
		if err != nil {
			return err
		}
		tokens, err := s.removeTokens(ctx, tx, user.ID, in.RemoveTokens)
		if err != nil {
			return err
		}
		actor := auth.Actor{UserID: user.ID, Name: user.Username, Client: in.Client}
		record(actor.Event(audit.PasswordReset, user, audit.Details{SessionsEnded: ended, TokensEnded: tokens}))
		if user.PasswordChangedAt.IsZero() {
			if signedIn, err = s.signInInvited(ctx, tx, user, in, record); err != nil {
				return err
			}
		}
		return s.limits.ClearAccount(ctx, tx, user.ID)
	})
	return signedIn, err
}

// useLink uses a reset link and returns its user, locked, as it was before.
func (s *Service) useLink(ctx context.Context, tx *models.Store, token string) (*models.User, error) {
	row, err := tx.Tokens.ByToken(ctx, token, models.PurposeSetPassword)
	if err != nil {
		return nil, deadLinkWhenGone(err)
	}
	user, err := tx.Users.Lock(ctx, *row.UserID)
	if err != nil {
		return nil, deadLinkWhenGone(err)
	}
	used, err := tx.Tokens.Use(ctx, token, models.PurposeSetPassword, s.now())
	if err == nil && (!used || user.Disabled()) {
		err = deadLink()
	}
	if err == nil && row.Email != "" && models.FoldEmail(row.Email) == user.EmailFolded && user.EmailVerifiedAt.IsZero() {
		err = tx.Users.SetEmailVerified(ctx, user.ID, s.now()) // the link was mailed there
	}
	if err == nil { // another address that someone with the old password asked for
		err = tx.Tokens.ExpireFor(ctx, user.ID, s.now(), models.PurposeVerifyEmail)
	}
	return user, err
}

// signInInvited opens the first session of an invited person, who has just set
// their password.
func (s *Service) signInInvited(ctx context.Context, tx *models.Store, user *models.User, in Reset, record func(models.Event),
) (*auth.SignedIn, error) {
	if err := tx.Users.SignedIn(ctx, user.ID, s.now()); err != nil {
		return nil, err
	}
	signedIn, err := s.auth.Open(ctx, tx, user, auth.Opening{
		Proof:  auth.ByPassword(),
		Method: auth.MethodInvited, Remember: true, Presented: in.Presented, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return nil, err
	}
	actor := auth.Actor{UserID: user.ID, Name: user.Username, SessionID: signedIn.SessionID, Client: in.Client}
	record(actor.Event(audit.Login, user, audit.Details{}))
	return signedIn, nil
}

func deadLink() error { return apperr.New(apperr.Conflict, "", errors.New("the link does not work")) }

func deadLinkWhenGone(err error) error {
	if errors.Is(err, apperr.NotFound) {
		return deadLink()
	}
	return err
}
