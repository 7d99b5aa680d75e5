package signin

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// ShowLogout handles GET /logout: a button, because reading changes nothing.
func (h *Handlers) ShowLogout(c echo.Context) error {
	if site.Identity(c) == nil {
		return site.Redirect(c, "/login")
	}
	return site.Show(c, pages.Logout(h.site.Page(c, "Sign out")))
}

// StillSignedIn is the message of a sign-out that failed.
const StillSignedIn = "We could not sign you out: you are still signed in. Try again in a few seconds."

// Logout handles POST /logout. It ends the sessions of all presented tokens,
// and then clears the cookies.
func (h *Handlers) Logout(c echo.Context) error {
	access, refresh := h.site.Cookies.EveryToken(c.Request())
	for i := range max(len(access), len(refresh)) {
		presented := auth.Presented{Access: at(access, i), Refresh: at(refresh, i)}
		if err := h.auth.Logout(c.Request().Context(), presented, middleware.Client(c)); err != nil {
			return apperr.Wait(apperr.KindOf(err), apperr.Details(err).RetryAfter, StillSignedIn, err)
		}
	}
	h.site.Cookies.ClearTokens(c.Response().Header())
	c.Response().Header().Set("Clear-Site-Data", `"storage"`)
	return h.site.RedirectWithFlash(c, "/login", site.FlashSignedOut)
}

// at returns list[i], or "" beyond its end.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
