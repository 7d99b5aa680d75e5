package handlers

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// wrongCredentials is the same for everybody who does not get in.
const wrongCredentials = "Email, username or password is not correct."

// home handles GET /.
func (h *Handlers) home(c echo.Context) error {
	if who(c) != nil {
		return c.Redirect(http.StatusSeeOther, "/profile")
	}
	if state := middleware.Of(c); state.Stale {
		h.cookies.SetFlash(c.Response().Header(), endedFlash(state.Ended))
	}
	return c.Redirect(http.StatusSeeOther, "/login")
}

// showLogin handles GET /login.
func (h *Handlers) showLogin(c echo.Context) error {
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	next := safeNext(query.Get("next"))
	if who(c) != nil {
		return c.Redirect(http.StatusSeeOther, cmp.Or(next, "/profile"))
	}
	form := pages.LoginForm{Next: next, App: h.appBehind(next)}
	status := http.StatusOK
	if state := middleware.Of(c); state.Stale {
		words := h.ended(state.Ended)
		form.Notice = &words
	} else if cookiesOff(c.Request(), h.publicURL) && next != "" {
		form.Errors.Add("", "Your browser is blocking cookies. Turn them on for this site to sign in.")
		status = http.StatusUnprocessableEntity
	}
	page := h.page(c, "Sign in")
	if page.Flash != nil && form.Notice != nil {
		page.Flash = nil // both say why; the session's own reason is the fresher one
	}
	return latchkey.Render(c, status, pages.Login(page, form))
}

// ended says why a session is over, and whom to ask when the account is shut.
func (h *Handlers) ended(reason models.Reason) components.Message {
	words := endedWords(reason)
	if reason == models.ReasonDisabled && h.brand.SupportEmail != "" {
		words.Text += " Contact " + h.brand.SupportEmail + "."
		words.Email = h.brand.SupportEmail
	}
	return words
}

// cookiesOff recognises a browser that just signed in and brought no cookie
// along: it comes from our own form, with none at all.
func cookiesOff(r *http.Request, publicURL string) bool {
	if len(r.Cookies()) > 0 {
		return false
	}
	from, ours := comesFrom(r, publicURL)
	return ours && (from.Path == "/login" || from.Path == "/signup" || from.Path == "/setup")
}

// comesFrom returns the page of ours that a request says it comes from.
func comesFrom(r *http.Request, publicURL string) (from *url.URL, ours bool) {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Scheme+"://"+from.Host != publicURL {
		return nil, false
	}
	return from, true
}

// login handles POST /login.
func (h *Handlers) login(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	next := safeNext(in.Get("next"))
	form := pages.LoginForm{
		Username: strings.TrimSpace(in.Get("username")), Remember: in.Get("remember") != "", Next: next, App: h.appBehind(next),
	}
	if form.Username == "" {
		form.Errors.Add("username", "Enter your email address or username.")
	}
	if in.Get("password") == "" {
		form.Errors.Add(components.CurrentPassword, "Enter your password.")
	}
	if form.Errors.Any() {
		return h.loginAgain(c, http.StatusUnprocessableEntity, form)
	}
	signedIn, err := h.auth.Login(c.Request().Context(), auth.Login{
		Identifier: form.Username, Password: in.Get("password"), Remember: form.Remember,
		Device: h.cookies.Device(c.Request()), Presented: h.presented(c), Client: middleware.Client(c),
	})
	switch {
	case errors.Is(err, apperr.Unauthorized):
		form.Error = wrongCredentials
		return h.loginAgain(c, http.StatusUnprocessableEntity, form)
	case errors.Is(err, apperr.Disabled):
		return latchkey.Render(c, http.StatusForbidden, pages.LoginDisabled(h.page(c, "You cannot sign in")))
	case errors.Is(err, apperr.TooMany):
		form.Limit = h.tooMany(c, err, "Too many sign-in attempts.")
		return h.loginAgain(c, http.StatusTooManyRequests, form)
	case err != nil:
		return err
	}
	h.signIn(c, signedIn)
	if signedIn.Replayed {
		h.cookies.SetFlash(c.Response().Header(), cookie.Flash{Key: flashReplayed})
	}
	return c.Redirect(http.StatusSeeOther, cmp.Or(form.Next, "/profile"))
}

func (h *Handlers) loginAgain(c echo.Context, status int, form pages.LoginForm) error {
	return latchkey.Render(c, status, pages.Login(h.page(c, "Sign in"), form))
}

// tooMany says when something may be tried again, and sets Retry-After. what is
// said of a failure that has no words of its own.
func (h *Handlers) tooMany(c echo.Context, err error, what string) components.FieldError {
	failure := apperr.Details(err)
	wait := max(failure.RetryAfter, time.Second)
	setRetryAfter(c, wait)
	if failure.Field == "locked" {
		text := auth.SignInPaused + " Your account is safe."
		if h.brand.SupportEmail != "" {
			text += " Ask " + h.brand.SupportEmail + " to open it again."
		}
		return components.FieldError{Text: text, Email: h.brand.SupportEmail}
	}
	safe := ". Your account is safe."
	if failure.Message != "" {
		what, safe = failure.Message, "."
	}
	return components.Timed{
		Before: what + " You can try again in " + roughly(wait) + ", at ", At: h.now().Add(wait), After: safe,
	}.Problem()
}
