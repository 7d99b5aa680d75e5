package account

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// Protection is what protects an account.
type Protection struct {
	PasswordChanged time.Time // zero: the account has no password
	AppSince        time.Time // zero: the account has no authenticator app
	Recovery        Recovery
	Passkeys        int
}

// TwoStep reports whether two-step sign-in is on: the account has an authenticator app.
func (p Protection) TwoStep() bool { return !p.AppSince.IsZero() }

// Recovery is the state of an account's recovery codes. They are there only while
// two-step sign-in is on.
type Recovery struct {
	Left, Total int
	LastUsed    time.Time // zero: none was used
}

// Protection returns what protects an account. It returns apperr.Unauthorized when the
// account is gone.
func (s *Service) Protection(ctx context.Context, userID string) (Protection, error) {
	user, err := s.store.Users.ByID(ctx, userID)
	if err != nil {
		return Protection{}, auth.SignedOut(err)
	}
	p := Protection{PasswordChanged: user.PasswordChangedAt.Time()}
	factors, err := s.store.Users.Factors(ctx, userID)
	if err != nil {
		return Protection{}, err
	}
	if p.Passkeys = factors.Passkeys; !factors.App {
		return p, nil
	}
	app, err := s.store.Apps.Current(ctx, userID)
	if errors.Is(err, apperr.NotFound) { // removed meanwhile
		return p, nil
	}
	if err != nil {
		return Protection{}, err
	}
	p.AppSince = app.CreatedAt.Time()
	codes, err := s.store.RecoveryCodes.Current(ctx, userID)
	p.Recovery = recoveryOf(codes)
	return p, err
}

func recoveryOf(codes []models.RecoveryCode) Recovery {
	r := Recovery{Total: len(codes)}
	for _, code := range codes {
		if code.UsedAt.IsZero() {
			r.Left++
			continue
		}
		if at := code.UsedAt.Time(); at.After(r.LastUsed) {
			r.LastUsed = at
		}
	}
	return r
}

// quietFor is how long the account page makes no suggestions after "Not now".
const quietFor = 90 * 24 * time.Hour

// SuggestLater makes the account page make no suggestions for 90 days.
func (s *Service) SuggestLater(ctx context.Context, person *auth.Identity) error {
	return s.store.Users.Quiet(ctx, person.UserID, s.now().Add(quietFor))
}
