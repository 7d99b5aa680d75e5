package auth

import (
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/limit"
)

// Meter counts what a Service decides. Its functions are called by many goroutines at
// once. A nil function counts nothing.
type Meter struct {
	SignIn   func(method SignInMethod, result SignInResult)
	Rotation func(result RotationResult)
}

// SignInMethod is how a person or a program tries to sign in.
type SignInMethod string

// The methods.
const (
	SignInPassword SignInMethod = "password"      // the form with the password
	SignInCode     SignInMethod = "code"          // a code of an authenticator app, after the password
	SignInRecovery SignInMethod = "recovery_code" // a recovery code, after the password
	SignInPasskey  SignInMethod = "passkey"
	SignInAPI      SignInMethod = "api" // a program with a password
)

// SignInResult is the outcome of an attempt to sign in.
type SignInResult string

// The results.
const (
	SignInSuccess     SignInResult = "success"     // a session was opened
	SignInSecondStep  SignInResult = "second_step" // the password was right, and a second step was asked for
	SignInWrong       SignInResult = "wrong"       // a wrong password, code or passkey, or no such account
	SignInUsed        SignInResult = "used"        // the code was right, and had been used
	SignInExpired     SignInResult = "expired"     // the first step is too long ago, or does not count any more
	SignInDisabled    SignInResult = "disabled"    // the account is disabled
	SignInRefused     SignInResult = "refused"     // right, but not enough or not possible here
	SignInLimited     SignInResult = "limited"     // too many attempts: nothing was checked
	SignInBusy        SignInResult = "busy"        // too many people sign in at this moment
	SignInUnavailable SignInResult = "unavailable" // the database did not answer
	SignInCanceled    SignInResult = "canceled"    // the client disconnected
	SignInError       SignInResult = "error"       // a fault of the portal
)

// SignInResults returns the results that each method can have.
func SignInResults() map[SignInMethod][]SignInResult {
	always := []SignInResult{SignInSuccess, SignInWrong, SignInLimited, SignInBusy, SignInUnavailable, SignInCanceled, SignInError}
	with := func(more ...SignInResult) []SignInResult { return append(more, always...) }
	return map[SignInMethod][]SignInResult{
		SignInPassword: with(SignInSecondStep, SignInDisabled),
		SignInCode:     with(SignInUsed, SignInExpired),
		SignInRecovery: with(SignInUsed, SignInExpired),
		SignInPasskey:  with(SignInDisabled, SignInRefused),
		SignInAPI:      with(SignInDisabled, SignInRefused),
	}
}

// ResultOf returns the result of a sign-in that ended with err, or with a session when
// err is nil.
func ResultOf(err error) SignInResult {
	switch kind := apperr.KindOf(err); {
	case err == nil:
		return SignInSuccess
	case limit.Refused(err):
		return SignInLimited
	case errors.Is(err, errUsedCode):
		return SignInUsed
	case kind == apperr.Disabled:
		return SignInDisabled
	case kind == apperr.Unauthorized, kind == apperr.Invalid, kind == apperr.NotFound, kind == apperr.Malformed:
		return SignInWrong
	case kind == apperr.Gone:
		return SignInExpired
	case kind == apperr.Conflict, kind == apperr.Forbidden:
		return SignInRefused
	case kind == apperr.Busy:
		return SignInBusy
	case kind == apperr.Unavailable:
		return SignInUnavailable
	case kind == apperr.Canceled:
		return SignInCanceled
	}
	return SignInError
}

// CountSignIn counts an attempt to sign in.
func (s *Service) CountSignIn(method SignInMethod, result SignInResult) {
	if s.meter.SignIn != nil {
		s.meter.SignIn(method, result)
	}
}

// countOutcome counts an attempt whose refusal is in outcome.
func (s *Service) countOutcome(method SignInMethod, outcome Outcome, err error) {
	result := ResultOf(err)
	switch {
	case err != nil:
	case outcome.Ticket != "":
		result = SignInSecondStep
	case outcome.Refused == WrongPassword, outcome.Refused == WrongCode:
		result = SignInWrong
	case outcome.Refused == UsedCode:
		result = SignInUsed
	case outcome.Refused == StepOver:
		result = SignInExpired
	case outcome.Refused == AccountDisabled:
		result = SignInDisabled
	case outcome.Refused == Limited:
		result = SignInLimited
	}
	s.CountSignIn(method, result)
}

// RotationResult is the answer to a refresh token.
type RotationResult string

// The results. A refresh token that is expired, or whose session is over, has none.
const (
	RotationWon         RotationResult = "won"         // the session went on to its next generation
	RotationOverlap     RotationResult = "overlap"     // a parallel request had won a moment before: the same tokens again
	RotationRedelivered RotationResult = "redelivered" // the tokens were lost on the way: the generation was delivered again
	RotationReplay      RotationResult = "replay"      // a used token came back: the session ended
)

// RotationResults returns every result.
func RotationResults() []RotationResult {
	return []RotationResult{RotationWon, RotationOverlap, RotationRedelivered, RotationReplay}
}

func (s *Service) countRotation(result RotationResult) {
	if s.meter.Rotation != nil {
		s.meter.Rotation(result)
	}
}
