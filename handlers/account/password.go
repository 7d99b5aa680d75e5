package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/views/pages"
)

// ShowPassword handles GET /profile/password.
func (h *Handlers) ShowPassword(c echo.Context) error { return h.passwordPage(c, nil, false) }

// Password handles POST /profile/password.
func (h *Handlers) Password(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	change := h.credentialChange(c, in, "new_password")
	change.RemoveTokens = in.Get(pages.RemoveTokensField) != ""
	signedIn, err := h.accounts.ChangePassword(c.Request().Context(), change)
	if err != nil {
		return h.passwordPage(c, err, change.RemoveTokens)
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, "/profile", site.FlashPasswordChanged)
}

// passwordPage shows the form; failure is the reason for showing it again, or nil.
// removeTokens is whether the box to remove access tokens is ticked.
func (h *Handlers) passwordPage(c echo.Context, failure error, removeTokens bool) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	tokens, err := h.accounts.CountTokens(c.Request().Context(), site.Identity(c).UserID)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.ChangePassword(h.site.Page(c, "Change password"), pages.ChangePasswordForm{
		Username: site.Identity(c).Username, PasswordMin: h.accounts.PasswordMin(), Errors: problems,
		Tokens: pages.RemoveTokens{Count: tokens, Ticked: removeTokens},
	}))
}
