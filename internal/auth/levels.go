package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// ConfirmedFor is how long a proof of who someone is counts as a confirmation.
const ConfirmedFor = 15 * time.Minute

// The authentication methods of a session (RFC 8176 §2). They are stored: never
// change one.
const (
	amrPassword = "pwd"
	amrCode     = "otp" // of an app, or a recovery code
	amrDevice   = "hwk" // a passkey that stays on its device
	amrSynced   = "swk" // a passkey that can be synced
	amrMany     = "mfa"
)

// Proof says how a person proved who they are.
type Proof struct {
	Methods string     // separated by spaces; empty: they did not
	ACR     models.ACR // the level
	Full    bool       // with every step that the account has
	At      models.Time
	FullAt  models.Time
}

// ByPassword is the proof of a password by itself, on an account without a second
// step.
func ByPassword() Proof { return Proof{Methods: amrPassword, ACR: models.ACR1, Full: true} }

// ByPasswordAlone is the proof of a password on an account that has a second step.
func ByPasswordAlone() Proof { return Proof{Methods: amrPassword, ACR: models.ACR1} }

// ByTrustedDevice is the proof of a password on a device that passed the second step
// within the last 30 days.
func ByTrustedDevice() Proof { return Proof{Methods: amrPassword, ACR: models.ACR2} }

// ByCode is the proof of a password and a code.
func ByCode() Proof {
	return Proof{Methods: amrPassword + " " + amrCode + " " + amrMany, ACR: models.ACR2, Full: true}
}

// ByNewApp is the proof of the first code of a new app, by someone who confirmed a
// moment ago that it is them.
func ByNewApp() Proof {
	return Proof{Methods: amrCode + " " + amrMany, ACR: models.ACR2, Full: true}
}

// ByCodeAlone is the proof of a code in a session that exists. In one that was opened
// with a password it makes a second step.
func ByCodeAlone() Proof { return Proof{Methods: amrCode, ACR: models.ACR1} }

// ByPasskey is the proof of a passkey with user verification: it counts as both steps.
// synced says that the passkey can be synced.
func ByPasskey(synced bool) Proof {
	method := amrDevice
	if synced {
		method = amrSynced
	}
	return Proof{Methods: method + " " + amrMany, ACR: models.PhishingProof, Full: true}
}

// after returns what a session has proved that continues old, with p as the latest
// proof, if there is one.
func (p Proof) after(old *models.Session) Proof {
	next := Proof{Methods: old.AMR, ACR: old.ACR, At: old.AuthTime, FullAt: old.FullAuthTime}
	if p.Methods == "" {
		return next
	}
	next.Methods = together(old.AMR, p.Methods)
	level := p.ACR
	if has(next.Methods, amrPassword) && has(next.Methods, amrCode) { // one at the sign-in, the other later
		next.Methods, level = together(next.Methods, amrMany), higher(level, models.ACR2)
	}
	next.ACR = higher(next.ACR, level)
	next.At = 0 // now
	if p.Full {
		next.Full, next.FullAt = true, 0
	}
	return next
}

// write sets the columns of a session that begins at now.
func (p Proof) write(session *models.Session, now models.Time) {
	session.AMR, session.ACR, session.AuthTime, session.FullAuthTime = p.Methods, p.ACR, p.At, p.FullAt
	if session.AuthTime.IsZero() {
		session.AuthTime = now
	}
	if p.Full && p.FullAt.IsZero() {
		session.FullAuthTime = now
	}
}

// has reports whether a list of methods contains one.
func has(methods, method string) bool { return slices.Contains(strings.Fields(methods), method) }

// higher returns the stronger of two classes.
func higher(a, b models.ACR) models.ACR {
	if b.Above(a) {
		return b
	}
	return a
}

// together returns the methods of both lists, each once, in alphabetical order.
func together(a, b string) string {
	list := append(strings.Fields(a), strings.Fields(b)...)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

// StepPolicy says who has to have a second step.
type StepPolicy string

// The policies.
const (
	StepOff    StepPolicy = "off"
	StepAdmins StepPolicy = "admins"
	StepAll    StepPolicy = "all"
)

// RequiresStep reports whether people of a role have to have a second step.
func (s *Service) RequiresStep(admin bool) bool {
	return s.requireStep == StepAll || s.requireStep == StepAdmins && admin
}

// LacksStep reports whether a person has to add a second step before they can do
// anything else: their session was opened with a password only.
func (s *Service) LacksStep(person *Identity) bool {
	return person.SessionID != "" && s.RequiresStep(person.Admin) && !person.ACR.Above(models.ACR1)
}

// Confirmed reports whether the person of a session proved who they are within the
// last 15 minutes.
func (s *Service) Confirmed(person *Identity) bool {
	return !person.AuthTime.IsZero() && s.now().Sub(person.AuthTime) < ConfirmedFor
}

// FullyConfirmed reports whether a person did so with every step that the account
// has: before a new factor is added, one that a thief has must not be enough.
func (s *Service) FullyConfirmed(ctx context.Context, person *Identity) (bool, error) {
	session, err := s.store.Sessions.ByID(ctx, person.SessionID)
	if err != nil {
		return false, SignedOut(err)
	}
	return !session.FullAuthTime.IsZero() && s.now().Sub(session.FullAuthTime.Time()) < ConfirmedFor, nil
}

// ErrUnconfirmed is the cause of apperr.Forbidden for a person who has to confirm that
// it is them.
var ErrUnconfirmed = errors.New("the person has not confirmed who they are lately")

// Unconfirmed returns the refusal of an act that needs a fresh confirmation.
func Unconfirmed() error {
	return apperr.New(apperr.Forbidden, "Confirm that it is you.", ErrUnconfirmed)
}

// ProvedPassword in a transaction that has locked the account records that the person
// of a session just entered the right password. On an account with an app it is one of
// two steps.
func (s *Service) ProvedPassword(ctx context.Context, tx *models.Store, person *Identity) error {
	if person.SessionID == "" { // a personal access token has nothing to record it in
		return nil
	}
	app, err := currentApp(ctx, tx, person.UserID)
	if err != nil {
		return err
	}
	proof := ByPassword()
	if app != nil {
		proof = ByPasswordAlone()
	}
	return s.proveAgain(ctx, tx, person.SessionID, proof)
}

// proveAgain in a transaction that has locked the account records that the person of a
// session proved who they are.
func (s *Service) proveAgain(ctx context.Context, tx *models.Store, sessionID string, proof Proof) error {
	session, err := tx.Sessions.ByID(ctx, sessionID)
	if err != nil {
		return SignedOut(err)
	}
	next := proof.after(session)
	return SignedOut(tx.Sessions.Prove(ctx, sessionID, next.Methods, next.ACR, next.Full, s.now()))
}
