package auth

import (
	"context"

	"latchkey/models"
)

// Opening describes a session to be opened for a browser.
type Opening struct {
	Method    string    // one of the Method constants
	Proof     Proof     // how the person proved who they are
	Remember  bool      // "Stay signed in"
	Presented Presented // the tokens that the browser sent; their sessions end
	Device    string    // the device cookie; may be empty
	Client    Client

	renewal bool // the browser was signed in a moment ago: it is no new device
}

// SignedIn is a session that was just opened, with the tokens and the device
// cookie for its browser.
type SignedIn struct {
	SessionID string
	Tokens    *Tokens
	Device    string // the device cookie to set; empty when the present one stays
	NewDevice bool   // the person had not signed in with this browser before
	Replayed  bool   // tell the person that a copied token ended a session of theirs
	ReplayID  string // of its event in the audit log, "" if that is gone
	// Recovery says that a recovery code took the place of the app, and NewPassword that
	// it is the first sign-in since the password was replaced.
	Recovery, NewPassword bool
}

// Open opens a session in a transaction that has locked the user. It ends the
// sessions of presented tokens: a browser has one session at a time.
func (s *Service) Open(ctx context.Context, tx *models.Store, user *models.User, in Opening) (*SignedIn, error) {
	if _, err := s.endEach(ctx, tx, s.genuine(in.Presented), models.ReasonReplaced); err != nil {
		return nil, err
	}
	newDevice, err := s.rememberDevice(ctx, tx, user.ID, in)
	if err != nil {
		return nil, err
	}
	session := s.newSession(user.ID, in.Method, in.Remember, in.Proof, in.Client)
	session.NewDevice = newDevice != "" && (in.Method == MethodPassword || in.Method == MethodPasskey) && !in.renewal
	if err := tx.Sessions.Create(ctx, session); err != nil {
		return nil, err
	}
	if err := tx.Sessions.Trim(ctx, session, maxSessions, s.now()); err != nil {
		return nil, err
	}
	return &SignedIn{SessionID: session.ID, Tokens: s.mint(session), Device: newDevice, NewDevice: session.NewDevice}, nil
}

// Restart ends every session of a person after a change of a credential. It
// opens a new one for this browser, with the method and "Stay signed in" of the
// current session, and with its proofs and in.Proof, if there is one. It returns how
// many sessions were live. The transaction has locked the user.
func (s *Service) Restart(ctx context.Context, tx *models.Store, user *models.User, current string, reason models.Reason, in Opening,
) (signedIn *SignedIn, ended int, err error) {
	old, err := tx.Sessions.ByID(ctx, current)
	if err != nil {
		return nil, 0, SignedOut(err)
	}
	// The session of this browser is replaced: a late response to it must not
	// clear the new session's cookies.
	replaced, err := s.endEach(ctx, tx, s.genuine(in.Presented), models.ReasonReplaced)
	if err != nil {
		return nil, 0, err
	}
	if ended, err = tx.Sessions.EndAll(ctx, user.ID, "", reason, s.now()); err != nil {
		return nil, 0, err
	}
	in.Method, in.Remember, in.Presented, in.renewal = old.Method, old.Remember, Presented{}, true
	in.Proof = in.Proof.after(old)
	signedIn, err = s.Open(ctx, tx, user, in)
	return signedIn, ended + len(replaced), err
}

// rememberDevice ties the browser to the person and returns the cookie to set:
// a new one, unless the person already has this one. A cookie planted by
// someone else never becomes the person's.
func (s *Service) rememberDevice(ctx context.Context, tx *models.Store, userID string, in Opening) (string, error) {
	agent := in.Client.UserAgent
	if in.Device != "" {
		known, err := tx.Devices.Renew(ctx, models.HashToken(in.Device), userID, agent, s.now())
		if known || err != nil {
			return "", err
		}
	}
	fresh := models.NewID()
	return fresh, tx.Devices.Remember(ctx, models.HashToken(fresh), userID, agent, s.now())
}
