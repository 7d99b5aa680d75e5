package forward

import (
	"errors"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/authheader"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Refusal returns the page that answers a refused request in a browser, nil
// for any other client, and sets the headers of the answer. view is the error
// page of the portal.
//
// The browser shows the page at the app's address, so it takes its style from
// the portal and leads there by absolute URLs, and has neither form nor script.
func (h *Handlers) Refusal(c echo.Context, failure error, view pages.ErrorView) templ.Component {
	header := c.Response().Header()
	unauthorized := errors.Is(failure, apperr.Unauthorized)
	switch {
	case errors.Is(failure, errNeedsApps):
		header.Set(echo.HeaderWWWAuthenticate, authheader.Challenge("insufficient_scope", string(oauth.ScopeApps)))
	case unauthorized && credentialsOf(c.Request()).token != "":
		header.Set(echo.HeaderWWWAuthenticate, authheader.Challenge("invalid_token", ""))
	case unauthorized:
		header.Set(echo.HeaderWWWAuthenticate, authheader.Challenge("", ""))
	}
	if unauthorized && !isBrowser(c.Request()) { // it would open a dialog
		header.Add(echo.HeaderWWWAuthenticate, authheader.ChallengeBasic)
	}
	asked, err := h.askedFor(c)
	if err != nil || !asked.navigates(c.Request()) {
		return nil
	}
	view.Reference = middleware.Of(c).ID
	view.Actions = []pages.ErrorAction{{Label: "Go to your account", URL: h.site.PublicURL}}
	if errors.Is(failure, apperr.Forbidden) {
		view.Actions = append(view.Actions, pages.ErrorAction{Label: "Use another account", URL: h.site.PublicURL + "/logout"})
	} else if target := h.apps.URL(asked.Scheme, asked.Host, asked.URI); target != "" {
		view.Actions = append([]pages.ErrorAction{{Label: "Try again", URL: target}}, view.Actions...)
	}
	header.Set("Content-Security-Policy", "default-src 'none'; style-src "+h.site.PublicURL+"; img-src "+h.site.PublicURL+
		"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	return pages.Refused(layouts.Page{Title: view.Heading, Brand: h.site.Brand}, h.site.PublicURL, view)
}
