package handlers

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/api"
	"latchkey/internal/middleware"
	"latchkey/static"
)

// Limits of one request (docs/security.md).
const (
	maxBody      = 64 << 10
	maxLoginBody = 8 << 10
	maxTime      = 10 * time.Second
	maxInFlight  = 512
)

// gate decides who may use a route.
type gate echo.MiddlewareFunc

// The gates.
var (
	public gate = func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	user   gate = middleware.RequireUser
	admin  gate = middleware.RequireAdmin
)

// Echo returns the portal with every route and middleware.
func (h *Handlers) Echo() (*echo.Echo, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.HandleError
	e.IPExtractor = clientAddress(h.proxies)
	e.Use(
		middleware.RequestID(h.proxies),
		middleware.Log(h.logger, h.HandleError),
		middleware.Recover,
		middleware.Headers(middleware.HeaderOptions{HTTPS: h.https, HSTSIncludeSubdomains: h.hstsSubs}),
		h.api.Guard,
		h.origin.CheckHost,
		middleware.Bounds(middleware.Limits{
			Body: maxBody, SmallBody: maxLoginBody, Small: map[string]bool{"/login": true, "/token": true},
			Timeout: maxTime, Concurrent: maxInFlight,
		}),
		refuseMethod,
	)
	crossOrigin, err := h.origin.CrossOrigin()
	if err != nil {
		return nil, err
	}
	h.routes(router{echo: e, site: []echo.MiddlewareFunc{crossOrigin, middleware.Authenticate(h.auth, h.cookies)}})
	return e, h.api.Mount(e) // its routes, each with its scope, in handlers/api/api.go
}

// routes names every route and its gate. A POST names the page that its form
// stands on, and after a "?" the field that the address of the page has too:
// there a person who has to sign in first comes back to, and whoever tries again.
func (h *Handlers) routes(r router) {
	r.plain("/healthz", h.healthz)
	r.plain("/readyz", h.readyz)
	r.plain("/static/*", files(static.Handler(h.static)))
	r.plain("/favicon.ico", files(static.Favicon(h.static)))
	r.plain("/docs", h.docs)
	r.plain(pathForwardAuth, h.forwardAuth) // a proxy asks; the request it asks about is not to this origin

	r.get("/", public, h.home)
	r.get("/signup", public, h.showSignup)
	r.post("/signup", public, h.signup, "/signup?next")
	r.get("/login", public, h.showLogin)
	r.post("/login", public, h.login, "/login?next")
	r.get("/logout", public, h.showLogout)
	r.post("/logout", public, h.logout, "/logout")
	r.get(pathContinue, public, h.continueTo)
	r.get("/forgot", public, h.forgot)
	r.get("/reset", public, h.showReset)
	r.post("/reset", public, h.reset, "/reset?token")
	r.get("/setup", public, h.showSetup)
	r.post("/setup", public, h.setup, "/setup?token")
	r.post("/theme", public, h.theme, "/")
	r.get("/.well-known/change-password", public, h.wellKnownChangePassword)

	r.get("/profile", user, h.showProfile)
	r.post("/profile", user, h.profile, "/profile")
	r.get("/profile/password", user, h.showPassword)
	r.post("/profile/password", user, h.password, "/profile/password")
	r.get("/profile/email", user, h.showEmail)
	r.post("/profile/email", user, h.email, "/profile/email")
	r.get("/profile/sessions", user, h.sessions)
	r.post("/profile/sessions/:id/end", user, h.endSession, "/profile/sessions")
	r.get("/profile/sessions/end-others", user, h.confirmEndOthers)
	r.post("/profile/sessions/end-others", user, h.endOthers, "/profile/sessions")
	r.get("/profile/tokens", user, h.tokens)
	r.post("/profile/tokens", user, h.createToken, "/profile/tokens")
	r.get("/profile/tokens/:id", user, h.showToken)
	r.get("/profile/tokens/:id/end", user, h.confirmEndToken)
	r.post("/profile/tokens/:id/end", user, h.endToken, "/profile/tokens")

	r.get("/admin", admin, h.overview)
	r.get("/admin/users", admin, h.users)
	r.get("/admin/users/new", admin, h.showNewUser)
	r.post("/admin/users/new", admin, h.newUser, "/admin/users/new")
	r.get("/admin/users/:id", admin, h.showUser)
	r.get("/admin/users/:id/disable", admin, h.confirmDisable)
	r.post("/admin/users/:id/disable", admin, h.disable, "/admin/users/:id/disable")
	r.post("/admin/users/:id/enable", admin, h.enable, "/admin/users/:id")
	r.get("/admin/users/:id/sign-out", admin, h.confirmSignOut)
	r.post("/admin/users/:id/sign-out", admin, h.signOutUser, "/admin/users/:id/sign-out")
	r.get("/admin/users/:id/role", admin, h.confirmRole)
	r.post("/admin/users/:id/role", admin, h.role, "/admin/users/:id/role")
	r.get("/admin/users/:id/reset-link", admin, h.confirmResetLink)
	r.post("/admin/users/:id/reset-link", admin, h.resetLink, "/admin/users/:id/reset-link")
	r.get("/admin/users/:id/link", admin, h.showLink)
	r.post("/admin/users/:id/unlock", admin, h.unlock, "/admin/users/:id")
	r.get("/admin/users/:id/tokens/:token/end", admin, h.confirmEndUserToken)
	r.post("/admin/users/:id/tokens/:token/end", admin, h.endUserToken, "/admin/users/:id")
	r.get("/admin/users/:id/delete", admin, h.confirmDelete)
	r.post("/admin/users/:id/delete", admin, h.deleteUser, "/admin/users/:id/delete")
	r.get("/admin/audit", admin, h.audit)
	r.get("/admin/audit.csv", admin, h.auditCSV)
}

