package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ShowPassword handles GET /profile/password.
func (h *Handlers) ShowPassword(c echo.Context) error { return h.passwordPage(c, nil) }

// Password handles POST /profile/password.
func (h *Handlers) Password(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	signedIn, err := h.accounts.ChangePassword(c.Request().Context(), h.credentialChange(c, in, "new_password"))
	if err != nil {
		return h.passwordPage(c, err)
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, "/profile", site.FlashPasswordChanged)
}

// passwordPage shows the form; failure is why again, nil for a first view.
func (h *Handlers) passwordPage(c echo.Context, failure error) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.ChangePassword(h.site.Section(c, layouts.SectionAccount, "Change password"), pages.ChangePasswordForm{
		Username: site.Identity(c).Username, PasswordMin: h.accounts.PasswordMin(), Errors: problems,
	}))
}
