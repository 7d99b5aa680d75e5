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

// Words for a password that is not right.
const wrongPassword = "The password is not correct."

// attempt is one try at a password: by whom, from where.
type attempt struct {
	user       *models.User // nil: nobody has the identifier
	identifier string
	password   string
	device     string // the device cookie; may be empty
	client     Client
}

// prove checks a password: the same limits, the same work and the same answer
// on every road, whether or not the account exists. It returns
// apperr.Unauthorized for a wrong one, apperr.TooMany, apperr.Locked,
// apperr.Busy or apperr.Unavailable. The attempt of a right one is to be settled
// or given back.
func (s *Service) prove(ctx context.Context, a attempt) (limit.Taken, error) {
	device, err := s.known(ctx, a)
	if err != nil {
		return limit.Taken{}, err
	}
	try := limit.Try{Identifier: a.identifier, Device: device, IP: a.client.IP}
	if a.user != nil {
		try.UserID = a.user.ID
	}
	taken, err := s.limits.TakePassword(ctx, try)
	if err != nil {
		if limit.Refused(err) {
			s.audit.Note(ctx, Actor{Client: a.client}.Event(audit.LoginLimited, a.user, ""))
		}
		return limit.Taken{}, err
	}
	right, outdated, err := s.compare(ctx, a)
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
// the same time when there is no account or the hash cannot be read.
func (s *Service) compare(ctx context.Context, a attempt) (right, outdated bool, err error) {
	switch {
	case len(a.password) > password.MaxBytes:
		return false, false, nil
	case a.user == nil:
		return false, false, s.hasher.VerifyDummy(ctx, a.password)
	}
	right, outdated, err = s.hasher.Verify(ctx, a.user.PasswordHash, a.password)
	if errors.Is(err, password.ErrUnreadable) {
		s.logger.ErrorContext(ctx, "an account's stored password hash cannot be read: nobody can sign in to it until its password is reset",
			"user_id", a.user.ID, "error", err.Error())
		return false, false, nil
	}
	return right, outdated, err
}

// rehash stores a stronger hash of a password that was just right. A failure
// does not stand in the person's way: the next sign-in tries again.
func (s *Service) rehash(ctx context.Context, a attempt) {
	if err := s.tryRehash(ctx, a); err != nil {
		s.logger.WarnContext(ctx, "rehash password", "error", err.Error())
	}
}

func (s *Service) tryRehash(ctx context.Context, a attempt) error {
	hash, err := s.hasher.Hash(ctx, a.password)
	if err != nil {
		return err
	}
	done, err := s.store.Users.Rehash(ctx, a.user.ID, a.user.PasswordHash, hash)
	if err != nil {
		return err
	}
	if done {
		a.user.PasswordHash = hash
		return nil
	}
	// Another sign-in was faster, or the password was changed.
	fresh, err := s.store.Users.ByID(ctx, a.user.ID)
	if err != nil {
		return err
	}
	same, _, err := s.hasher.Verify(ctx, fresh.PasswordHash, a.password)
	if same {
		a.user.PasswordHash = fresh.PasswordHash
	}
	return err
}

// known returns the hash of the device when the person has signed in with it
// before, and "" otherwise.
func (s *Service) known(ctx context.Context, a attempt) (string, error) {
	if a.user == nil || a.device == "" {
		return "", nil
	}
	hash := models.HashToken(a.device)
	known, err := s.store.Devices.Known(ctx, hash, a.user.ID)
	if err != nil || !known {
		return "", err
	}
	return hash, nil
}
