package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/pages"
)

// ConfirmRemoveToken handles GET /admin/users/{id}/tokens/{token}/end.
func (h *Handlers) ConfirmRemoveToken(c echo.Context) error {
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	id, err := site.PathID(c, "token")
	if err != nil {
		return err
	}
	token, err := h.accounts.PersonalToken(c.Request().Context(), user.ID, id)
	if err != nil {
		return err
	}
	if !token.EndedAt.IsZero() {
		return h.site.RedirectWithFlash(c, userPath(user.ID), site.FlashTokenAlreadyEnded)
	}
	row := h.site.TokenRow(token, user.Role == models.RoleAdmin, userPath(user.ID)+"/tokens/")
	return site.Show(c, pages.Confirm(h.actPage(c, "Remove a token of", user), pages.RemoveUserToken(target(user), row)))
}

// RemoveToken handles POST /admin/users/{id}/tokens/{token}/end.
func (h *Handlers) RemoveToken(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	tokenID, err := site.PathID(c, "token")
	if err != nil {
		return err
	}
	user, token, err := h.accounts.RemoveUserToken(c.Request().Context(), h.actor(c), id, tokenID)
	if errors.Is(err, apperr.NotFound) { // already removed, or there never was one
		if _, err := h.accounts.PersonalToken(c.Request().Context(), id, tokenID); err != nil {
			return err
		}
		return h.site.RedirectWithFlash(c, userPath(id), site.FlashTokenAlreadyEnded)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserTokenRemoved, token.Name, user.Name())
}
