package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/signin"
	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// errorWords returns the texts of an error page: the message of the failure, or
// the text for its kind. It never shows the cause.
func (h *Handlers) errorWords(c echo.Context, kind apperr.Kind, err error, wait time.Duration) pages.ErrorView {
	message := messageOf(err)
	home := homeOf(c)
	back := pages.ErrorAction{Label: "Go back", URL: h.site.ReturnTo(c)}
	view := pages.ErrorView{Heading: "This did not work", Text: message, Actions: []pages.ErrorAction{home}}
	switch kind {
	case apperr.Malformed:
		view.Text = cmp.Or(message, "We could not read this request. Go back, reload the page and try again.")
	case apperr.Unauthorized:
		view.Heading, view.Text = "Please sign in", "Sign in to continue."
	case apperr.Forbidden, apperr.Disabled:
		return h.forbiddenWords(c, message)
	case apperr.NotFound, apperr.Gone:
		view.Heading = "Page not found"
		view.Text = "If you typed the address, check it. If you followed a link, it may be out of date."
	case apperr.WrongMethod:
		back.URL = h.site.CameFrom(c) // this address would only show the error again
		view.Text, view.Actions = "This page cannot be opened this way. Go back and use the buttons there.", []pages.ErrorAction{back}
	case apperr.Conflict:
		view.Text = cmp.Or(message, "Something changed after you opened this page. Nothing was saved.")
		view.Actions = []pages.ErrorAction{back, home}
	case apperr.TooLarge:
		view.Text, view.Actions = tooLarge(c), []pages.ErrorAction{back}
	case apperr.TooSlow:
		view.Text = "The form took too long to arrive, so nothing was changed. Check your connection, go back and send it again."
		view.Actions = []pages.ErrorAction{back}
	case apperr.Unsupported:
		view.Text, view.Actions = "The form arrived in a format that this page cannot read. Go back and send it from there.", []pages.ErrorAction{back}
	case apperr.Misdirected:
		view.Heading = "This address is not served here"
		view.Text = "The portal is at " + h.site.PublicURL + ". Open it there."
		view.Actions = []pages.ErrorAction{{Label: "Open the portal", URL: h.site.PublicURL}}
	case apperr.Invalid:
		view.Text, view.Actions = cmp.Or(message, "The form has an error. Go back and check it."), []pages.ErrorAction{back}
	case apperr.TooMany, apperr.Locked:
		return h.tooManyWords(c, message, wait)
	case apperr.Busy, apperr.Unavailable:
		return h.unavailableWords(c, err, wait)
	default:
		view.Heading = "Sorry, something went wrong"
		view.Text = "This is not your fault, and we have recorded the problem. " + fate(c)
		view.Actions = []pages.ErrorAction{{Label: "Try again", URL: h.site.ReturnTo(c)}, home}
	}
	return view
}

// homeOf returns the link of an error page: for an admin in the admin area to
// one of its lists, else to the account.
func homeOf(c echo.Context) pages.ErrorAction {
	person, path := site.Identity(c), c.Request().URL.Path
	switch {
	case person == nil || !person.Admin || path != "/admin" && !strings.HasPrefix(path, "/admin/"):
		return pages.ErrorAction{Label: "Go to your account", URL: "/"}
	case strings.HasPrefix(path, "/admin/audit"):
		return pages.ErrorAction{Label: "Go to the audit log", URL: "/admin/audit"}
	}
	return pages.ErrorAction{Label: "Go to the users", URL: "/admin/users"}
}

// tooLarge names the limit that a form exceeded.
func tooLarge(c echo.Context) string {
	limit := maxBody
	if smallForms()[c.Request().URL.Path] {
		limit = maxSmallBody
	}
	return fmt.Sprintf("The form is larger than the limit of %d KB. Go back and enter less.", limit>>10)
}

func (h *Handlers) tooManyWords(c echo.Context, message string, wait time.Duration) pages.ErrorView {
	until := components.Timed{
		Before: cmp.Or(message, "Too many requests came from your network.") + " Try again at ",
		At:     h.site.Now().Add(wait), After: " (in " + site.Roughly(wait) + ").",
	}
	return pages.ErrorView{
		Heading: "Please wait a moment", Text: until.String(), Timed: &until,
		Actions: []pages.ErrorAction{{Label: "Try again", URL: h.site.ReturnTo(c), NotBefore: until.At}},
	}
}

func (h *Handlers) forbiddenWords(c echo.Context, message string) pages.ErrorView {
	view := pages.ErrorView{
		Heading: "You cannot open this page", Text: message,
		Actions: []pages.ErrorAction{{Label: "Go to your account", URL: "/"}},
	}
	person := site.Identity(c)
	if message != "" || person == nil {
		view.Text = cmp.Or(message, "You do not have access to this page.")
		return view
	}
	view.Text = "You are signed in as " + cmp.Or(person.Email, person.Username) + ". This page needs the admin role."
	if h.site.Brand.SupportEmail != "" {
		view.Text += " Ask " + h.site.Brand.SupportEmail + " if you need it."
		view.Email = h.site.Brand.SupportEmail
	}
	view.Actions = append(view.Actions, pages.ErrorAction{Label: "Use another account", URL: "/logout", Post: true})
	return view
}

func (h *Handlers) unavailableWords(c echo.Context, err error, wait time.Duration) pages.ErrorView {
	view := pages.ErrorView{
		Heading: "Sorry, the service is unavailable",
		Text:    "This should not take long. " + fate(c) + " Try again in " + site.Roughly(wait) + ".",
		Actions: []pages.ErrorAction{{Label: "Try again", URL: h.site.ReturnTo(c), NotBefore: h.site.Now().Add(wait)}},
	}
	switch {
	case messageOf(err) != "":
		view.Text = messageOf(err)
	case apperr.KindOf(err) == apperr.Busy:
		view.Text = "Many people are signing in right now. Nothing was changed. Try again in a few seconds."
	case c.Request().Method == http.MethodPost && c.Path() == "/login":
		view.Text = "We cannot sign you in right now. Nothing was changed. Try again in a few seconds."
	case c.Request().Method == http.MethodPost && c.Path() == "/logout":
		view.Text = signin.StillSignedIn // also when it fails before the handler
	}
	return view
}

func messageOf(err error) string { return apperr.Details(err).Message }

// fate says whether the visitor's change was saved.
func fate(c echo.Context) string {
	switch {
	case c.Request().Method != http.MethodPost:
		return "Nothing was changed."
	case c.Path() == "/login":
		return "You are not signed in."
	case c.Path() == "/logout":
		return "You may still be signed in."
	}
	return "We do not know whether your change was saved. Please check."
}
