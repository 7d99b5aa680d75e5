package handlers

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// showSignup handles GET /signup.
func (h *Handlers) showSignup(c echo.Context) error {
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	next := safeNext(query.Get("next"))
	if who(c) != nil {
		return c.Redirect(http.StatusSeeOther, cmp.Or(next, "/profile"))
	}
	if !h.auth.SignupOpen() {
		return h.signupClosed(c, next)
	}
	form := pages.SignupForm{Next: next, PasswordMin: h.auth.PasswordMin()}
	return latchkey.Render(c, http.StatusOK, pages.Signup(h.page(c, "Create account"), form))
}

func (h *Handlers) signupClosed(c echo.Context, next string) error {
	return latchkey.Render(c, http.StatusForbidden, pages.SignupClosed(h.page(c, "Sign-up is closed"), next))
}

// signup handles POST /signup.
func (h *Handlers) signup(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	next := safeNext(in.Get("next"))
	if !h.auth.SignupOpen() {
		return h.signupClosed(c, next)
	}
	form := pages.SignupForm{
		Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"), Next: next,
		PasswordMin: h.auth.PasswordMin(),
	}
	signedIn, err := h.auth.SignUp(c.Request().Context(), h.newcomer(c, in))
	status, wrong, err := h.refused(c, err, tooManyAttempts)
	if err != nil {
		return err
	}
	if form.Errors = wrong; wrong.Any() {
		return latchkey.Render(c, status, pages.Signup(h.page(c, "Create account"), form))
	}
	return h.welcome(c, signedIn, flashWelcome, cmp.Or(form.Next, "/profile"))
}

// newcomer reads the fields that make an account.
func (h *Handlers) newcomer(c echo.Context, in form) auth.Signup {
	return auth.Signup{
		Account:  auth.Account{Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name")},
		Password: in.Get("password"),
		Device:   h.cookies.Device(c.Request()), Presented: h.presented(c), Client: middleware.Client(c),
	}
}

// welcome signs a new person in and leads them on.
func (h *Handlers) welcome(c echo.Context, signedIn *auth.SignedIn, key, path string) error {
	h.signIn(c, signedIn)
	h.cookies.SetFlash(c.Response().Header(), cookie.Flash{Key: key})
	return c.Redirect(http.StatusSeeOther, path)
}

// showSetup handles GET /setup: opening the link uses nothing up.
func (h *Handlers) showSetup(c echo.Context) error {
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	token := query.Get("token")
	link, err := h.auth.SetupLink(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return h.setupPage(c, http.StatusOK, link, pages.SetupForm{Token: token, PasswordMin: h.auth.PasswordMin()})
}

// setup handles POST /setup.
func (h *Handlers) setup(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	form := pages.SetupForm{
		Token: in.Get("token"), Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"),
		PasswordMin: h.auth.PasswordMin(),
	}
	signedIn, err := h.auth.Setup(c.Request().Context(), form.Token, h.newcomer(c, in))
	if errors.Is(err, apperr.Conflict) {
		link, err := h.auth.SetupLink(c.Request().Context(), form.Token)
		if err != nil {
			return err
		}
		return h.setupPage(c, http.StatusConflict, link, form)
	}
	status, wrong, err := h.refused(c, err, tooManyAttempts)
	if err != nil {
		return err
	}
	if form.Errors = wrong; wrong.Any() {
		return h.setupPage(c, status, auth.Link{}, form)
	}
	return h.welcome(c, signedIn, flashSetup, "/profile")
}

func (h *Handlers) setupPage(c echo.Context, status int, link auth.Link, form pages.SetupForm) error {
	page := h.page(c, "Create the first admin")
	page.NoIndex = true
	if link.State != auth.LinkGood {
		return latchkey.Render(c, deadStatus(status), pages.SetupDeadLink(page, linkState(link.State)))
	}
	return latchkey.Render(c, status, pages.Setup(page, form))
}

// forgot handles GET /forgot. It is a page for people in trouble: a way back
// that cannot be read is none.
func (h *Handlers) forgot(c echo.Context) error {
	next := safeNext(c.QueryParam("next"))
	return latchkey.Render(c, http.StatusOK, pages.Forgot(h.page(c, "Forgot your password?"), next))
}

// showReset handles GET /reset: opening the link uses nothing up.
func (h *Handlers) showReset(c echo.Context) error {
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	return h.resetPage(c, http.StatusOK, query.Get("token"), nil)
}

// reset handles POST /reset.
func (h *Handlers) reset(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	token := in.Get("token")
	err = h.auth.ResetPassword(c.Request().Context(), token, in.Get("password"), middleware.Client(c))
	if errors.Is(err, apperr.Conflict) {
		return h.resetPage(c, http.StatusConflict, token, nil)
	}
	status, wrong, err := h.refused(c, err, tooManyAttempts)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return h.resetPage(c, status, token, wrong)
	}
	return h.see(c, "/login", flashReset)
}

func (h *Handlers) resetPage(c echo.Context, status int, token string, wrong components.Errors) error {
	link, err := h.auth.SetPasswordLink(c.Request().Context(), token)
	if err != nil {
		return err
	}
	page := h.page(c, "Choose a new password")
	page.NoIndex = true
	if link.State != auth.LinkGood {
		return latchkey.Render(c, deadStatus(status), pages.ResetDeadLink(page, linkState(link.State), link.Replaced))
	}
	return latchkey.Render(c, status, pages.Reset(page, pages.ResetForm{
		Token: token, Username: link.Username, PasswordMin: h.auth.PasswordMin(), Errors: wrong,
	}))
}

// deadStatus answers a link that does not work: it is gone, whichever way it
// was opened.
func deadStatus(status int) int {
	if status == http.StatusOK {
		return http.StatusGone
	}
	return status
}

func linkState(state auth.LinkState) pages.LinkState {
	switch state {
	case auth.LinkExpired:
		return pages.LinkExpired
	case auth.LinkUsed:
		return pages.LinkUsed
	case auth.LinkReplaced:
		return pages.LinkReplaced
	case auth.LinkDisabled:
		return pages.LinkDisabled
	case auth.LinkEnded:
		return pages.LinkEnded
	}
	return pages.LinkBroken
}
