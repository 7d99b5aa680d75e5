// Package account changes accounts: it signs people up, changes their profile,
// email address and password, makes links and personal access tokens, and does
// what admins ask for.
//
// Whose request it is, whether a password is right, and what a session is worth
// package auth decides; every change that ends or opens sessions does so through
// it, in the transaction of the change. Every failure a person can cause is an
// apperr kind; anything else is a fault of ours.
package account

import (
	"errors"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Options are what a Service needs.
type Options struct {
	Auth       *auth.Service
	Store      *models.Store
	Audit      *audit.Log
	Limits     *limit.Limiter
	Now        func() time.Time
	Hasher     *password.Hasher
	Policy     *password.Policy
	SignupOpen bool
	// Reserved are usernames that nobody may choose who does not have them.
	Reserved []string
}

// Service changes accounts. It is safe for concurrent use and keeps no state of
// its own: the database does.
type Service struct {
	auth       *auth.Service
	store      *models.Store
	audit      *audit.Log
	limits     *limit.Limiter
	now        func() time.Time
	hasher     *password.Hasher
	policy     *password.Policy
	signupOpen bool
	reserved   []string
}

// New returns a Service, or why its options cannot work.
func New(o Options) (*Service, error) {
	if o.Auth == nil || o.Store == nil || o.Audit == nil || o.Limits == nil || o.Now == nil || o.Hasher == nil || o.Policy == nil {
		return nil, errors.New("account: Auth, Store, Audit, Limits, Now, Hasher and Policy are required")
	}
	return &Service{
		auth: o.Auth, store: o.Store, audit: o.Audit, limits: o.Limits, now: o.Now,
		hasher: o.Hasher, policy: o.Policy, signupOpen: o.SignupOpen, reserved: o.Reserved,
	}, nil
}

// PasswordMin is the least length of a password in code points.
func (s *Service) PasswordMin() int { return s.policy.Min() }

// SignupOpen reports whether anybody may create an account.
func (s *Service) SignupOpen() bool { return s.signupOpen }
