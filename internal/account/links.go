package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
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
	SetPasswordTTL = 24 * time.Hour
	SetupTTL       = time.Hour
)

// maxLinkToken bounds what is looked up; ours have 43 characters.
const maxLinkToken = 128

// LinkState is what has become of a one-time link.
type LinkState int

// The states of a link.
const (
	LinkGood LinkState = iota
	LinkExpired
	LinkUsed
	LinkReplaced // a newer one was made
	LinkUnknown
	LinkDisabled // the account is disabled
	LinkEnded    // it was made dead before its time, and there is no newer one
)

// Link is a one-time link and whom it is for.
type Link struct {
	State    LinkState
	Username string
	Email    string
	Until    time.Time // when it expires, or expired
	Replaced time.Time
	Tokens   int // how many personal access tokens of the person work
}

// newLinkToken returns 256 random bits for a URL.
func newLinkToken() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(secret)
}

// createSetPassword stores a link to choose a password with; it is the only
// one of the person that works.
func (s *Service) createSetPassword(ctx context.Context, tx *models.Store, userID string) (string, error) {
	now := s.now()
	if err := tx.Tokens.ReplaceFor(ctx, userID, now); err != nil {
		return "", err
	}
	token := newLinkToken()
	return token, tx.Tokens.Create(ctx, &models.OneTimeToken{
		TokenHash: models.HashToken(token), Purpose: models.PurposeSetPassword, UserID: &userID,
		CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(SetPasswordTTL)),
	})
}

// SetPasswordLink looks at a link without using it up.
func (s *Service) SetPasswordLink(ctx context.Context, token string) (Link, error) {
	row, err := s.linkRow(ctx, token, models.PurposeSetPassword)
	if row == nil {
		return Link{State: LinkUnknown}, err
	}
	user, err := s.store.Users.ByID(ctx, *row.UserID)
	if err != nil {
		return Link{}, err
	}
	link := s.linkOf(row)
	link.Username, link.Email = user.Username, user.Email
	if link.Tokens, err = s.CountTokens(ctx, user.ID); err != nil {
		return Link{}, err
	}
	switch {
	case link.State != LinkUsed && user.Disabled(): // disabling was its end
		link.State = LinkDisabled
	case link.State == LinkExpired && row.ExpiresAt.Time().Before(row.CreatedAt.Time().Add(SetPasswordTTL)):
		link.State = LinkEnded
	}
	return link, nil
}

// linkRow finds a link; nil without an error when there is none.
func (s *Service) linkRow(ctx context.Context, token string, purpose models.Purpose) (*models.OneTimeToken, error) {
	if token == "" || len(token) > maxLinkToken {
		return nil, nil //nolint:nilnil // a link that is not complete is an answer
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

// Reset is a new password that somebody with a reset link chose.
type Reset struct {
	Token     string // the link's
	Password  string // as it was typed
	EndTokens bool   // the personal access tokens stop working too
	Client    auth.Client
}

// ResetPassword uses a link up: a new password, every session over, nobody
// signed in. When the link does not work it returns apperr.Conflict; look at
// it again for why. A password that may not be chosen is apperr.Fields.
func (s *Service) ResetPassword(ctx context.Context, in Reset) error {
	link, err := s.SetPasswordLink(ctx, in.Token)
	if err != nil {
		return err
	}
	if link.State != LinkGood {
		return deadLink()
	}
	if problem := s.checkNew(in.Password, link.Username, link.Email); problem != "" {
		return apperr.Fields{{Field: "password", Message: problem}}
	}
	if err := s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Links, limit.Network(in.Client.IP)); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return err
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		row, err := tx.Tokens.ByToken(ctx, in.Token, models.PurposeSetPassword)
		if err != nil {
			return deadLinkWhenGone(err)
		}
		user, err := tx.Users.Lock(ctx, *row.UserID)
		if err != nil {
			return deadLinkWhenGone(err)
		}
		used, err := tx.Tokens.Use(ctx, in.Token, models.PurposeSetPassword, s.now())
		if err != nil {
			return err
		}
		if !used || user.Disabled() {
			return deadLink()
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
		tokens, err := s.endTokens(ctx, tx, user.ID, in.EndTokens)
		if err != nil {
			return err
		}
		record(auth.Actor{UserID: user.ID, Name: user.Username, Client: in.Client}.
			Event(audit.PasswordReset, user, audit.Details{SessionsEnded: ended, TokensEnded: tokens}))
		return s.limits.ClearAccount(ctx, tx, user.ID)
	})
}

func deadLink() error { return apperr.New(apperr.Conflict, "", errors.New("the link does not work")) }

func deadLinkWhenGone(err error) error {
	if errors.Is(err, apperr.NotFound) {
		return deadLink()
	}
	return err
}
