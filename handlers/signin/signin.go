// Package signin has the pages for people without a session and those that begin
// or end one: sign in, create account, first admin, forgotten password, reset
// links, sign out, and the page that continues to a protected app.
//
// Packages auth and account decide who is signed in.
package signin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// Handlers are the pages of the group. They are safe for concurrent use.
type Handlers struct {
	site     *site.Site
	auth     *auth.Service
	accounts *account.Service
	apps     *forwardauth.Rules
}

// New returns the pages. apps are the protected apps that /continue leads to.
func New(s *site.Site, service *auth.Service, accounts *account.Service, apps *forwardauth.Rules) *Handlers {
	return &Handlers{site: s, auth: service, accounts: accounts, apps: apps}
}

// homePath is the page that signing in leads to when there is no next.
const homePath = "/profile"

// Home handles GET /.
func (h *Handlers) Home(c echo.Context) error {
	if site.Identity(c) != nil {
		return site.Redirect(c, homePath)
	}
	if state := middleware.Of(c); state.Stale {
		h.site.FlashEndReason(c, state.Ended)
	}
	return site.Redirect(c, "/login")
}

// newAccount reads the fields of a new account.
func (h *Handlers) newAccount(c echo.Context, in site.Form) account.Signup {
	return account.Signup{
		Account:  account.Profile{Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name")},
		Password: in.Get("password"),
		Device:   h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	}
}

// welcome signs in the person of a new account and redirects to path with a
// message.
func (h *Handlers) welcome(c echo.Context, signedIn *auth.SignedIn, flash, path string) error {
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, path, flash)
}

// deadLink is the failure of opening a link that does not work.
func deadLink() error { return apperr.New(apperr.Gone, "", errors.New("the link does not work")) }

// linkState says why a link does not work.
func linkState(state account.LinkState) pages.LinkState {
	switch state {
	case account.LinkExpired:
		return pages.LinkExpired
	case account.LinkUsed:
		return pages.LinkUsed
	case account.LinkReplaced:
		return pages.LinkReplaced
	case account.LinkDisabled:
		return pages.LinkDisabled
	case account.LinkEnded:
		return pages.LinkEnded
	}
	return pages.LinkBroken
}
