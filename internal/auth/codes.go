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

// The causes for a code that is refused.
var (
	errWrongCode = errors.New("the code is wrong")
	errUsedCode  = errors.New("the code was used before")
)

// goodCode is a code that was right when it was looked at. It has to be accepted in
// the transaction of what it is for.
type goodCode struct {
	userID     string
	appID      string
	timeStep   int64
	recoveryID string // of a recovery code; else empty
}

// step is the word for the audit log.
func (c goodCode) step() string {
	if c.recoveryID != "" {
		return audit.StepRecovery
	}
	return audit.StepCode
}

// lookAt checks a code of an account. The attempt is counted before the code is looked
// at, and given back by accept. It returns apperr.Invalid with errWrongCode or
// errUsedCode as cause, or apperr.TooMany.
func (s *Service) lookAt(ctx context.Context, actor Actor, user *models.User, app *models.AuthenticatorApp, typed string, recovery bool) (goodCode, error) {
	if err := s.limits.Try(ctx, limit.StepCodes, user.ID); err != nil {
		if limit.Refused(err) {
			s.audit.Note(ctx, actor.Event(audit.Limited, user, audit.Details{Cause: apperr.Details(err).Error()}))
		}
		return goodCode{}, err
	}
	code, err := s.check(ctx, actor, user, app, typed, recovery)
	switch {
	case errors.Is(err, errWrongCode), errors.Is(err, errUsedCode):
		event := audit.CodeFailed
		if actor.SessionID != "" { // the person is signed in
			event = audit.CodeCheckFailed
		}
		if recordErr := s.audit.Record(ctx, actor.Event(event, user, audit.Details{})); recordErr != nil {
			return goodCode{}, recordErr
		}
	case err != nil: // nothing was compared
		return goodCode{}, s.giveStepBack(ctx, user.ID, err)
	}
	return code, err
}

// giveStepBack gives an attempt at a code back and returns cause.
func (s *Service) giveStepBack(ctx context.Context, userID string, cause error) error {
	if err := s.limits.Refund(context.WithoutCancel(ctx), s.store, limit.StepCodes, userID); err != nil {
		return errors.Join(err, cause)
	}
	return cause
}

func (s *Service) check(ctx context.Context, actor Actor, user *models.User, app *models.AuthenticatorApp, typed string, recovery bool) (goodCode, error) {
	if recovery {
		return s.checkRecovery(ctx, actor, user, typed)
	}
	code := factor.Tidy(typed)
	secret, err := s.secretOf(app)
	if err != nil {
		s.logger.ErrorContext(ctx, "the secret of an authenticator app cannot be read: its owner needs a recovery code or a reset", "user_id", user.ID, "error", err.Error())
		return goodCode{}, apperr.New(apperr.Invalid, "", errWrongCode)
	}
	step, right := factor.Match(secret, code, s.now())
	switch {
	case !right:
		return goodCode{}, apperr.New(apperr.Invalid, "", errWrongCode)
	case step <= app.LastStep:
		return goodCode{}, apperr.New(apperr.Invalid, "", errUsedCode)
	}
	return goodCode{userID: user.ID, appID: app.ID, timeStep: step}, nil
}

func (s *Service) checkRecovery(ctx context.Context, actor Actor, user *models.User, typed string) (goodCode, error) {
	rows, err := s.store.RecoveryCodes.Current(ctx, user.ID)
	if err != nil {
		return goodCode{}, err
	}
	set := make([]string, len(rows))
	for i, row := range rows {
		set[i] = row.CodeHash
	}
	found, err := s.hasher.For(actor.Client.Caller(true)).MatchSet(ctx, set, factor.TidyRecovery(typed))
	switch {
	case err != nil:
		return goodCode{}, err
	case found < 0:
		return goodCode{}, apperr.New(apperr.Invalid, "", errWrongCode)
	case !rows[found].UsedAt.IsZero():
		return goodCode{}, apperr.New(apperr.Invalid, "", errUsedCode)
	}
	return goodCode{userID: user.ID, recoveryID: rows[found].ID}, nil
}

// accept uses a code up and gives its attempt back, in the transaction of what it is
// for. It returns apperr.Invalid with errUsedCode as cause when another request was
// faster.
func (s *Service) accept(ctx context.Context, tx *models.Store, code goodCode) error {
	var first bool
	var err error
	if code.recoveryID != "" {
		first, err = tx.RecoveryCodes.Use(ctx, code.recoveryID, s.now())
	} else {
		first, err = tx.Apps.Accept(ctx, code.appID, code.timeStep, s.now())
	}
	if err != nil {
		return err
	}
	if !first {
		return apperr.New(apperr.Invalid, "", errUsedCode)
	}
	return s.limits.Refund(ctx, tx, limit.StepCodes, code.userID)
}

// appPurpose binds the sealed secret of an app to its row.
func appPurpose(id string) string { return "authenticator_apps\n" + id + "\nsecret" }

// SealSecret seals the secret of an app for its row.
func (s *Service) SealSecret(id string, secret []byte) string {
	return s.sealer.Seal(secret, appPurpose(id))
}

// secretOf returns the secret of an app.
func (s *Service) secretOf(app *models.AuthenticatorApp) ([]byte, error) {
	secret, ok := s.sealer.Open(app.Secret, appPurpose(app.ID))
	if !ok {
		return nil, errors.New("the master secret is not the one that it was sealed with")
	}
	return secret, nil
}

// currentApp returns the app of an account, nil if it has none.
func currentApp(ctx context.Context, store *models.Store, userID string) (*models.AuthenticatorApp, error) {
	app, err := store.Apps.Current(ctx, userID)
	if errors.Is(err, apperr.NotFound) {
		return nil, nil //nolint:nilnil // no app is a result, not a failure
	}
	return app, err
}
