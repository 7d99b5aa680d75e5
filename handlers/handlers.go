// Package handlers turns requests into calls, and results into pages.
//
// Every route and its gate is in routes.go, the status of every failure in
// errors.go, the middleware in echo.go. The pages are in the groups below:
// signin, account and admin, with their shared code in site; api and forward
// serve programs. Package auth decides what is allowed, package views how a
// page looks.
package handlers

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"latchkey/handlers/account"
	"latchkey/handlers/admin"
	"latchkey/handlers/api"
	"latchkey/handlers/forward"
	"latchkey/handlers/signin"
	"latchkey/handlers/site"
	accounts "latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/backup"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
	"latchkey/models"
	"latchkey/static"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Options are what the handlers need.
type Options struct {
	Auth                  *auth.Service
	OAuth                 *oauth.Service
	Accounts              *accounts.Service
	Store                 *models.Store // for plain reads
	Cookies               *cookie.Jar
	Logger                *slog.Logger
	Now                   func() time.Time
	PublicURL             string // the portal's origin
	HTTPS                 bool   // it is https
	HSTSIncludeSubdomains bool
	TrustedProxies        []netip.Prefix
	ForwardAuth           *forwardauth.Rules // nil: forward-auth is off
	Brand                 *static.Brand      // nil: the built-in look
	BrandName             string
	SupportEmail          string
	APIOrigins            []string // whose scripts may call the API from a browser
	Settings              []SettingsGroup
	Backups               func() backup.Status // of the server's own backups; nil: it makes none
	Meter                 middleware.Meter     // the zero value: requests are not measured
}

// SettingsGroup and Setting are the parts of the configuration on the settings
// page.
type (
	SettingsGroup = pages.SettingsGroup
	Setting       = pages.Setting
)

// Handlers answers requests. It is safe for concurrent use.
type Handlers struct {
	site     *site.Site
	auth     *auth.Service
	oauth    *oauth.Service
	logger   *slog.Logger
	origin   *middleware.Origin
	https    bool
	hstsSubs bool
	proxies  []netip.Prefix
	protects bool // apps, by forward-auth
	static   *static.Brand
	scripts  map[string]bool // the routes that only scripts call
	ready    *readiness
	draining atomic.Bool // the server is stopping
	meter    middleware.Meter

	signin  *signin.Handlers
	account *account.Handlers
	admin   *admin.Handlers
	forward *forward.Handlers
	api     *api.API
}

// New returns the handlers, or an error when an option is missing or wrong.
func New(o Options) (*Handlers, error) {
	if o.Auth == nil || o.OAuth == nil || o.Accounts == nil || o.Store == nil || o.Cookies == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("handlers: Auth, OAuth, Accounts, Store, Cookies, Logger and Now are required")
	}
	origin, err := middleware.NewOrigin(o.PublicURL)
	if err != nil {
		return nil, err
	}
	if o.ForwardAuth == nil {
		o.ForwardAuth = forwardauth.New(nil)
	}
	width, height := o.Brand.LogoSize()
	s := &site.Site{
		Cookies: o.Cookies, Now: o.Now, PublicURL: o.PublicURL, SignupOpen: o.Accounts.SignupOpen(), SignupInvite: o.Accounts.SignupInvite(),
		Verifies: o.Accounts.Verifies(), VerifyRequired: o.Accounts.VerifyRequired(),
		Brand: layouts.Brand{
			Name: o.BrandName, IconURL: o.Brand.IconURL(), LogoURL: o.Brand.LogoURL(), LogoWidth: width, LogoHeight: height,
			CSSURL: o.Brand.CSSURL(), SupportEmail: o.SupportEmail,
		},
	}
	h := &Handlers{
		site: s, auth: o.Auth, oauth: o.OAuth, logger: o.Logger, origin: origin, https: o.HTTPS, hstsSubs: o.HSTSIncludeSubdomains,
		proxies: o.TrustedProxies, protects: !o.ForwardAuth.Empty(), static: o.Brand, scripts: map[string]bool{}, meter: o.Meter,
		ready:   &readiness{obstacle: o.Store.Obstacle, check: o.Store.Ready},
		signin:  signin.New(s, o.Auth, o.Accounts, o.ForwardAuth),
		admin:   admin.New(s, o.Auth, o.Accounts, o.Store, o.Settings, o.Backups),
		forward: forward.New(s, o.Auth, o.OAuth, o.ForwardAuth),
	}
	h.account = account.New(account.Options{Site: s, Auth: o.Auth, Accounts: o.Accounts, Store: o.Store, SignOut: h.signin.Logout})
	h.api, err = api.New(api.Options{
		Auth: o.Auth, OAuth: o.OAuth, Accounts: o.Accounts, Store: o.Store, Now: o.Now, PublicURL: o.PublicURL, Name: o.BrandName, Origins: o.APIOrigins,
		Fail: h.HandleError, Roughly: site.Roughly,
	})
	return h, err
}
