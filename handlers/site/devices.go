package site

import (
	"time"

	"latchkey/internal/auth"
	"latchkey/internal/device"
	"latchkey/internal/oauth"
	"latchkey/models"
	"latchkey/views/pages"
)

// activeNow is how recently a session must have been used to be shown as active.
const activeNow = 2 * time.Minute

// newFor is how long a session of a device that was not known before is marked as
// new.
const newFor = 7 * 24 * time.Hour

// SessionRow describes a session for the lists of its owner and of admins.
// admin is the owner's role, which bounds the scopes.
func (s *Site) SessionRow(session auth.SessionInfo, admin bool) pages.SessionRow {
	now := s.Now()
	row := pages.SessionRow{
		ID: session.ID, Device: SessionName(session), Phone: device.IsPhone(session.UserAgent),
		ActiveNow: now.Sub(session.LastSeen) < activeNow, LastActive: session.LastSeen, Address: session.IP,
		SignedIn: session.SignedIn, Method: methodWords(session.Method), Until: session.Until, Stays: session.Remember,
		New: session.NewDevice && !session.ThisDevice && now.Sub(session.SignedIn) < newFor,
	}
	if session.Kind == models.KindAPI {
		scopes, _ := oauth.ParseScopes(session.Scope) // none, if another version stored a scope that this one does not know
		row.Scopes = scopeLabels(scopes, admin)
	}
	return row
}

// SessionName names a session after its browser and system, or after the
// program that uses the API.
func SessionName(session auth.SessionInfo) string {
	name := device.Name(session.UserAgent)
	switch {
	case session.Kind != models.KindAPI:
		return name
	case session.ClientID != "":
		return "API · " + session.ClientID
	case name != device.Unknown:
		return "API · " + name
	}
	return "API · unnamed program"
}

// EventDevice names the device of an event as device.Name does, or returns "" if the
// request did not name one.
func EventDevice(e models.Event) string {
	if e.UserAgent == "" {
		return ""
	}
	return device.Name(e.UserAgent)
}

func methodWords(method string) string {
	switch method {
	case auth.MethodPasskey:
		return "a passkey"
	case auth.MethodSignUp:
		return "a new account"
	case auth.MethodInvited:
		return "an invitation"
	case auth.MethodSetup:
		return "the setup link"
	}
	return "password"
}
