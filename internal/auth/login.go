package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Login is the sign-in form.
type Login struct {
	Identifier string // username or email, compared without case
	Password   string // as it was typed
	Remember   bool   // "Stay signed in"
	Device     string // the device cookie; may be empty
	Presented  Presented
	Client     Client
}

// Outcome is the result of a sign-in: either SignedIn or Refused is set. A
// sign-in that needs a second step will be a third result, with the step and its
// ticket; until it is passed there is no session.
type Outcome struct {
	SignedIn *SignedIn // a session was opened
	Refused  Refusal   // why the sign-in was refused
	Cause    error     // of a refusal: its class, and for Limited the wait
}

// Refusal is why a sign-in is refused.
type Refusal string

// The refusals.
const (
	WrongPassword   Refusal = "wrong password"   // or no account has the identifier; the two are never told apart
	AccountDisabled Refusal = "account disabled" // told only after the right password
	Limited         Refusal = "limited"          // the password was not checked
)

// Login signs a person in, or returns the refusal. Its errors are apperr.Busy,
// apperr.Unavailable, apperr.Canceled and faults of ours: nothing was decided.
//
// It ends the sessions of presented tokens: a browser has one session at a
// time.
func (s *Service) Login(ctx context.Context, in Login) (Outcome, error) {
	signedIn, err := s.login(ctx, in)
	switch {
	case errors.Is(err, apperr.Unauthorized):
		return Outcome{Refused: WrongPassword, Cause: err}, nil
	case errors.Is(err, apperr.Disabled):
		return Outcome{Refused: AccountDisabled, Cause: err}, nil
	case limit.Refused(err):
		return Outcome{Refused: Limited, Cause: err}, nil
	case err != nil:
		return Outcome{}, err
	}
	return Outcome{SignedIn: signedIn}, nil
}

func (s *Service) login(ctx context.Context, in Login) (*SignedIn, error) {
	identifier := models.Tidy(in.Identifier)
	user, err := s.store.Users.ByName(ctx, identifier)
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	a := Attempt{User: user, Identifier: identifier, Password: in.Password, Device: in.Device, Client: in.Client}
	proven, err := s.Prove(ctx, a)
	if err != nil {
		return nil, s.loginFailed(ctx, a, err)
	}
	var signedIn *SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		fresh, err := s.Admit(ctx, tx, user, proven)
		if err != nil {
			return err
		}
		silent, err := s.firstDevice(ctx, tx, user)
		if err != nil {
			return err
		}
		signedIn, err = s.Open(ctx, tx, fresh, Opening{
			Method: MethodPassword, Remember: in.Remember, Presented: in.Presented, Device: in.Device, Client: in.Client,
		})
		if err != nil {
			return err
		}
		record(Actor{UserID: fresh.ID, Name: fresh.Username, SessionID: signedIn.SessionID, Client: in.Client}.Event(audit.Login, fresh,
			audit.Details{NewDevice: signedIn.NewDevice && !silent}))
		if signedIn.Replayed = !fresh.ReplayedAt.IsZero(); signedIn.Replayed {
			if signedIn.ReplayID, err = lastReplay(ctx, tx, fresh.ID); err != nil {
				return err
			}
			return tx.Users.MarkTold(ctx, fresh.ID)
		}
		return nil
	})
	if err != nil {
		return nil, s.loginRefused(ctx, a, proven, err)
	}
	return signedIn, nil
}

// lastReplay returns the id of the latest event about a copied session of a person,
// "" when there is none.
func lastReplay(ctx context.Context, tx *models.Store, userID string) (string, error) {
	e, err := tx.Audit.LastAbout(ctx, userID, audit.Replay)
	if errors.Is(err, apperr.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return e.ID, nil
}

// firstDevice reports whether a sign-in, before it is marked, is the first of the
// account, or the first since its password was reset: the person expects it, so no
// notice is sent.
func (s *Service) firstDevice(ctx context.Context, tx *models.Store, user *models.User) (bool, error) {
	if user.LastSignInAt >= user.PasswordChangedAt && !user.LastSignInAt.IsZero() {
		return false, nil
	}
	devices, err := tx.Devices.ByUser(ctx, user.ID)
	return len(devices) == 0, err
}

// Admit prepares the sign-in of a person whose password was right: it locks the
// account, marks the sign-in and settles the attempt. It returns
// apperr.Disabled, or apperr.Unauthorized when the account or its password
// changed while it was checked.
func (s *Service) Admit(ctx context.Context, tx *models.Store, user *models.User, proven limit.Taken) (*models.User, error) {
	fresh, err := tx.Users.MarkSignedIn(ctx, user.ID, s.now())
	switch {
	case errors.Is(err, apperr.NotFound):
		return nil, apperr.New(apperr.Unauthorized, wrongPassword, nil)
	case err != nil:
		return nil, err
	case fresh.Disabled():
		return nil, apperr.New(apperr.Disabled, "", nil)
	case fresh.PasswordHash != user.PasswordHash:
		return nil, apperr.New(apperr.Unauthorized, wrongPassword, errors.New("changed while it was checked"))
	}
	// After the account: clearing limits locks the rows in this order too.
	return fresh, s.limits.Settle(ctx, tx, proven)
}

// loginFailed records a sign-in that did not get past the password.
func (s *Service) loginFailed(ctx context.Context, a Attempt, cause error) error {
	if errors.Is(cause, apperr.Unauthorized) {
		if err := s.audit.Record(ctx, Actor{Client: a.Client}.Event(audit.LoginFailed, a.User, audit.Details{})); err != nil {
			return err
		}
	}
	return cause
}

// loginRefused handles a right password that opened no session. The rollback
// has also undone the return of its attempt.
func (s *Service) loginRefused(ctx context.Context, a Attempt, p limit.Taken, cause error) error {
	switch {
	case errors.Is(cause, apperr.Unauthorized): // no longer right: it stays counted
		return cause
	case !errors.Is(cause, apperr.Disabled):
		return s.limits.GiveBack(ctx, p, cause)
	}
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		record(Actor{Client: a.Client}.Event(audit.LoginDisabled, a.User, audit.Details{}))
		return s.limits.Settle(ctx, tx, p)
	})
	if err != nil {
		return err
	}
	return cause
}
