// Package handlers turns HTTP into calls and answers into pages: it reads
// forms, calls package auth, and renders or redirects.
//
// Every route and its gate is in routes.go, every status in errors.go. What is
// allowed is decided in package auth, what a page looks like in package views.
package handlers

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/api"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/static"
	"latchkey/views/layouts"
)

// Options are what the handlers need.
type Options struct {
	Auth                  *auth.Service
	Store                 *models.Store // for plain reads
	Cookies               *cookie.Jar
	Logger                *slog.Logger
	Now                   func() time.Time
	PublicURL             string // the portal's one origin
	HTTPS                 bool   // it is https
	HSTSIncludeSubdomains bool
	TrustedProxies        []netip.Prefix
	ForwardAuth           *forwardauth.Rules // nil: forward-auth is off
	Brand                 *static.Brand      // nil: the built-in look
	BrandName             string
	SupportEmail          string
	APIOrigins            []string // whose scripts may call the API from a browser
}

// Handlers answers requests. It is safe for concurrent use.
type Handlers struct {
	auth      *auth.Service
	store     *models.Store
	cookies   *cookie.Jar
	logger    *slog.Logger
	now       func() time.Time
	publicURL string
	origin    *middleware.Origin
	https     bool
	hstsSubs  bool
	proxies   []netip.Prefix
	forward   *forwardauth.Rules
	static    *static.Brand
	brand     layouts.Brand
	api       *api.API
}

// New returns the handlers, or why the options cannot work.
func New(o Options) (*Handlers, error) {
	if o.Auth == nil || o.Store == nil || o.Cookies == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("handlers: Auth, Store, Cookies, Logger and Now are required")
	}
	origin, err := middleware.NewOrigin(o.PublicURL)
	if err != nil {
		return nil, err
	}
	if o.ForwardAuth == nil {
		o.ForwardAuth = forwardauth.New(nil)
	}
	width, height := o.Brand.LogoSize()
	h := &Handlers{
		auth: o.Auth, store: o.Store, cookies: o.Cookies, logger: o.Logger, now: o.Now,
		publicURL: o.PublicURL, origin: origin, https: o.HTTPS, hstsSubs: o.HSTSIncludeSubdomains,
		proxies: o.TrustedProxies, forward: o.ForwardAuth, static: o.Brand,
		brand: layouts.Brand{
			Name: o.BrandName, IconURL: o.Brand.IconURL(), LogoURL: o.Brand.LogoURL(), LogoWidth: width, LogoHeight: height,
			CSSURL: o.Brand.CSSURL(), SupportEmail: o.SupportEmail,
		},
	}
	h.api, err = api.New(api.Options{
		Auth: o.Auth, Store: o.Store, Now: o.Now, PublicURL: o.PublicURL, Name: o.BrandName, Origins: o.APIOrigins, Fail: h.HandleError, Roughly: roughly,
	})
	return h, err
}

// frame is what every page is given.
func (h *Handlers) frame(c echo.Context, title string) layouts.Page {
	page := layouts.Page{
		Title: title, Brand: h.brand, Theme: layouts.Theme(h.cookies.Theme(c.Request())),
		Path: c.Request().URL.RequestURI(), SignupOpen: h.auth.SignupOpen(),
	}
	if c.Request().Method != "GET" && c.Request().Method != "HEAD" {
		page.Path = h.formPage(c)
	}
	if who := middleware.Of(c).Identity; who != nil {
		page.User = &layouts.User{Name: who.FullName, Username: who.Username, IsAdmin: who.Admin}
	}
	return page
}

// page is frame with the message that a redirect carried here, if one did.
func (h *Handlers) page(c echo.Context, title string) layouts.Page {
	page := h.frame(c, title)
	if message := h.cookies.TakeFlash(c.Response().Header(), c.Request()); message.Key != "" {
		page.Flash = h.flashOf(message)
	}
	return page
}

// section is page with its item of the navigation.
func (h *Handlers) section(c echo.Context, section layouts.Section, title string) layouts.Page {
	page := h.page(c, title)
	page.Section = section
	return page
}

// see answers a form that was carried out: 303, with a message for the page
// it leads to.
func (h *Handlers) see(c echo.Context, path, key string, args ...string) error {
	h.cookies.SetFlash(c.Response().Header(), cookie.Flash{Key: key, Args: args})
	return c.Redirect(303, path)
}

// who is the signed-in person; routes that need one say so.
func who(c echo.Context) *auth.Identity { return middleware.Of(c).Identity }

// presented are the tokens that came along.
func (h *Handlers) presented(c echo.Context) auth.Presented {
	access, refresh, _ := h.cookies.Tokens(c.Request())
	return auth.Presented{Access: access, Refresh: refresh}
}

// signIn gives the browser a session that was just opened.
func (h *Handlers) signIn(c echo.Context, in *auth.SignedIn) {
	middleware.GiveTokens(c, h.cookies, in.Tokens)
	if in.Device != "" {
		h.cookies.SetDevice(c.Response().Header(), in.Device)
	}
}
