// Package account has the pages on which people manage their own account:
// profile, password, email address, sessions and access tokens.
//
// Every page needs a signed-in person. Packages auth and account decide what
// they may change.
package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
)

// Options are what the pages need.
type Options struct {
	Site     *site.Site
	Auth     *auth.Service
	Accounts *account.Service
	Store    *models.Store    // for plain reads
	SignOut  echo.HandlerFunc // handles POST /logout
}

// Handlers are the pages of the group. They are safe for concurrent use.
type Handlers struct {
	site     *site.Site
	auth     *auth.Service
	accounts *account.Service
	store    *models.Store
	signOut  echo.HandlerFunc
}

// New returns the pages.
func New(o Options) *Handlers {
	return &Handlers{site: o.Site, auth: o.Auth, accounts: o.Accounts, store: o.Store, signOut: o.SignOut}
}

// credentialChange reads a form that changes the password or the address; field
// is the name of the new value.
func (h *Handlers) credentialChange(c echo.Context, in site.Form, field string) account.CredentialChange {
	return account.CredentialChange{
		Identity: site.Identity(c), Current: in.Get(site.CurrentPassword), Confirmed: site.ByConfirmation(in), New: in.Get(field),
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	}
}
