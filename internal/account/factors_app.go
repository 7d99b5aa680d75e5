package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/limit"
	"latchkey/models"
)

// FactorChange is a change of the second step by its owner, who confirmed a moment ago
// that it is them.
type FactorChange struct {
	Identity  *auth.Identity
	Device    string // the device cookie
	Presented auth.Presented
	Client    auth.Client
}

func (c FactorChange) actor() auth.Actor { return c.Identity.Actor(c.Client) }

// AppSetUp is the result of SetUpApp.
type AppSetUp struct {
	SignedIn *auth.SignedIn
	Replaced bool     // the account had another app
	Codes    []string // new recovery codes, to be shown once; empty: the account keeps its own
}

// SetUpApp makes an app with secret the authenticator app of the person, once code, as
// it was typed, is one that the app shows now. Until then nothing changes: another app
// stays in use. Every session ends, and a new one is opened for this browser. It
// returns apperr.Fields, apperr.TooMany, apperr.Busy or apperr.Unauthorized.
func (s *Service) SetUpApp(ctx context.Context, in FactorChange, secret []byte, code string) (AppSetUp, error) {
	tidy := factor.Tidy(code)
	switch {
	case tidy == "":
		return AppSetUp{}, apperr.Fields{{Field: "code", Message: "Enter the code that the app shows."}}
	case !factor.IsCode(tidy):
		return AppSetUp{}, apperr.Fields{{Field: "code", Message: "Enter the 6 digits that the app shows."}}
	}
	userID := in.Identity.UserID
	if err := s.limits.Try(ctx, limit.StepCodes, userID); err != nil {
		if limit.Refused(err) {
			s.audit.Note(ctx, in.actor().Event(audit.Limited, nil, audit.Details{Cause: apperr.Details(err).Error()}))
		}
		return AppSetUp{}, err
	}
	step, right := factor.Match(secret, tidy, s.now())
	if !right {
		return AppSetUp{}, apperr.Fields{{Field: "code", Message: factor.WrongCode}}
	}
	done, err := s.setUpApp(ctx, in, secret, step)
	if err != nil { // the code was right: it was no attempt
		if failure := s.limits.Refund(context.WithoutCancel(ctx), s.store, limit.StepCodes, userID); failure != nil {
			err = errors.Join(failure, err)
		}
		return AppSetUp{}, err
	}
	return done, nil
}

// setUpApp is SetUpApp with the time step of a right code, which counts as used.
func (s *Service) setUpApp(ctx context.Context, in FactorChange, secret []byte, step int64) (done AppSetUp, err error) {
	before, err := s.Protection(ctx, in.Identity.UserID)
	if err != nil {
		return AppSetUp{}, err
	}
	var codes []models.RecoveryCode
	if before.Recovery.Total == 0 {
		// Outside the transaction, because hashing takes long. What it depends on ends
		// this session when it changes.
		if done.Codes, codes, err = s.newCodes(ctx, in); err != nil {
			return AppSetUp{}, err
		}
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if done.Replaced, err = tx.Apps.Remove(ctx, user.ID, models.RemovedReplaced, s.now()); err != nil {
			return err
		}
		id := models.NewID()
		err = tx.Apps.Create(ctx, &models.AuthenticatorApp{
			ID: id, UserID: user.ID, Secret: s.auth.SealSecret(id, secret), LastStep: step, CreatedAt: models.At(s.now()),
		})
		if err != nil {
			return err
		}
		if codes != nil {
			if err := tx.RecoveryCodes.Replace(ctx, user.ID, codes, s.now()); err != nil {
				return err
			}
		}
		if err := s.limits.Refund(ctx, tx, limit.StepCodes, user.ID); err != nil {
			return err
		}
		event := audit.AppOn
		if done.Replaced {
			event = audit.AppReplace
		}
		done.SignedIn, err = s.stepChanged(ctx, tx, user, in, auth.ByNewApp(), event, record)
		return err
	})
	return done, err
}

// stepChanged ends every session of a person whose second step was changed, makes
// remembered devices ask for it again, and opens a new session for this browser.
func (s *Service) stepChanged(ctx context.Context, tx *models.Store, user *models.User, in FactorChange, proof auth.Proof,
	event string, record func(models.Event),
) (*auth.SignedIn, error) {
	if err := tx.Devices.DistrustAll(ctx, user.ID); err != nil {
		return nil, err
	}
	signedIn, ended, err := s.auth.Restart(ctx, tx, user, in.Identity.SessionID, models.ReasonTwoStep, auth.Opening{
		Proof: proof, Presented: in.Presented, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return nil, err
	}
	record(in.actor().Event(event, user, audit.Details{SessionsEnded: ended}))
	return signedIn, nil
}

// stepRequired refuses to remove the only second step of an account that needs one.
const stepRequired = "Your account needs a second step, and the app is the only one that it has. You can replace the app."

// NeedsApp reports whether a person cannot turn off two-step sign-in: they need a
// second step and have no passkey.
func (s *Service) NeedsApp(ctx context.Context, person *auth.Identity) (bool, error) {
	return s.needsApp(ctx, s.store, person.UserID, person.Admin)
}

func (s *Service) needsApp(ctx context.Context, store *models.Store, userID string, admin bool) (bool, error) {
	if !s.auth.RequiresStep(admin) {
		return false, nil
	}
	factors, err := store.Users.Factors(ctx, userID)
	return factors.Passkeys == 0, err
}

// TurnOffApp removes the person's authenticator app and recovery codes. Every session
// ends, and a new one is opened for this browser. It returns apperr.NotFound when there
// is no app, apperr.Conflict when the account needs it, or apperr.Unauthorized.
func (s *Service) TurnOffApp(ctx context.Context, in FactorChange) (signedIn *auth.SignedIn, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		needed, err := s.needsApp(ctx, tx, user.ID, user.Role == models.RoleAdmin)
		if err != nil {
			return err
		}
		if needed {
			return apperr.New(apperr.Conflict, stepRequired, nil)
		}
		had, err := tx.Apps.Remove(ctx, user.ID, models.RemovedBySelf, s.now())
		if err != nil {
			return err
		}
		if !had {
			return apperr.New(apperr.NotFound, "", errors.New("no authenticator app"))
		}
		if err := tx.RecoveryCodes.Remove(ctx, user.ID, s.now()); err != nil {
			return err
		}
		signedIn, err = s.stepChanged(ctx, tx, user, in, auth.Proof{}, audit.AppOff, record)
		return err
	})
	return signedIn, err
}
