package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"time"
	"unicode"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// VerifyTTL is how long the link and the code of a letter work that asks to confirm
// an address.
const VerifyTTL = 24 * time.Hour

// Verifies reports whether people are asked to confirm their address.
func (s *Service) Verifies() bool {
	return (s.verify == VerifyOn || s.verify == VerifyRequired) && s.mail.On()
}

// VerifyRequired reports whether people can do nothing else before they have
// confirmed their address.
func (s *Service) VerifyRequired() bool { return s.verify == VerifyRequired && s.mail.On() }

// owner is who has an address.
type owner struct {
	user *models.User // nil: an account had it and can get it back
}

// ownerOf returns the owner of an address other than the account exceptID, nil if
// there is none.
func (s *Service) ownerOf(ctx context.Context, email, exceptID string) (*owner, error) {
	user, err := s.store.Users.ByEmail(ctx, email)
	switch {
	case err == nil && user.ID != exceptID:
		return &owner{user: user}, nil
	case err == nil:
		return nil, nil //nolint:nilnil // no other owner is a result, not a failure
	case !errors.Is(err, apperr.NotFound):
		return nil, err
	}
	kept, err := s.store.EmailChanges.Kept(ctx, email, exceptID, s.now())
	if err != nil || !kept {
		return nil, err
	}
	return &owner{}, nil
}

// recipient decides what to mail to an address that someone typed.
type recipient struct {
	email string
	owner *owner // nil: the address is free
	quiet bool   // it got enough letters lately: its owner is not told once more
}

// recipientOf returns the recipient at an address for the account userID. It does
// the same work whether the address is free or not.
func (s *Service) recipientOf(ctx context.Context, email, userID string) (recipient, error) {
	to := recipient{email: email}
	err := s.limits.Take(ctx, limit.Inbox, s.limits.Hidden(email))
	if to.quiet = limit.Refused(err); err != nil && !to.quiet {
		return to, err
	}
	to.owner, err = s.ownerOf(ctx, email, userID)
	return to, err
}

// ask replaces the pending link of an account by one for an address, and mails it.
// If the address is not free, its owner gets a letter about that, and nobody gets
// the link. The transaction has locked the account.
func (s *Service) ask(ctx context.Context, tx *models.Store, user *models.User, to recipient) error {
	now := s.now()
	if err := tx.Tokens.ReplaceFor(ctx, user.ID, models.PurposeVerifyEmail, now); err != nil {
		return err
	}
	token, code := models.NewToken(), newCode()
	err := tx.Tokens.Create(ctx, &models.OneTimeToken{
		TokenHash: models.HashToken(token), Purpose: models.PurposeVerifyEmail, UserID: &user.ID, Email: to.email,
		CodeHash: s.codeHash(user.ID, code), CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(VerifyTTL)),
	})
	if err != nil {
		return err
	}
	if err := s.limits.Clear(ctx, tx, limit.Codes, user.ID); err != nil {
		return err
	}
	if to.owner != nil {
		return s.tellOwner(ctx, tx, to)
	}
	words := letters.Confirmation{
		Name: user.FullName, Username: user.Username, Email: to.email, Code: shownCode(code),
		Link: s.mail.URL("/verify", "token", token), Until: now.Add(VerifyTTL),
	}
	letter := letters.ConfirmEmail(words)
	if user.Email != "" && to.email != user.Email {
		letter = letters.ConfirmNewEmail(words)
	}
	_, err = s.mail.Put(ctx, tx, mail.Envelope{Topic: mail.TopicVerify, UserID: user.ID, To: to.email, Useless: VerifyTTL}, letter)
	return err
}

// tellOwner mails to an address that someone who does not have it typed it.
func (s *Service) tellOwner(ctx context.Context, tx *models.Store, to recipient) error {
	if to.quiet {
		return nil
	}
	envelope := mail.Envelope{Topic: mail.TopicTaken, To: to.email, Useless: VerifyTTL}
	links := letters.TakenLinks{Login: s.mail.URL("/login"), Forgot: s.mail.URL("/forgot")}
	if to.owner.user == nil {
		_, err := s.mail.Put(ctx, tx, envelope, letters.AddressKept(to.email, links))
		return err
	}
	envelope.UserID = to.owner.user.ID
	_, err := s.mail.Put(ctx, tx, envelope, letters.AddressTaken(to.owner.user.FullName, to.owner.user.Username, links))
	return err
}

// Pending is an address that waits to be confirmed.
type Pending struct {
	Email  string // empty: none
	Change bool   // it is not the account's address yet
	Sent   bool   // a letter that still works was sent to it
}

// PendingEmail returns the address that a signed-in person still has to confirm: a
// new one that they asked for, else their own while addresses are verified.
func (s *Service) PendingEmail(ctx context.Context, person *auth.Identity) (Pending, error) {
	if !s.mail.On() {
		return Pending{}, nil
	}
	return s.pending(ctx, s.store, person.UserID, person.Email, person.Verified)
}

func (s *Service) pending(ctx context.Context, store *models.Store, userID, email string, verified bool) (Pending, error) {
	row, err := store.Tokens.Pending(ctx, userID, models.PurposeVerifyEmail, s.now())
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return Pending{}, err
	}
	switch {
	case err == nil && row.Email != email:
		return Pending{Email: row.Email, Change: true, Sent: true}, nil
	case verified || email == "" || !s.Verifies():
		return Pending{}, nil
	}
	return Pending{Email: email, Sent: err == nil}, nil
}

// codeAlphabet has no characters that look alike.
const codeAlphabet = "234679ACDEFGHJKMNPQRTUVWXY"

const codeLength = 8

// newCode returns a random code of a letter.
func newCode() string {
	code := make([]byte, codeLength)
	for i := range code {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet)))) // never fails (crypto/rand)
		code[i] = codeAlphabet[n.Int64()]
	}
	return string(code)
}

// shownCode returns a code as people read it: two groups.
func shownCode(code string) string { return code[:codeLength/2] + " " + code[codeLength/2:] }

// tidyCode returns a typed code without spaces and hyphens, in upper case.
func tidyCode(typed string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, models.Tidy(typed)))
}

// codeHash returns the form in which a code is stored. A code is too short for a
// plain hash, so it is keyed; with the account, so that no two rows are alike.
func (s *Service) codeHash(userID, code string) string {
	mac := hmac.New(sha256.New, s.codeKey)
	mac.Write([]byte(userID + "\n" + code))
	return hex.EncodeToString(mac.Sum(nil))
}
