package auth

import (
	"context"
	"errors"
	"fmt"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/password"
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

// proof is a password that was right, and the buckets its attempt was counted
// in until it is settled.
type proof struct {
	account  string // the account's or the device's own bucket
	failures string // the address's failures
}

// prove checks a password: the same limits, the same work and the same answer
// on every road, whether or not the account exists. It returns
// apperr.Unauthorized for a wrong one, apperr.TooMany, apperr.Busy or
// apperr.Unavailable. A proof that is returned is to be settled or given back.
func (s *Service) prove(ctx context.Context, a attempt) (proof, error) {
	account, rule, err := s.accountBucket(ctx, a)
	if err != nil {
		return proof{}, err
	}
	network := networkOf(a.client.IP)
	p := proof{account: account, failures: "failures:" + network}
	err = s.takeAll(ctx,
		models.Take{Bucket: "attempts:" + network, Rule: attemptsRule},
		models.Take{Bucket: p.account, Rule: rule},
		models.Take{Bucket: p.failures, Rule: failuresRule})
	if err != nil {
		if errors.Is(err, apperr.TooMany) {
			s.audit.Note(ctx, Actor{Client: a.client}.Event(audit.LoginLimited, a.user, ""))
		}
		return proof{}, err
	}
	right, outdated, err := s.compare(ctx, a)
	if err != nil {
		// Nothing was compared: it was no attempt. Also when the caller is gone.
		return proof{}, s.giveBack(ctx, p, err)
	}
	if !right {
		return proof{}, apperr.New(apperr.Unauthorized, wrongPassword, nil)
	}
	if outdated {
		s.rehash(ctx, a)
	}
	return p, nil
}

// compare hashes what was typed, and a stand-in when there is nobody.
func (s *Service) compare(ctx context.Context, a attempt) (right, outdated bool, err error) {
	switch {
	case len(a.password) > password.MaxBytes:
		return false, false, nil
	case a.user == nil:
		return false, false, s.hasher.VerifyDummy(ctx, a.password)
	}
	return s.hasher.Verify(ctx, a.user.PasswordHash, a.password)
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

// accountBucket chooses what an attempt counts against: the account; the
// device, when the person signed in with it before, so that strangers cannot
// lock the owner out; or the identifier that nobody has.
func (s *Service) accountBucket(ctx context.Context, a attempt) (string, models.Rule, error) {
	if a.user == nil {
		return s.unknownBucket(a.identifier), accountRule, nil
	}
	if a.device != "" {
		hash := models.HashToken(a.device)
		known, err := s.store.Devices.Known(ctx, hash, a.user.ID)
		if err != nil {
			return "", models.Rule{}, err
		}
		if known {
			return "device:" + a.user.ID + ":" + hash[:16], deviceRule, nil
		}
	}
	return accountBuckets + a.user.ID, accountRule, nil
}

// settle gives the attempt of a right password back. The address keeps its
// other failures: a success of one account must not clear them.
func (s *Service) settle(ctx context.Context, tx *models.Store, p proof) error {
	if !s.limits {
		return nil
	}
	if err := tx.Attempts.Clear(ctx, p.account); err != nil {
		return err
	}
	return tx.Attempts.Refund(ctx, p.failures)
}

// giveBack gives the attempt of a right password back with which nothing could
// be done, and returns why. When that fails too, that is the answer.
func (s *Service) giveBack(ctx context.Context, p proof, cause error) error {
	if err := s.refund(context.WithoutCancel(ctx), p.account, p.failures); err != nil {
		return fmt.Errorf("%w (after: %v)", err, cause) //nolint:errorlint // of the two, one decides the answer
	}
	return cause
}

func (s *Service) refund(ctx context.Context, buckets ...string) error {
	if !s.limits {
		return nil
	}
	return s.store.Attempts.Refund(ctx, buckets...)
}
