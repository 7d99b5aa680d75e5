// Package account changes accounts: it signs people up, changes their profile,
// email address and password, creates links and personal access tokens, and
// carries out the actions of admins.
//
// Package auth identifies requests, checks passwords and judges sessions. A
// change here that ends or opens sessions calls it in the transaction of the
// change. Every failure a person can cause is an apperr kind; anything else is
// a fault of ours.
package account

import (
	"errors"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/internal/mail"
	"latchkey/internal/outbox"
	"latchkey/internal/token"
	"latchkey/models"
)

// Options are what a Service needs.
type Options struct {
	Auth   *auth.Service
	Store  *models.Store
	Audit  *audit.Log
	Limits *limit.Limiter
	Now    func() time.Time
	Hasher *password.Hasher
	Policy *password.Policy
	Outbox *outbox.Outbox
	Mail   *mail.Mail   // nil: no mail can be sent
	Verify Verification // of addresses; needs mail
	Secret []byte       // the master secret: keys the codes of messages
	Signup SignupPolicy
	// Reserved usernames cannot be chosen. An account that has one keeps it.
	Reserved []string
}

// Service changes accounts. It is safe for concurrent use; its state is in the
// database.
type Service struct {
	auth     *auth.Service
	store    *models.Store
	audit    *audit.Log
	limits   *limit.Limiter
	now      func() time.Time
	hasher   *password.Hasher
	policy   *password.Policy
	outbox   *outbox.Outbox
	mail     *mail.Mail
	verify   Verification
	codeKey  []byte
	signup   SignupPolicy
	reserved []string
}

// New returns a Service, or an error when an option is missing or wrong.
func New(o Options) (*Service, error) {
	if o.Auth == nil || o.Store == nil || o.Audit == nil || o.Limits == nil || o.Now == nil || o.Hasher == nil || o.Policy == nil {
		return nil, errors.New("account: Auth, Store, Audit, Limits, Now, Hasher and Policy are required")
	}
	codeKey, err := token.DeriveKey(o.Secret, "latchkey/code/v1")
	if err != nil {
		return nil, err
	}
	s := &Service{
		auth: o.Auth, store: o.Store, audit: o.Audit, limits: o.Limits, now: o.Now,
		hasher: o.Hasher, policy: o.Policy, outbox: o.Outbox, mail: o.Mail, verify: o.Verify, codeKey: codeKey, signup: o.Signup, reserved: o.Reserved,
	}
	if o.Outbox != nil {
		o.Outbox.Handle(forgotKind, s.sendReset)
	}
	s.repeatMail()
	return s, nil
}

// PasswordMin is the minimum length of a password in code points.
func (s *Service) PasswordMin() int { return s.policy.Min() }

// SignupPolicy says who may create an account.
type SignupPolicy string

// The policies.
const (
	SignupOpen   SignupPolicy = "open"   // anyone
	SignupInvite SignupPolicy = "invite" // anyone with an invitation
	SignupClosed SignupPolicy = "closed" // only people whom an admin adds
)

// Verification says whether people have to prove that their address is theirs.
type Verification string

// The policies.
const (
	VerifyOff      Verification = "off"
	VerifyOn       Verification = "on"       // they are asked to
	VerifyRequired Verification = "required" // they can do nothing else before
)

// SignupOpen reports whether anyone may create an account.
func (s *Service) SignupOpen() bool { return s.signup == SignupOpen }

// SignupInvite reports whether people need an invitation to create an account.
func (s *Service) SignupInvite() bool { return s.signup == SignupInvite }

// MailFrom returns the address that mail comes from.
func (s *Service) MailFrom() string { return s.mail.FromAddress() }

// MailOn reports whether mail can be sent.
func (s *Service) MailOn() bool { return s.mail.On() }
