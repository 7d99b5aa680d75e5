// Package oauth issues the tokens of the API and checks bearer tokens: the
// grants of OAuth 2.0 (RFC 6749), scopes, revocation (RFC 7009) and
// introspection (RFC 7662).
//
// A program's session is a row like a browser's: package auth opens, rotates
// and ends it. Package account creates and removes personal access tokens; this
// package only looks them up. The texts and statuses of responses belong to
// handlers/api.
package oauth

import (
	"errors"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/internal/token"
	"latchkey/models"
)

// Options are what a Service needs.
type Options struct {
	Auth          *auth.Service
	Store         *models.Store
	Keyring       *token.Keyring
	Audit         *audit.Log
	Limits        *limit.Limiter
	Now           func() time.Time
	PasswordGrant bool // programs may send passwords
	Renewal       bool // an access token can be renewed with itself
	// VerifyRequired refuses people who have not confirmed their address.
	VerifyRequired bool
}

// Service issues and checks the tokens of the API. It is safe for concurrent
// use; its state is in the database.
type Service struct {
	auth      *auth.Service
	store     *models.Store
	keyring   *token.Keyring
	audit     *audit.Log
	limits    *limit.Limiter
	now       func() time.Time
	passwords bool
	renewal   bool
	verified  bool // only people who have confirmed their address
}

// New returns a Service, or an error when an option is missing or wrong.
func New(o Options) (*Service, error) {
	if o.Auth == nil || o.Store == nil || o.Keyring == nil || o.Audit == nil || o.Limits == nil || o.Now == nil {
		return nil, errors.New("oauth: Auth, Store, Keyring, Audit, Limits and Now are required")
	}
	return &Service{
		auth: o.Auth, store: o.Store, keyring: o.Keyring, audit: o.Audit, limits: o.Limits, now: o.Now, passwords: o.PasswordGrant,
		renewal: o.Renewal, verified: o.VerifyRequired,
	}, nil
}

// TakesPasswords reports whether programs may send passwords.
func (s *Service) TakesPasswords() bool { return s.passwords }

// Renews reports whether an access token can be renewed with itself.
func (s *Service) Renews() bool { return s.renewal }
