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

// Outcome is the result of a sign-in: SignedIn, Ticket or Refused is set. Until the
// second step is passed there is no session.
type Outcome struct {
	SignedIn *SignedIn // a session was opened
	Ticket   string    // the password was right, and a second step is missing: sealed, for FinishLogin
	Refused  Refusal   // why the sign-in was refused
	Cause    error     // of a refusal: its class, and for Limited the wait
}

// Refusal is why a sign-in is refused.
type Refusal string

// The refusals.
const (
	WrongPassword   Refusal = "wrong password"   // or no account has the identifier; the two are never told apart
	AccountDisabled Refusal = "account disabled" // told only after the right password
	Limited         Refusal = "limited"          // the password or the code was not checked
	WrongCode       Refusal = "wrong code"
	UsedCode        Refusal = "used code" // the code was right, and was used before
	StepOver        Refusal = "step over" // the ticket no longer works: sign in again
)

// Login signs a person in, or returns the refusal. Its errors are apperr.Busy,
// apperr.Unavailable, apperr.Canceled and faults of ours: nothing was decided.
//
// It ends the sessions of presented tokens: a browser has one session at a
// time.
func (s *Service) Login(ctx context.Context, in Login) (outcome Outcome, err error) {
	defer func() { s.countOutcome(SignInPassword, outcome, err) }()
	outcome, err = s.login(ctx, in)
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
	return outcome, nil
}

func (s *Service) login(ctx context.Context, in Login) (Outcome, error) {
	identifier := models.Tidy(in.Identifier)
	user, err := s.store.Users.ByName(ctx, identifier)
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return Outcome{}, err
	}
	a := Attempt{User: user, Identifier: identifier, Password: in.Password, Device: in.Device, Client: in.Client}
	proven, err := s.Prove(ctx, a)
	if err != nil {
		return Outcome{}, s.loginFailed(ctx, a, err)
	}
	var outcome Outcome
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		fresh, err := s.Admit(ctx, tx, user, proven)
		if err != nil {
			return err
		}
		proof, step := ByPassword(), ""
		app, err := currentApp(ctx, tx, fresh.ID)
		if err != nil {
			return err
		}
		if app != nil {
			trusted := false
			if in.Device != "" {
				if trusted, err = tx.Devices.Trusted(ctx, models.HashToken(in.Device), fresh.ID, s.now()); err != nil {
					return err
				}
			}
			if !trusted {
				outcome.Ticket, err = s.newTicket(fresh, app, in.Remember, in.Client)
				return err
			}
			proof, step = ByTrustedDevice(), audit.StepTrusted
		}
		outcome.SignedIn, err = s.enter(ctx, tx, fresh, entry{
			method: MethodPassword, proof: proof, step: step, remember: in.Remember, device: in.Device, presented: in.Presented, client: in.Client,
		}, record)
		return err
	})
	if err != nil {
		return Outcome{}, s.loginRefused(ctx, a, proven, err)
	}
	return outcome, nil
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

// firstDevice reports whether a sign-in, before it is recorded, is the first of the
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
// account and settles the attempt. It returns
// apperr.Disabled, or apperr.Unauthorized when the account or its password
// changed while it was checked.
func (s *Service) Admit(ctx context.Context, tx *models.Store, user *models.User, proven limit.Taken) (*models.User, error) {
	fresh, err := tx.Users.Lock(ctx, user.ID)
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
