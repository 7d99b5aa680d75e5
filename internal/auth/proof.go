package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/models"
)

// wrongPassword is the message about a password that is not right.
const wrongPassword = "The password is not correct."

// Attempt is one attempt at the password of an account.
type Attempt struct {
	User       *models.User // nil: no account has the identifier
	Identifier string       // as it was typed
	Password   string       // as it was typed
	Device     string       // the device cookie; may be empty
	API        bool         // the password was sent to the API, not to a page
	Client     Client
}

// Prove checks a password: with the same limits, the same work and the same
// answer for every form and endpoint that takes one, whether or not the account
// exists. It returns apperr.Unauthorized for a wrong password, apperr.TooMany,
// apperr.Locked, apperr.Busy or apperr.Unavailable.
//
// A right password leaves its attempt counted: settle it in the transaction of
// what the password was for (limit.Limiter.Settle), or give it back when nothing
// came of it (limit.Limiter.GiveBack).
func (s *Service) Prove(ctx context.Context, a Attempt) (limit.Taken, error) {
	device, err := s.known(ctx, a)
	if err != nil {
		return limit.Taken{}, err
	}
	try := limit.Try{Identifier: a.Identifier, Device: device, API: a.API, IP: a.Client.IP}
	if a.User != nil {
		try.UserID = a.User.ID
	}
	taken, err := s.limits.TakePassword(ctx, try)
	if err != nil {
		if limit.Refused(err) {
			s.audit.Note(ctx, Actor{Client: a.Client}.Event(audit.LoginLimited, a.User, audit.Details{}))
		}
		return limit.Taken{}, err
	}
	right, outdated, err := s.compare(ctx, a, device != "")
	if err != nil {
		// Nothing was compared: it was no attempt. Also when the caller is gone.
		return limit.Taken{}, s.limits.GiveBack(ctx, taken, err)
	}
	if !right {
		return limit.Taken{}, apperr.New(apperr.Unauthorized, wrongPassword, nil)
	}
	if outdated {
		s.rehash(ctx, a)
	}
	return taken, nil
}

// compare compares the typed password with the account's stored hash. It takes
// the same time when there is no account or the hash cannot be read. known says
// that the device is a known one of the account.
func (s *Service) compare(ctx context.Context, a Attempt, known bool) (right, outdated bool, err error) {
	hasher := s.hasher.For(a.Client.Caller(known))
	switch {
	case len(a.Password) > password.MaxBytes:
		return false, false, nil
	case a.User == nil:
		return false, false, hasher.VerifyDummy(ctx, a.Password)
	}
	right, outdated, err = hasher.Verify(ctx, a.User.PasswordHash, a.Password)
	if errors.Is(err, password.ErrUnreadable) {
		s.logger.ErrorContext(ctx, "an account's stored password hash cannot be read: its owner cannot sign in until the password is reset",
			"user_id", a.User.ID, "error", err.Error())
		return false, false, nil
	}
	return right, outdated, err
}

// rehash stores a new hash of a password that was just right. A failure
// does not stand in the person's way: the next sign-in tries again.
func (s *Service) rehash(ctx context.Context, a Attempt) {
	if err := s.tryRehash(ctx, a); err != nil {
		s.logger.WarnContext(ctx, "rehash password", "error", err.Error())
	}
}

func (s *Service) tryRehash(ctx context.Context, a Attempt) error {
	hasher := s.hasher.For(a.Client.Caller(true))
	hash, err := hasher.Hash(ctx, a.Password)
	if err != nil {
		return err
	}
	done, err := s.store.Users.Rehash(ctx, a.User.ID, a.User.PasswordHash, hash)
	if err != nil {
		return err
	}
	if done {
		a.User.PasswordHash = hash
		return nil
	}
	// Another sign-in was faster, or the password was changed.
	fresh, err := s.store.Users.ByID(ctx, a.User.ID)
	if err != nil {
		return err
	}
	same, _, err := hasher.Verify(ctx, fresh.PasswordHash, a.Password)
	if same {
		a.User.PasswordHash = fresh.PasswordHash
	}
	return err
}

// known returns the hash of the device when the person has signed in with it
// before, and "" otherwise.
func (s *Service) known(ctx context.Context, a Attempt) (string, error) {
	if a.User == nil || a.Device == "" {
		return "", nil
	}
	hash := models.HashToken(a.Device)
	known, err := s.store.Devices.Known(ctx, hash, a.User.ID)
	if err != nil || !known {
		return "", err
	}
	return hash, nil
}
