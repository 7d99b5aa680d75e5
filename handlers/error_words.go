package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// errorWords are the words of an error page. A failure's own sentence is meant
// for the visitor; its cause never is.
func (h *Handlers) errorWords(c echo.Context, status int, err error, wait time.Duration) pages.ErrorView {
	said := apperr.Details(err).Message
	home := homeOf(c)
	back := pages.ErrorAction{Label: "Go back", URL: h.formPage(c)}
	view := pages.ErrorView{Heading: "This did not work", Text: said, Actions: []pages.ErrorAction{home}}
	switch status {
	case http.StatusBadRequest:
		view.Text = cmp.Or(said, "The request could not be understood.")
	case http.StatusUnauthorized:
		view.Heading, view.Text = "Please sign in", "You need to sign in to go on."
	case http.StatusForbidden:
		return h.forbiddenWords(c, said)
	case http.StatusNotFound:
		view.Heading = "Page not found"
		view.Text = "If you typed the address, check it. If you followed a link, it may be out of date."
	case http.StatusMethodNotAllowed:
		back.URL = h.cameFrom(c) // the address itself would say the same again
		view.Text, view.Actions = "This address does not take that kind of request.", []pages.ErrorAction{back}
	case http.StatusConflict:
		view.Text = cmp.Or(said, "Things changed since you opened the page. Nothing was done.")
		view.Actions = []pages.ErrorAction{back, home}
	case http.StatusRequestEntityTooLarge:
		view.Text, view.Actions = "What was sent is too large.", []pages.ErrorAction{back}
	case http.StatusUnsupportedMediaType:
		view.Text, view.Actions = "What was sent is not a form that this page can read.", []pages.ErrorAction{back}
	case http.StatusMisdirectedRequest:
		view.Heading = "This address is not served here"
		view.Text = "The portal is at " + h.publicURL + ". Open it there."
		view.Actions = []pages.ErrorAction{{Label: "Open the portal", URL: h.publicURL}}
	case http.StatusUnprocessableEntity:
		view.Text, view.Actions = cmp.Or(said, "Something in the form is not right. Go back and check it."), []pages.ErrorAction{back}
	case http.StatusTooManyRequests:
		return h.tooManyWords(c, said, wait)
	case http.StatusServiceUnavailable:
		return h.unavailableWords(c, err, wait)
	default:
		view.Heading = "Sorry, something went wrong"
		view.Text = "It is not your fault and we have recorded it. " + fate(c)
		view.Actions = []pages.ErrorAction{{Label: "Try again", URL: h.formPage(c)}, home}
	}
	return view
}

// homeOf is where an error page leads: to the lists of the admin area for admins
// who are there, else to the account.
func homeOf(c echo.Context) pages.ErrorAction {
	who, path := middleware.Of(c).Identity, c.Request().URL.Path
	switch {
	case who == nil || !who.Admin || path != "/admin" && !strings.HasPrefix(path, "/admin/"):
		return pages.ErrorAction{Label: "Go to your account", URL: "/"}
	case strings.HasPrefix(path, "/admin/audit"):
		return pages.ErrorAction{Label: "Go to the audit log", URL: "/admin/audit"}
	}
	return pages.ErrorAction{Label: "Go to the users", URL: "/admin/users"}
}

func (h *Handlers) tooManyWords(c echo.Context, said string, wait time.Duration) pages.ErrorView {
	until := components.Timed{
		Before: cmp.Or(said, "Too many requests came from your network.") + " Try again at ",
		At:     h.now().Add(wait), After: " (in " + roughly(wait) + ").",
	}
	return pages.ErrorView{
		Heading: "Please wait a moment", Text: until.String(), Timed: &until,
		Actions: []pages.ErrorAction{{Label: "Try again", URL: h.formPage(c), NotBefore: until.At}},
	}
}

func (h *Handlers) forbiddenWords(c echo.Context, said string) pages.ErrorView {
	view := pages.ErrorView{
		Heading: "You cannot open this page", Text: said,
		Actions: []pages.ErrorAction{{Label: "Go to your account", URL: "/"}},
	}
	who := middleware.Of(c).Identity
	if said != "" || who == nil {
		view.Text = cmp.Or(said, "It is not meant for you.")
		return view
	}
	view.Text = "You are signed in as " + who.Email + ". This page needs the admin role."
	if h.brand.SupportEmail != "" {
		view.Text += " Ask " + h.brand.SupportEmail + " if you need it."
		view.Email = h.brand.SupportEmail
	}
	view.Actions = append(view.Actions, pages.ErrorAction{Label: "Use another account", URL: "/logout", Post: true})
	return view
}

func (h *Handlers) unavailableWords(c echo.Context, err error, wait time.Duration) pages.ErrorView {
	view := pages.ErrorView{
		Heading: "Sorry, the service is unavailable",
		Text:    "We expect this to be short. " + fate(c) + " Try again in " + roughly(wait) + ".",
		Actions: []pages.ErrorAction{{Label: "Try again", URL: h.formPage(c), NotBefore: h.now().Add(wait)}},
	}
	switch {
	case said(err) != "":
		view.Text = said(err)
	case apperr.KindOf(err) == apperr.Busy:
		view.Text = "Many people are signing in at this moment. Nothing was changed. Try again in a few seconds."
	case c.Request().Method == http.MethodPost && c.Path() == "/login":
		view.Text = "We cannot sign you in right now. Nothing was changed. Try again in a few seconds."
	case c.Request().Method == http.MethodPost && c.Path() == "/logout":
		view.Text = stillSignedIn // also when it fails before the handler
	}
	return view
}

func said(err error) string { return apperr.Details(err).Message }

// fate says what became of the visitor's data.
func fate(c echo.Context) string {
	switch {
	case c.Request().Method != http.MethodPost:
		return "Nothing was changed."
	case c.Path() == "/login":
		return "You are not signed in."
	case c.Path() == "/logout":
		return "You may still be signed in."
	}
	return "We do not know if your change was saved, please check."
}

// roughly says how long, rounded up.
func roughly(d time.Duration) string {
	switch {
	case d <= 90*time.Second:
		return count(int((d+time.Second-1)/time.Second), "second")
	case d <= 90*time.Minute:
		return count(int((d+time.Minute-1)/time.Minute), "minute")
	}
	return count(int((d+time.Hour-1)/time.Hour), "hour")
}

// countAny is count, and "" for none.
func countAny(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return count(n, noun)
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
