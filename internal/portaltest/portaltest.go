// Package portaltest builds a portal for tests: the real store and service, the
// real handlers with the production middleware, and a clock that moves only
// when a test says so.
package portaltest

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers"
	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/backup"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// Secret is the master secret of every portal.
const Secret = servicetest.Secret

// Options are the settings that a test can change.
type Options struct {
	PublicURL      string
	Limits         bool
	SignupClosed   bool
	Signup         account.SignupPolicy // empty: open, unless SignupClosed
	Mail           bool                 // mail is sent: see Portal.Deliver
	Verify         account.Verification
	RequireStep    auth.StepPolicy // empty: nobody needs a second step
	PasswordsOff   bool            // for API clients
	RenewalOff     bool            // of access tokens with themselves
	SupportEmail   string
	TrustedProxies []netip.Prefix
	CookieDomain   string // of the token cookies
	ForwardAuth    *forwardauth.Rules
	APIOrigins     []string // whose scripts may call the API
	Backups        func() backup.Status
}

// Portal is a portal on its own database.
type Portal struct {
	servicetest.Services
	T     *testing.T
	Store *models.Store
	Echo  *echo.Echo
	Clock *servicetest.Clock
	Logs  *LogBook
	URL   string
}

// New returns a portal on the store. It is noon of 22 November 2026.
func New(t *testing.T, store *models.Store, change ...func(*Options)) *Portal {
	t.Helper()
	o := Options{PublicURL: "http://localhost:8080"}
	for _, f := range change {
		f(&o)
	}
	p := &Portal{
		T: t, Store: store, URL: o.PublicURL, Logs: &LogBook{},
		Clock: servicetest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)),
	}
	logger := slog.New(slog.NewJSONHandler(p.Logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.Services = servicetest.New(t, servicetest.Options{
		Store: store, Logger: logger, Now: p.Clock.Now, PublicURL: o.PublicURL, Secret: []byte(Secret),
		Limits: o.Limits, SignupClosed: o.SignupClosed, Signup: o.Signup, Mail: o.Mail, Verify: o.Verify, RequireStep: o.RequireStep, PasswordsOff: o.PasswordsOff, RenewalOff: o.RenewalOff,
	})
	https := strings.HasPrefix(o.PublicURL, "https:")
	jar, err := cookie.New(cookie.Options{Secure: https, Domain: o.CookieDomain, Keys: [][]byte{[]byte(Secret)[:32]}, Now: p.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := handlers.New(handlers.Options{
		Auth: p.Auth, OAuth: p.OAuth, Accounts: p.Accounts, Store: store, Logger: logger, Now: p.Clock.Now, PublicURL: o.PublicURL, Cookies: jar,
		HTTPS: https, HSTSIncludeSubdomains: true, BrandName: "Latchkey", SupportEmail: o.SupportEmail,
		TrustedProxies: o.TrustedProxies, ForwardAuth: o.ForwardAuth, APIOrigins: o.APIOrigins, Backups: o.Backups,
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.Echo, err = pages.Echo(); err != nil {
		t.Fatal(err)
	}
	return p
}

// Each runs f with a new portal on each database.
func Each(t *testing.T, f func(t *testing.T, p *Portal), change ...func(*Options)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) { f(t, New(t, store, change...)) })
}

// In returns the same portal for a subtest.
func (p *Portal) In(t *testing.T) *Portal {
	twin := *p
	twin.T = t
	return &twin
}