// refuseMethod answers every method that a path does not take with 405, OPTIONS
// too: Echo's own answer to it is 204, which a proxy that asks /forward-auth in
// that way takes for a yes. Below the API's paths it stays, for scripts ask
// there what they may send.
func refuseMethod(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		methods, _ := c.Get(echo.ContextKeyHeaderAllow).(string)
		if methods == "" || api.Owns(c.Request().URL.Path) {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderAllow, strings.TrimPrefix(methods, "OPTIONS, "))
		return echo.ErrMethodNotAllowed
	}
}

// router declares routes. site stands before everything that belongs to a
// person: the cross-origin check, then who it is.
type router struct {
	echo *echo.Echo
	site []echo.MiddlewareFunc
}

// plain declares a route that belongs to nobody in particular: no cookie of its
// own request is looked at, or given.
func (r router) plain(path string, handler echo.HandlerFunc) {
	r.echo.GET(path, handler)
	r.echo.HEAD(path, handler)
}

func (r router) get(path string, g gate, handler echo.HandlerFunc, first ...echo.MiddlewareFunc) {
	r.add(http.MethodGet, path, g, handler, first...)
	r.add(http.MethodHead, path, g, handler, first...)
}

func (r router) post(path string, g gate, handler echo.HandlerFunc, formPage string) {
	formPage, keeps, _ := strings.Cut(formPage, "?")
	r.add(http.MethodPost, path, g, handler,
		func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				state := middleware.Of(c)
				state.FormPage = strings.ReplaceAll(formPage, ":id", safeID(c.Param("id")))
				state.FormKeeps = keeps
				return next(c)
			}
		})
}

func (r router) add(method, path string, g gate, handler echo.HandlerFunc, first ...echo.MiddlewareFunc) {
	chain := append(append(first, r.site...), echo.MiddlewareFunc(g))
	r.echo.Add(method, path, handler, chain...)
}

// files serves what every visitor gets alike.
func files(handler http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Del("Vary") // not by cookie
		handler.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// clientAddress believes X-Forwarded-For from the named proxies alone, read
// from the right; without any it is the peer's address.
func clientAddress(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, prefix := range proxies {
		options = append(options, echo.TrustIPRange(ipNet(prefix)))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}
