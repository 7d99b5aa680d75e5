package signin

import (
	"cmp"
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/views/pages"
)

// ShowSignup handles GET /signup.
func (h *Handlers) ShowSignup(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	if query.Has("invite") {
		return h.showInvited(c, query.Get("invite"))
	}
	next := site.SafeNext(query.Get("next"))
	if site.Identity(c) != nil {
		return site.Redirect(c, cmp.Or(next, homePath))
	}
	if !h.accounts.SignupOpen() {
		return h.signupClosed(c, next)
	}
	return h.signupPage(c, nil, pages.SignupForm{Next: next})
}

// Signup handles POST /signup.
func (h *Handlers) Signup(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	if in.Has("invite") {
		return h.signupInvited(c, in)
	}
	next := site.SafeNext(in.Get("next"))
	if !h.accounts.SignupOpen() {
		return h.signupClosed(c, next)
	}
	if h.accounts.Verifies() {
		return h.beginSignup(c, in, next)
	}
	signedIn, err := h.accounts.SignUp(c.Request().Context(), h.newAccount(c, in))
	if err != nil {
		return h.signupPage(c, err, pages.SignupForm{
			Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"), Next: next,
		})
	}
	return h.welcome(c, signedIn, site.FlashAccountReady, cmp.Or(next, homePath))
}

// signupPage shows the form; failure is the reason for showing it again, or nil.
func (h *Handlers) signupPage(c echo.Context, failure error, form pages.SignupForm) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	form.Errors, form.PasswordMin = problems, h.accounts.PasswordMin()
	return site.Answer(c, failure, pages.Signup(h.site.Page(c, "Create account"), form))
}

func (h *Handlers) signupClosed(c echo.Context, next string) error {
	title := "Sign-up is closed"
	if h.accounts.SignupInvite() {
		title = "You need an invitation"
	}
	return site.Answer(c, apperr.New(apperr.Forbidden, "", errors.New("sign-up is closed")),
		pages.SignupClosed(h.site.Page(c, title), next))
}
