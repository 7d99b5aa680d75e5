package account

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/device"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// Sessions handles GET /profile/sessions.
func (h *Handlers) Sessions(c echo.Context) error {
	me := site.Identity(c)
	live, err := h.auth.Sessions(c.Request().Context(), me.UserID, me.SessionID)
	if err != nil {
		return err
	}
	ended, err := h.auth.EndedSessions(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	var view pages.SessionsView
	for _, session := range live {
		row := h.site.SessionRow(session, me.Admin)
		if session.ThisDevice {
			view.Current = row
			continue
		}
		view.Others = append(view.Others, row)
	}
	for _, session := range ended {
		view.Ended = append(view.Ended, pages.EndedSession{
			Device: site.SessionName(session), When: session.EndedAt, Reason: audit.EndingOf(session.EndReason).List,
		})
	}
	devices, err := h.auth.Devices(c.Request().Context(), me.UserID, h.site.Cookies.Device(c.Request()))
	if err != nil {
		return err
	}
	for _, d := range devices {
		view.Devices = append(view.Devices, pages.DeviceRow{
			ID: d.ID, Device: device.Name(d.UserAgent), LastUsed: d.LastUsed, Current: d.ThisDevice,
		})
	}
	return site.Show(c, pages.Sessions(h.site.Page(c, "Devices"), view))
}

// ForgetDevice handles POST /profile/devices/{id}/forget.
func (h *Handlers) ForgetDevice(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	forgotten, err := h.auth.ForgetDevice(c.Request().Context(), site.Identity(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) {
		return h.site.RedirectWithFlash(c, "/profile/sessions", site.FlashDeviceAlreadyGone)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, "/profile/sessions", site.FlashDeviceForgotten, device.Name(forgotten.UserAgent))
}

// EndSession handles POST /profile/sessions/{id}/end.
func (h *Handlers) EndSession(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	if id == site.Identity(c).SessionID {
		return h.signOut(c)
	}
	info, err := h.auth.EndSession(c.Request().Context(), site.Identity(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) { // already ended, or there never was one
		if _, err := h.auth.Session(c.Request().Context(), site.Identity(c).UserID, id); err != nil {
			return err
		}
		return h.site.RedirectWithFlash(c, "/profile/sessions", site.FlashSessionAlreadyEnded)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, "/profile/sessions", site.FlashSessionEnded, site.SessionName(info))
}

// ConfirmEndOthers handles GET /profile/sessions/end-others.
func (h *Handlers) ConfirmEndOthers(c echo.Context) error {
	live, err := h.auth.Sessions(c.Request().Context(), site.Identity(c).UserID, site.Identity(c).SessionID)
	if err != nil {
		return err
	}
	if len(live) <= 1 {
		return site.Redirect(c, "/profile/sessions")
	}
	page := h.site.Page(c, "Sign out everywhere else")
	return site.Show(c, pages.Confirm(page, pages.EndOthers(len(live)-1)))
}

// EndOthers handles POST /profile/sessions/end-others.
func (h *Handlers) EndOthers(c echo.Context) error {
	ended, err := h.auth.EndOtherSessions(c.Request().Context(), site.Identity(c), middleware.Client(c))
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, "/profile/sessions", site.FlashOthersEnded, site.Count(ended, "other device"))
}
