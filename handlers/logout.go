package handlers

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// showLogout handles GET /logout: a button, because reading changes nothing.
func (h *Handlers) showLogout(c echo.Context) error {
	if who(c) == nil {
		return c.Redirect(http.StatusSeeOther, "/login")
	}
	return latchkey.Render(c, http.StatusOK, pages.Logout(h.page(c, "Sign out")))
}

// stillSignedIn is what a sign-out that could not be carried out says.
const stillSignedIn = "We could not sign you out: you are still signed in. Try again in a few seconds."

// logout handles POST /logout. The cookies go only once nothing of the session
// is accepted any more.
func (h *Handlers) logout(c echo.Context) error {
	access, refresh := h.cookies.EveryToken(c.Request())
	for i := range max(len(access), len(refresh)) {
		presented := auth.Presented{Access: at(access, i), Refresh: at(refresh, i)}
		if err := h.auth.Logout(c.Request().Context(), presented, middleware.Client(c)); err != nil {
			return apperr.Wait(apperr.KindOf(err), apperr.Details(err).RetryAfter, stillSignedIn, err)
		}
	}
	h.cookies.ClearTokens(c.Response().Header())
	c.Response().Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return h.see(c, "/login", flashSignedOut)
}

// at is the element i of list, "" behind its end.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// theme handles POST /theme.
func (h *Handlers) theme(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	switch choice := in.Get("theme"); choice {
	case string(layouts.ThemeLight), string(layouts.ThemeDark), "system":
		h.cookies.SetTheme(c.Response().Header(), choice)
	default:
		return apperr.New(apperr.Malformed, "Choose light, dark or system.", nil)
	}
	return c.Redirect(http.StatusSeeOther, cmp.Or(themeNext(in.Get("next")), "/"))
}

// themeNext is the page that the switch stands on: any of ours, the sign-in
// page too. A way back that the page carries is looked at by itself.
func themeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	switch u.Path {
	case "/login", "/signup", "/forgot":
		return u.Path + withQuery(safeNext(u.Query().Get("next")))
	}
	return safeNext(next)
}

func withQuery(next string) string {
	if next == "" {
		return ""
	}
	return "?next=" + url.QueryEscape(next)
}

// wellKnownChangePassword handles GET /.well-known/change-password.
func (h *Handlers) wellKnownChangePassword(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/profile/password")
}

// healthz handles GET /healthz: the process answers.
func (h *Handlers) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz handles GET /readyz: the database is there and has our schema.
func (h *Handlers) readyz(c echo.Context) error {
	if err := h.auth.Ready(c.Request().Context()); err != nil {
		h.logger.WarnContext(c.Request().Context(), "not ready", "error", err.Error())
		c.Response().Header().Set("Retry-After", "5")
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
