package admin

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// The purposes of the reset link on the page of ShowLink.
const (
	linkNewUser = "new-user"
	linkReset   = "reset-link"
)

func linkPath(userID string) string { return userPath(userID) + "/link" }

// ShowLink handles GET /admin/users/{id}/link: the page with a new reset link.
func (h *Handlers) ShowLink(c echo.Context) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	purpose, token := h.site.TakeOnce(c, linkPath(user.ID))
	if token == "" {
		return h.site.RedirectWithFlash(c, userPath(user.ID), site.FlashLinkShown)
	}
	page := h.site.OncePage(c, layouts.SectionUsers, "Reset link")
	return site.Show(c, pages.AdminLink(page, pages.AdminLinkView{
		User: target(user), Link: h.site.PublicURL + "/reset?token=" + token, NewAccount: purpose == linkNewUser,
	}))
}
