package signin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/pages"
)

const forgotTitle = "Forgot your password?"

// ShowForgot handles GET /forgot. It ignores a query that cannot be read, because
// this page must always open.
func (h *Handlers) ShowForgot(c echo.Context) error {
	form := pages.ForgotForm{Next: site.SafeNext(c.QueryParam("next"))}
	if email := models.TidyName(c.QueryParam("email")); len(email) <= maxPrefill {
		form.Email = email
	}
	return h.forgotPage(c, nil, form)
}

// maxPrefill is the longest address that a link fills in, in bytes.
const maxPrefill = 254

// Forgot handles POST /forgot. The response is the same for every address.
func (h *Handlers) Forgot(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	form := pages.ForgotForm{Email: in.Get("email"), Next: site.SafeNext(in.Get("next"))}
	if !h.accounts.MailOn() {
		return h.forgotPage(c, apperr.New(apperr.Forbidden, "", errors.New("the portal sends no mail")), form)
	}
	email, err := h.accounts.Forgot(c.Request().Context(), account.Forgot{Email: form.Email, Next: form.Next, Client: middleware.Client(c)})
	if err != nil {
		return h.forgotPage(c, err, form)
	}
	return h.site.RedirectWithFlash(c, site.WithNext("/forgot/sent", form.Next), site.FlashLinkAsked, email)
}

// forgotPage shows the form, or whom to ask when the portal sends no mail; failure
// is the reason for showing it again, or nil.
func (h *Handlers) forgotPage(c echo.Context, failure error, form pages.ForgotForm) error {
	page := h.site.Page(c, forgotTitle)
	if !h.accounts.MailOn() {
		return site.Answer(c, failure, pages.ForgotNoMail(page, form.Next))
	}
	var err error
	if form.Errors, err = h.site.Problems(failure, site.TooManyAttempts); err != nil {
		return err
	}
	return site.Answer(c, failure, pages.Forgot(page, form))
}

// ForgotSent handles GET /forgot/sent. The message of the redirect says for which
// address; when the page is loaded again, the words are general.
func (h *Handlers) ForgotSent(c echo.Context) error {
	if !h.accounts.MailOn() {
		return site.Redirect(c, "/forgot")
	}
	view := pages.ForgotSentView{From: h.accounts.MailFrom(), Next: site.SafeNext(c.QueryParam("next"))}
	if asked := h.site.PeekFlash(c, site.FlashLinkAsked); len(asked) > 0 {
		view.Email = asked[0]
	}
	return site.Show(c, pages.ForgotSent(h.site.Page(c, "Check your email"), view))
}
