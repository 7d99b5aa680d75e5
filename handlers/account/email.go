package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/views/pages"
)

// ShowEmail handles GET /profile/email.
func (h *Handlers) ShowEmail(c echo.Context) error { return h.emailPage(c, nil, "") }

// Email handles POST /profile/email.
func (h *Handlers) Email(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	signedIn, err := h.accounts.ChangeEmail(c.Request().Context(), h.credentialChange(c, in, "email"))
	if err != nil {
		return h.emailPage(c, err, in.Get("email"))
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, "/profile", site.FlashEmailChanged)
}

// emailPage shows the form; failure is the reason for showing it again, or nil.
func (h *Handlers) emailPage(c echo.Context, failure error, typed string) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.ChangeEmail(h.site.Page(c, "Change email"), pages.ChangeEmailForm{
		Current: site.Identity(c).Email, Email: typed, Errors: problems,
	}))
}
