package auth

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/limit"
	"latchkey/models"
)

// TrustFor is how long a remembered device skips the second step.
const TrustFor = 30 * 24 * time.Hour

// StepAttempt is one attempt at the second step of a sign-in.
type StepAttempt struct {
	Ticket    string // sealed
	Code      string // as it was typed
	Recovery  bool   // it is a recovery code
	Trust     bool   // this device skips the step for 30 days
	Device    string // the device cookie; may be empty
	Presented Presented
	Client    Client
}

// FinishLogin finishes a sign-in with a code. Its refusals are WrongCode, UsedCode,
// StepOver and Limited; its errors are those of Login.
func (s *Service) FinishLogin(ctx context.Context, in StepAttempt) (outcome Outcome, err error) {
	method := SignInCode
	if in.Recovery {
		method = SignInRecovery
	}
	defer func() { s.countOutcome(method, outcome, err) }()
	signedIn, err := s.finishLogin(ctx, in)
	switch {
	case errors.Is(err, errWrongCode):
		return Outcome{Refused: WrongCode, Cause: err}, nil
	case errors.Is(err, errUsedCode):
		return Outcome{Refused: UsedCode, Cause: err}, nil
	case errors.Is(err, apperr.Gone), errors.Is(err, apperr.Unauthorized), errors.Is(err, apperr.Disabled):
		return Outcome{Refused: StepOver, Cause: err}, nil
	case limit.Refused(err):
		return Outcome{Refused: Limited, Cause: err}, nil
	case err != nil:
		return Outcome{}, err
	}
	return Outcome{SignedIn: signedIn}, nil
}

func (s *Service) finishLogin(ctx context.Context, in StepAttempt) (*SignedIn, error) {
	half, err := s.halfSignIn(ctx, s.store, in.Ticket, in.Client)
	if err != nil {
		return nil, err
	}
	actor := Actor{Client: in.Client}
	if err := s.limits.Try(ctx, limit.TicketCodes, half.ticket.ID); err != nil {
		if limit.Refused(err) {
			err = apperr.New(apperr.Gone, "", err)
		}
		return nil, err
	}
	code, err := s.lookAt(ctx, actor, half.user, half.app, in.Code, in.Recovery)
	if err != nil {
		return nil, err
	}
	var signedIn *SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		fresh, err := tx.Users.Lock(ctx, half.user.ID)
		if err != nil {
			return SignedOut(err)
		}
		if _, err := s.halfSignIn(ctx, tx, in.Ticket, in.Client); err != nil { // changed meanwhile
			return err
		}
		first, err := tx.Denylist.Spend(ctx, half.ticket.ID, fresh.ID, time.Unix(half.ticket.Expires, 0))
		if err != nil {
			return err
		}
		if !first {
			return apperr.New(apperr.Gone, "", errTicket)
		}
		if err := s.accept(ctx, tx, code); err != nil {
			return err
		}
		entry := entry{
			method: MethodPassword, proof: ByCode(), step: code.step(), remember: half.ticket.Remember,
			device: in.Device, presented: in.Presented, client: in.Client,
		}
		if in.Trust {
			entry.trustUntil = s.now().Add(TrustFor)
		}
		if signedIn, err = s.enter(ctx, tx, fresh, entry, record); err != nil {
			return err
		}
		signedIn.Recovery = in.Recovery
		return nil
	})
	return signedIn, err
}

// entry is a sign-in whose proofs are complete.
type entry struct {
	method     string
	proof      Proof
	step       string // for the audit log
	remember   bool
	trustUntil time.Time // zero: the device does not skip the second step
	device     string
	presented  Presented
	client     Client
}

// enter opens the session of a sign-in whose proofs are complete, in a transaction
// that has locked the account and checked that it is not disabled.
func (s *Service) enter(ctx context.Context, tx *models.Store, user *models.User, in entry, record func(models.Event)) (*SignedIn, error) {
	silent, err := s.firstDevice(ctx, tx, user)
	if err != nil {
		return nil, err
	}
	if err := tx.Users.SignedIn(ctx, user.ID, s.now()); err != nil {
		return nil, err
	}
	signedIn, err := s.Open(ctx, tx, user, Opening{
		Method: in.method, Proof: in.proof, Remember: in.remember, Presented: in.presented, Device: in.device, Client: in.client,
	})
	if err != nil {
		return nil, err
	}
	if !in.trustUntil.IsZero() {
		device := signedIn.Device
		if device == "" {
			device = in.device
		}
		if err := tx.Devices.Trust(ctx, models.HashToken(device), user.ID, in.trustUntil); err != nil {
			return nil, err
		}
	}
	signedIn.NewPassword = in.method == MethodPassword && !user.LastSignInAt.IsZero() && user.LastSignInAt < user.PasswordChangedAt
	actor := Actor{UserID: user.ID, Name: user.Username, SessionID: signedIn.SessionID, Client: in.client}
	record(actor.Event(audit.Login, user, audit.Details{Step: in.step, NewDevice: signedIn.NewDevice && !silent}))
	if signedIn.Replayed = !user.ReplayedAt.IsZero(); signedIn.Replayed {
		if signedIn.ReplayID, err = lastReplay(ctx, tx, user.ID); err != nil {
			return nil, err
		}
		return signedIn, tx.Users.MarkTold(ctx, user.ID)
	}
	return signedIn, nil
}
