package forward

import (
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
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
// The browser shows the page at the app's address. The page therefore loads its
// style from the portal, uses absolute URLs, and has neither forms nor scripts.
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
	if unauthorized && !isBrowser(c.Request()) { // a browser would open a dialog
		header.Add(echo.HeaderWWWAuthenticate, authheader.ChallengeBasic)
	}
	asked, err := h.askedFor(c)
	if err != nil || !showsPage(c.Request()) {
		return nil
	}
	view.Reference = middleware.Of(c).ID
	account := pages.ErrorAction{Label: "Go to your account", URL: h.site.PublicURL}
	switch target := h.apps.URL(asked.Scheme, asked.Host, asked.URI); {
	case errors.Is(failure, apperr.Forbidden):
		view.Actions = []pages.ErrorAction{account, {Label: "Use another account", URL: h.site.PublicURL + "/logout"}}
	case unauthorized:
		view.Text = "You are not signed in, so nothing was sent to the app. Sign in, then send the form again."
		view.Actions = []pages.ErrorAction{{Label: "Sign in", URL: h.site.PublicURL + h.cameFrom(c.Request(), asked)}}
	case target != "" && asked.navigates(c.Request()):
		view.Actions = []pages.ErrorAction{{Label: "Try again", URL: target}, account}
	default:
		view.Actions = []pages.ErrorAction{account}
	}
	header.Set("Content-Security-Policy", "default-src 'none'; style-src "+h.site.PublicURL+"; img-src "+h.site.PublicURL+
		"; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	return pages.Refused(layouts.Page{Title: view.Heading, Brand: h.site.Brand}, h.site.PublicURL, view)
}

// cameFrom returns the path of the portal that leads to the page of the app
// whose form was sent, or to the start of the app.
func (h *Handlers) cameFrom(r *http.Request, asked original) string {
	start := h.apps.URL(asked.Scheme, asked.Host, "/")
	page, known := h.apps.Return(r.Referer())
	if !known || !strings.HasPrefix(page.String(), start) {
		return site.ContinuePath(start)
	}
	if path := site.ContinuePath(page.String()); len(path) <= site.MaxContinue-len(site.MarkAfterSignIn) {
		return path
	}
	return site.ContinuePath(start)
}
