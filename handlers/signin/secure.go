package signin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// ShowSecure handles GET /secure, the link of "This wasn't me". Opening it changes
// nothing.
func (h *Handlers) ShowSecure(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	return h.securePage(c, nil, query.Get("token"))
}

// Secure handles POST /secure.
func (h *Handlers) Secure(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	token := in.Get("token")
	if err := h.accounts.SecureByLink(c.Request().Context(), token, middleware.Client(c)); err != nil {
		return h.securePage(c, err, token)
	}
	return h.site.RedirectWithFlash(c, "/login", site.FlashSecured)
}

// securePage shows what the button does, or why the link does not work; failure is
// the reason for showing it again, or nil.
func (h *Handlers) securePage(c echo.Context, failure error, token string) error {
	link, err := h.accounts.SecureLink(c.Request().Context(), token)
	if err != nil {
		return err
	}
	page := h.site.Page(c, "Secure your account")
	page.NoIndex = true
	if link.State != account.LinkGood {
		if failure == nil || !errors.Is(failure, apperr.Conflict) {
			failure = deadLink()
		}
		return site.Answer(c, failure, pages.SecureDeadLink(page, linkState(link.State), link.Email))
	}
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.Secure(page, pages.SecureView{
		Token: token, Name: link.Username, Email: link.Email, Undoes: link.Undoes, Errors: problems,
	}))
}
