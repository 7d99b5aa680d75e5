package signin

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// wrongCredentials is the same for a wrong password and for an account that
// does not exist.
const wrongCredentials = "Email, username or password is not correct."

// ShowLogin handles GET /login.
func (h *Handlers) ShowLogin(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	next := site.SafeNext(query.Get("next"))
	if site.Identity(c) != nil {
		return site.Redirect(c, cmp.Or(next, homePath))
	}
	form := pages.LoginForm{Next: next, App: h.appBehind(next), Passkeys: h.passkeys()}
	var failure error
	if state := middleware.Of(c); state.Stale {
		reason := h.site.EndReason(state.Ended)
		form.Notice = &reason
	} else if next != "" && h.cookiesBlocked(c.Request()) {
		form.Errors.Add("", "Your browser is blocking cookies. Turn them on for this site to sign in.")
		failure = apperr.New(apperr.Invalid, "", errors.New("the browser keeps no cookies"))
	}
	page := h.site.Page(c, "Sign in")
	if page.Flash != nil && form.Notice != nil {
		page.Flash = nil // both give a reason, and the session's is newer
	}
	return site.Answer(c, failure, pages.Login(page, form))
}

// cookiesBlocked reports whether a browser has just signed in and kept no
// cookies: the request comes from a form of ours without any cookie.
func (h *Handlers) cookiesBlocked(r *http.Request) bool {
	from := h.site.Referer(r)
	if from == nil || len(r.Cookies()) > 0 {
		return false
	}
	return from.Path == "/login" || from.Path == "/signup" || from.Path == "/setup"
}

// Login handles POST /login.
func (h *Handlers) Login(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	next := site.SafeNext(in.Get("next"))
	form := pages.LoginForm{
		Username: models.Tidy(in.Get("username")), Remember: in.Get("remember") != "", Next: next, App: h.appBehind(next), Passkeys: h.passkeys(),
	}
	if form.Errors = missing(form.Username, in.Get("password")); form.Errors.Any() {
		return h.loginAgain(c, apperr.New(apperr.Invalid, "", errors.New("a field is empty")), form)
	}
	outcome, err := h.auth.Login(c.Request().Context(), auth.Login{
		Identifier: form.Username, Password: in.Get("password"), Remember: form.Remember,
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	})
	if err != nil {
		return err
	}
	switch outcome.Refused {
	case auth.WrongPassword:
		form.Error = wrongCredentials
		return h.loginAgain(c, apperr.New(apperr.Invalid, "", outcome.Cause), form)
	case auth.AccountDisabled:
		return site.Answer(c, outcome.Cause, pages.LoginDisabled(h.site.Page(c, "You cannot sign in")))
	case auth.Limited:
		form.Limit = h.site.TooMany(outcome.Cause, "Too many sign-in attempts.")
		return h.loginAgain(c, outcome.Cause, form)
	}
	if outcome.Ticket != "" {
		return h.askStep(c, outcome.Ticket, next)
	}
	return h.enter(c, outcome.SignedIn, cmp.Or(next, homePath))
}

// missing returns the problems of fields that are empty.
func missing(username, password string) components.Errors {
	var problems components.Errors
	if username == "" {
		problems.Add("username", "Enter your email address or username.")
	}
	if password == "" {
		problems.Add(components.CurrentPassword, "Enter your password.")
	}
	return problems
}

func (h *Handlers) loginAgain(c echo.Context, failure error, form pages.LoginForm) error {
	return site.Answer(c, failure, pages.Login(h.site.Page(c, "Sign in"), form))
}
