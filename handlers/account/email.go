package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/pages"
)

// ShowEmail handles GET /profile/email.
func (h *Handlers) ShowEmail(c echo.Context) error {
	return h.emailPage(c, nil, h.site.Draft(c).Get("email"))
}

// Email handles POST /profile/email.
func (h *Handlers) Email(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	if h.accounts.MailOn() {
		return h.askEmail(c, in)
	}
	signedIn, err := h.accounts.ChangeEmail(c.Request().Context(), h.credentialChange(c, in, "email"))
	if err != nil {
		return h.emailPage(c, err, in.Get("email"))
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, "/profile", site.FlashEmailChanged)
}

// askEmail asks for another address, which counts once it is confirmed.
func (h *Handlers) askEmail(c echo.Context, in site.Form) error {
	change := h.credentialChange(c, in, "email")
	if err := h.accounts.AskEmail(c.Request().Context(), change); err != nil {
		return h.emailPage(c, err, in.Get("email"))
	}
	next := "/profile"
	if h.site.VerifyRequired && !change.Identity.Verified {
		next = site.PathVerify
	}
	return h.site.RedirectWithFlash(c, next, site.FlashEmailAsked, models.TidyName(in.Get("email")))
}

// CancelEmail handles POST /profile/email/cancel.
func (h *Handlers) CancelEmail(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil {
		return err
	}
	cancelled, err := h.accounts.CancelEmail(c.Request().Context(), site.Identity(c), middleware.Client(c))
	if err != nil {
		return err
	}
	if !cancelled { // it was confirmed or cancelled already
		return site.Redirect(c, "/profile/email")
	}
	return h.site.RedirectWithFlash(c, "/profile/email", site.FlashEmailCancelled)
}

// emailPage shows the form; failure is the reason for showing it again, or nil.
func (h *Handlers) emailPage(c echo.Context, failure error, typed string) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	waiting, err := h.accounts.PendingEmail(c.Request().Context(), me)
	if err != nil {
		return err
	}
	form := pages.ChangeEmailForm{Current: me.Email, Email: typed, Asks: h.accounts.MailOn(), Errors: problems}
	if waiting.Change {
		form.Waiting = waiting.Email
	}
	return site.Answer(c, failure, pages.ChangeEmail(h.site.Page(c, "Change email"), form))
}
