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
	if errors.Is(err, apperr.NotFound) {
		return h.endedAlready(c, id, sessionID, err)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserSessionEnded, callName(user), site.SessionName(session))
}

// endedAlready responds to an admin who ends a session that is not live: with a
// message if it was one of this account, else with missing.
func (h *Handlers) endedAlready(c echo.Context, userID, sessionID string, missing error) error {
	session, err := h.store.Sessions.ByID(c.Request().Context(), sessionID)
	if errors.Is(err, apperr.NotFound) || err == nil && session.UserID != userID {
		return missing
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(userID), site.FlashSessionAlreadyEnded)
}
