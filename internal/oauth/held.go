package oauth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
)

// The causes of apperr.Forbidden for a person who has to do something in a browser
// before programs can act for them.
var (
	ErrUnverified = errors.New("the email address is not confirmed")
	ErrLacksStep  = errors.New("the account lacks a second step")
)

// The messages of the two.
const (
	confirmFirst = "Confirm your email address first: sign in to the portal with a browser."
	stepFirst    = "Add a second step first: sign in to the portal with a browser."
)

// Held reports whether a failure has one of the two causes.
func Held(err error) bool { return errors.Is(err, ErrUnverified) || errors.Is(err, ErrLacksStep) }

// held returns apperr.Forbidden with its cause while programs cannot act for a
// person, else nil.
func (s *Service) held(ctx context.Context, person *auth.Identity) error {
	if s.verified && !person.Verified {
		return apperr.New(apperr.Forbidden, confirmFirst, ErrUnverified)
	}
	lacks := s.auth.LacksStep(person)
	if person.PersonalTokenID != "" && s.auth.RequiresStep(person.Admin) { // a token has no session that would tell
		factors, err := s.store.Users.Factors(ctx, person.UserID)
		if err != nil {
			return err
		}
		lacks = !factors.App && factors.Passkeys == 0
	}
	if lacks {
		return apperr.New(apperr.Forbidden, stepFirst, ErrLacksStep)
	}
	return nil
}
