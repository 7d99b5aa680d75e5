package signin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/views/pages"
)

// ShowSetup handles GET /setup. Opening the link does not use it.
func (h *Handlers) ShowSetup(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	token := query.Get("token")
	link, err := h.accounts.SetupLink(c.Request().Context(), token)
	if err != nil {
		return err
	}
	if link.State != account.LinkGood {
		return h.deadSetupLink(c, deadLink(), link)
	}
	return h.setupPage(c, nil, pages.SetupForm{Token: token})
}

// Setup handles POST /setup.
func (h *Handlers) Setup(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	token := in.Get("token")
	signedIn, failure := h.accounts.Setup(c.Request().Context(), token, h.newAccount(c, in))
	if errors.Is(failure, apperr.Conflict) {
		link, err := h.accounts.SetupLink(c.Request().Context(), token)
		if err != nil {
			return err
		}
		if link.State != account.LinkGood {
			return h.deadSetupLink(c, failure, link)
		}
	}
	if failure != nil {
		return h.setupPage(c, failure, pages.SetupForm{
			Token: token, Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"),
		})
	}
	return h.welcome(c, signedIn, site.FlashAdminReady, "/admin")
}

// setupPage shows the form; failure is the reason for showing it again, or nil.
func (h *Handlers) setupPage(c echo.Context, failure error, form pages.SetupForm) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	form.Errors, form.PasswordMin = problems, h.accounts.PasswordMin()
	page := h.site.Page(c, "Create the first admin")
	page.NoIndex = true
	return site.Answer(c, failure, pages.Setup(page, form))
}

func (h *Handlers) deadSetupLink(c echo.Context, failure error, link account.Link) error {
	page := h.site.Page(c, "Create the first admin")
	page.NoIndex = true
	return site.Answer(c, failure, pages.SetupDeadLink(page, linkState(link.State)))
}
