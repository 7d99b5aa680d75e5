package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/factor"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Confirmation is one attempt of a signed-in person to confirm that it is them.
type Confirmation struct {
	Identity *Identity
	ByCode   bool   // with Code alone, else with Password
	Full     bool   // with Password, and on an account with an app also with Code
	Password string // as it was typed
	Code     string // as it was typed: of the app, or a recovery code
	Device   string // the device cookie; may be empty
	Client   Client
}

// Confirm records that a signed-in person proved who they are. The session stays the
// same. The refusals are WrongPassword, WrongCode, UsedCode and Limited; the errors are
// apperr.Unauthorized when the session has ended meanwhile, apperr.Conflict when the
// password or the app was replaced meanwhile, apperr.Busy and apperr.Unavailable.
func (s *Service) Confirm(ctx context.Context, in Confirmation) (Outcome, error) {
	err := s.confirm(ctx, in)
	switch {
	case errors.Is(err, errWrongPassword):
		return Outcome{Refused: WrongPassword, Cause: err}, nil
	case errors.Is(err, errWrongCode):
		return Outcome{Refused: WrongCode, Cause: err}, nil
	case errors.Is(err, errUsedCode):
		return Outcome{Refused: UsedCode, Cause: err}, nil
	case limit.Refused(err):
		return Outcome{Refused: Limited, Cause: err}, nil
	}
	return Outcome{}, err
}

// errWrongPassword is the cause for a confirmation with a wrong password.
var errWrongPassword = errors.New("the password is wrong")

// replaced refuses a confirmation when the password or the app changed while it was
// checked.
const replaced = "Your password or your authenticator app was just changed in another window or on another device. Try again."

// shown is what a person has proved in one attempt.
type shown struct {
	user     *models.User
	app      *models.AuthenticatorApp // nil: the account has none
	password bool
	taken    limit.Taken // of the password
	code     *goodCode   // nil: none was needed
}

func (s *Service) confirm(ctx context.Context, in Confirmation) error {
	proved, err := s.prove(ctx, in)
	if err != nil {
		return err
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		app, err := currentApp(ctx, tx, user.ID)
		if err != nil {
			return err
		}
		if proved.password && user.PasswordHash != proved.user.PasswordHash || !sameApp(app, proved.app) {
			return apperr.New(apperr.Conflict, replaced, nil)
		}
		proof, step := ByPassword(), audit.StepPassword
		if app != nil {
			proof = ByPasswordAlone()
		}
		if proved.password {
			if err := s.limits.Settle(ctx, tx, proved.taken); err != nil {
				return err
			}
		}
		if proved.code != nil {
			if err := s.accept(ctx, tx, *proved.code); err != nil {
				return err
			}
			if proof, step = ByCodeAlone(), proved.code.step(); proved.password {
				proof = ByCode()
			}
		}
		record(in.Identity.Actor(in.Client).Event(audit.Confirmed, user, audit.Details{Step: step}))
		return s.proveAgain(ctx, tx, in.Identity.SessionID, proof)
	})
	if err != nil && proved.password {
		return s.limits.GiveBack(ctx, proved.taken, err)
	}
	return err
}

// sameApp reports whether two readings of the app of an account found the same.
func sameApp(a, b *models.AuthenticatorApp) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.ID == b.ID
}

// prove checks the password and the code of an attempt, as far as it needs them.
func (s *Service) prove(ctx context.Context, in Confirmation) (shown, error) {
	user, err := s.store.Users.ByID(ctx, in.Identity.UserID)
	if err != nil {
		return shown{}, SignedOut(err)
	}
	proved := shown{user: user, password: in.Full || !in.ByCode}
	if proved.app, err = currentApp(ctx, s.store, user.ID); err != nil {
		return shown{}, err
	}
	actor := in.Identity.Actor(in.Client)
	if proved.password {
		proved.taken, err = s.Prove(ctx, Attempt{User: user, Identifier: user.Username, Password: in.Password, Device: in.Device, Client: in.Client})
		if errors.Is(err, apperr.Unauthorized) {
			if err := s.audit.Record(ctx, actor.Event(audit.PasswordFailed, user, audit.Details{})); err != nil {
				return shown{}, err
			}
			return shown{}, apperr.New(apperr.Invalid, wrongPassword, errWrongPassword)
		}
		if err != nil {
			return shown{}, err
		}
	}
	if needsCode := in.ByCode || in.Full && proved.app != nil; !needsCode {
		return proved, nil
	}
	code, err := s.codeOf(ctx, actor, proved, in.Code)
	if err != nil {
		if proved.password {
			return shown{}, s.limits.GiveBack(ctx, proved.taken, err)
		}
		return shown{}, err
	}
	proved.code = &code
	return proved, nil
}

// codeOf checks a code of the account's app, or a recovery code.
func (s *Service) codeOf(ctx context.Context, actor Actor, proved shown, typed string) (goodCode, error) {
	if proved.app == nil { // it was switched off meanwhile
		return goodCode{}, apperr.New(apperr.Conflict, replaced, nil)
	}
	return s.lookAt(ctx, actor, proved.user, proved.app, typed, factor.IsRecovery(factor.TidyRecovery(typed)))
}
