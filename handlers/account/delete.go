package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// ConfirmDelete handles GET /profile/delete.
func (h *Handlers) ConfirmDelete(c echo.Context) error {
	return h.deletePage(c, nil, h.site.Draft(c).Get("confirm"))
}

// Delete handles POST /profile/delete.
func (h *Handlers) Delete(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	err = h.accounts.DeleteOwn(c.Request().Context(), account.Departure{
		Identity: site.Identity(c), Confirm: in.Get("confirm"), Current: in.Get(site.CurrentPassword), Confirmed: site.ByConfirmation(in),
		Device: h.site.Cookies.Device(c.Request()), Client: middleware.Client(c),
	})
	if err != nil {
		return h.deletePage(c, err, in.Get("confirm"))
	}
	h.site.Cookies.ClearTokens(c.Response().Header())
	c.Response().Header().Set("Clear-Site-Data", `"storage"`)
	return h.site.RedirectWithFlash(c, "/login", site.FlashAccountDeleted)
}

// deletePage shows the question; failure is the reason for showing it again, or
// nil.
func (h *Handlers) deletePage(c echo.Context, failure error, typed string) error {
	problems, err := h.site.Problems(failure, site.TooManyWrong)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	last, err := h.accounts.IsLastAdmin(c.Request().Context(), me)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.DeleteAccount(h.site.Page(c, "Delete your account"), pages.DeleteAccountView{
		Username: me.Username, Email: me.Email, Typed: typed, MailOn: h.accounts.MailOn(), Last: last, Errors: problems,
	}))
}
