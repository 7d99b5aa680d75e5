// Package servicetest builds the services of a portal for tests: on the real
// store, with a fast password hash and a clock that moves only when a test says
// so.
package servicetest

import (
	"cmp"
	"context"
	"log/slog"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/passkey"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/internal/mail"
	"latchkey/internal/notice"
	"latchkey/internal/oauth"
	"latchkey/internal/outbox"
	"latchkey/internal/seal"
	"latchkey/internal/token"
	"latchkey/models"
)

// Secret is the master secret of services whose options name none.
const Secret = "a secret that is long enough for tests"

// The lifetimes of services whose options name none.
const (
	AccessTTL    = 5 * time.Minute
	RefreshTTL   = 7 * 24 * time.Hour
	SessionTTL   = 30 * 24 * time.Hour
	RefreshGrace = 10 * time.Second
)

// Options are the settings that a test can choose. Every zero value except those
// of Store and Now has a default.
type Options struct {
	Store          *models.Store
	Now            func() time.Time
	DatabaseNow    func() time.Time // nil: Now
	Logger         *slog.Logger     // nil: nothing is logged
	PublicURL      string           // empty: https://portal.example
	Secret         []byte
	PreviousSecret []byte
	AccessTTL      time.Duration
	RefreshTTL     time.Duration
	SessionTTL     time.Duration
	NoGrace        bool     // RefreshGrace is 0
	Limits         bool     // attempts are limited
	Reserved       []string // usernames of the rules of forward-auth
	SignupClosed   bool
	Signup         account.SignupPolicy // empty: open, unless SignupClosed
	Mail           bool                 // mail is sent, to Services.Mailbox
	Verify         account.Verification
	RequireStep    auth.StepPolicy // empty: nobody needs a second step
	PasswordsOff   bool            // the API takes no passwords
	RenewalOff     bool            // access tokens cannot be renewed with themselves
	Hasher         *password.Hasher
	Policy         *password.Policy
	Meter          auth.Meter
}

// Services are the services of one portal.
type Services struct {
	Auth     *auth.Service
	OAuth    *oauth.Service
	Accounts *account.Service
	Outbox   *outbox.Outbox
	Mail     *mail.Mail
	Mailbox  *Mailbox // empty unless Options.Mail
}

// New returns the services.
func New(t testing.TB, o Options) Services {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Secret == nil {
		o.Secret = []byte(Secret)
	}
	if o.Hasher == nil {
		o.Hasher = FastHasher()
	}
	if o.Policy == nil {
		o.Policy = password.NewPolicy(password.PolicyOptions{Context: []string{"latchkey"}})
	}
	if o.Signup == "" {
		o.Signup = account.SignupOpen
		if o.SignupClosed {
			o.Signup = account.SignupClosed
		}
	}
	grace := RefreshGrace
	if o.NoGrace {
		grace = 0
	}
	if o.DatabaseNow == nil {
		o.DatabaseNow = o.Now
	}
	log := audit.New(o.Store, o.Logger, o.Now)
	limits, err := limit.New(limit.Options{Store: o.Store, Now: o.Now, Secret: o.Secret, Off: !o.Limits})
	if err != nil {
		t.Fatal(err)
	}
	keyring, err := token.NewKeyring(cmp.Or(o.PublicURL, "https://portal.example"), o.Secret, o.PreviousSecret, o.Now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.DeriveKey(o.Secret, "latchkey/aead/v1")
	if err != nil {
		t.Fatal(err)
	}
	keys := [][]byte{key}
	if o.PreviousSecret != nil {
		if key, err = token.DeriveKey(o.PreviousSecret, "latchkey/aead/v1"); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	sealer, err := seal.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	party, err := passkey.New(passkey.Options{
		PublicURL: cmp.Or(o.PublicURL, "https://portal.example"), Name: "Latchkey", Keys: [][]byte{key}, Now: o.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	var s Services
	s.post(t, o)
	log.Tell(notice.New(s.Mail, o.Now).Tell)
	s.Auth, err = auth.New(auth.Options{
		Store: o.Store, Logger: o.Logger, Now: o.Now, Keyring: keyring,
		AccessTTL: cmp.Or(o.AccessTTL, AccessTTL), RefreshTTL: cmp.Or(o.RefreshTTL, RefreshTTL), SessionTTL: cmp.Or(o.SessionTTL, SessionTTL), RefreshGrace: grace,
		Audit: log, Limits: limits, Hasher: o.Hasher, Sealer: sealer, RequireStep: o.RequireStep, Passkeys: party, Meter: o.Meter,
		DatabaseNow: func(context.Context) (time.Time, error) { return o.DatabaseNow(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.OAuth, err = oauth.New(oauth.Options{
		Auth: s.Auth, Store: o.Store, Keyring: keyring, Audit: log, Limits: limits, Now: o.Now, PasswordGrant: !o.PasswordsOff,
		Renewal: !o.RenewalOff, VerifyRequired: o.Mail && o.Verify == account.VerifyRequired,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Accounts, err = account.New(account.Options{
		Auth: s.Auth, Store: o.Store, Audit: log, Limits: limits, Now: o.Now, Hasher: o.Hasher, Policy: o.Policy,
		Outbox: s.Outbox, Mail: s.Mail, Verify: cmp.Or(o.Verify, account.VerifyOff), Secret: o.Secret, Signup: o.Signup, Reserved: o.Reserved,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FastHasher returns a hasher with minimal costs, with room for the parallel callers
// of a test, which all have the same address.
func FastHasher() *password.Hasher {
	return password.NewHasher(password.HasherOptions{Queue: 400, Params: password.Params{Memory: 64, Time: 1, Threads: 1}})
}
