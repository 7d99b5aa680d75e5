package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/factor"
	"latchkey/internal/limit"
	"latchkey/models"
)

// TicketFor is how long half a sign-in can be finished.
const TicketFor = 5 * time.Minute

// TrustFor is how long a remembered device skips the second step.
const TrustFor = 30 * 24 * time.Hour

// ticketPurpose binds a sealed text to its use.
const ticketPurpose = "ticket"

// Ticket is half a sign-in: the password was right, and the second step is missing.
// It opens nothing by itself. It works once, in one browser, and only while the
// password and the app are those that it was made for.
type Ticket struct {
	ID       string `json:"i"`
	UserID   string `json:"u"`
	Made     string `json:"m"` // what it was made for: stateOf
	Remember bool   `json:"r,omitempty"`
	Expires  int64  `json:"e"` // seconds since 1970
}

// errTicket is the cause for a ticket that does not work.
var errTicket = errors.New("the ticket does not work")

// stateOf is what a ticket depends on: the password, the app and the browser.
func stateOf(user *models.User, app *models.AuthenticatorApp, client Client) string {
	sum := sha256.Sum256([]byte(user.PasswordHash + "\n" + app.ID + "\n" + client.UserAgent))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// newTicket returns the sealed ticket of half a sign-in.
func (s *Service) newTicket(user *models.User, app *models.AuthenticatorApp, remember bool, client Client) (string, error) {
	data, err := json.Marshal(Ticket{
		ID: models.NewID(), UserID: user.ID, Made: stateOf(user, app, client), Remember: remember, Expires: s.now().Add(TicketFor).Unix(),
	})
	if err != nil {
		return "", err
	}
	return s.sealer.Seal(data, ticketPurpose), nil
}

// openTicket returns the ticket in a sealed text, and whether it still works as far
// as the ticket itself says.
func (s *Service) openTicket(sealed string) (ticket Ticket, ok bool) {
	data, ok := s.sealer.Open(sealed, ticketPurpose)
	if !ok || json.Unmarshal(data, &ticket) != nil || s.now().Unix() >= ticket.Expires {
		return Ticket{}, false
	}
	return ticket, true
}

// Pending is whose sign-in waits for a second step.
type Pending struct {
	Username string
	Email    string
	Passkeys int // how many the account has
}

// PendingStep returns the sign-in of a ticket. It returns apperr.Gone when the ticket
// no longer works.
func (s *Service) PendingStep(ctx context.Context, sealed string, client Client) (Pending, error) {
	half, err := s.halfSignIn(ctx, s.store, sealed, client)
	if err != nil {
		return Pending{}, err
	}
	factors, err := s.store.Users.Factors(ctx, half.user.ID)
	return Pending{Username: half.user.Username, Email: half.user.Email, Passkeys: factors.Passkeys}, err
}

// halfSignIn is a ticket with what it was made for.
type halfSignIn struct {
	ticket Ticket
	user   *models.User
	app    *models.AuthenticatorApp
}

// halfSignIn reads what a ticket was made for. It returns apperr.Gone when the ticket
// no longer works.
func (s *Service) halfSignIn(ctx context.Context, store *models.Store, sealed string, client Client) (half halfSignIn, err error) {
	gone := apperr.New(apperr.Gone, "", errTicket)
	var ok bool
	if half.ticket, ok = s.openTicket(sealed); !ok {
		return half, gone
	}
	if half.user, err = store.Users.ByID(ctx, half.ticket.UserID); err == nil {
		half.app, err = store.Apps.Current(ctx, half.user.ID)
	}
	switch {
	case errors.Is(err, apperr.NotFound):
		return half, gone
	case err != nil:
		return half, err
	case half.user.Disabled() || stateOf(half.user, half.app, client) != half.ticket.Made:
		return half, gone
	}
	return half, nil
}

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
func (s *Service) FinishLogin(ctx context.Context, in StepAttempt) (Outcome, error) {
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
