package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
)

// EndSession handles POST /admin/users/{id}/sessions/{session}/end.
func (h *Handlers) EndSession(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	sessionID, err := site.PathID(c, "session")
	if err != nil {
		return err
	}
	user, session, err := h.accounts.EndUserSession(c.Request().Context(), h.actor(c), id, sessionID)
	if errors.Is(err, apperr.NotFound) { // already ended, or there never was one
		if _, err := h.auth.Session(c.Request().Context(), id, sessionID); err != nil {
			return err
		}
		return h.site.RedirectWithFlash(c, userPath(id), site.FlashSessionAlreadyEnded)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserSessionEnded, user.Name(), site.SessionName(session))
}
