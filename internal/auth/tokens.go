package auth

import (
	"time"

	"latchkey/internal/token"
	"latchkey/models"
)

// Tokens are the access and refresh token of one delivery to a browser.
type Tokens struct {
	Access         string
	Refresh        string
	AccessExpires  time.Time
	RefreshExpires time.Time
	Remember       bool // the refresh cookie outlives the browser session
}

// mint signs the tokens of the session's current delivery. The refresh token
// depends only on the row, so that it is the same every time; the access token
// is new.
func (s *Service) mint(session *models.Session) *Tokens {
	access, refresh := s.AccessClaims(session), RefreshClaims(session)
	return &Tokens{
		Access: s.keyring.Sign(token.WebAccess, access), AccessExpires: access.ExpiresAt.Time(),
		Refresh: s.keyring.Sign(token.WebRefresh, refresh), RefreshExpires: refresh.ExpiresAt.Time(), Remember: session.Remember,
	}
}

// AccessClaims returns the claims of a fresh access token of a session.
func (s *Service) AccessClaims(session *models.Session) token.Claims {
	now := s.now()
	return sessionClaims(session, models.NewID(), now, earlier(now.Truncate(time.Second).Add(s.accessTTL), session.ExpiresAt.Time()))
}

// RefreshClaims returns the claims of the refresh token of a session's current
// delivery. They depend only on the row. The token expires with the session's
// absolute limit: the idle limit counts from the last use, which the row knows.
func RefreshClaims(session *models.Session) token.Claims {
	issued := session.DeliveredAt.Time().Truncate(time.Second)
	id := token.RefreshID(session.ID, session.Generation, session.Delivery)
	return sessionClaims(session, id, issued, session.ExpiresAt.Time())
}

func sessionClaims(session *models.Session, id string, issued, expires time.Time) token.Claims {
	return token.Claims{
		Subject: session.UserID, ID: id, IssuedAt: token.DateOf(issued), ExpiresAt: token.DateOf(expires),
		SessionID: session.ID, Generation: session.Generation, Delivery: session.Delivery,
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// How a session was opened. They are stored: never change one.
const (
	MethodPassword = "password"
	MethodPasskey  = "passkey"
	MethodSignUp   = "sign-up"
	MethodSetup    = "setup"
	MethodInvited  = "invited" // with an invitation, or with the reset link of an account that an admin created
)

// newSession returns a session that begins now. It is not stored yet.
func (s *Service) newSession(userID, method string, remember bool, proof Proof, client Client) *models.Session {
	idle, lifetime := s.refreshTTL, s.sessionTTL
	if !remember {
		idle, lifetime = min(idle, shortIdle), min(lifetime, shortLifetime)
	}
	now := s.now()
	session := &models.Session{
		ID: models.NewID(), UserID: userID, Kind: models.KindWeb, Remember: remember, Method: method,
		Generation: 1, DeliveredAt: models.At(now), DeliveredTo: client.place(), IdleTTL: idle.Microseconds(),
		CreatedAt: models.At(now), LastSeenAt: models.At(now), ExpiresAt: models.At(now.Add(lifetime)),
		IP: client.Address(), UserAgent: client.UserAgent,
	}
	proof.write(session, models.At(now))
	return session
}
