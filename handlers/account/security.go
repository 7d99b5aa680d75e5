package account

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/device"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// Security handles GET /profile/security.
func (h *Handlers) Security(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	protection, err := h.accounts.Protection(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	view := pages.SecurityView{
		Next: site.SafeNext(query.Get("next")), Required: h.auth.LacksStep(me),
		PasswordChanged: protection.PasswordChanged, AppSince: protection.AppSince, Recovery: recoveryView(protection.Recovery),
	}
	if view.UsePasskey, err = h.auth.MustUsePasskey(c.Request().Context(), me); err != nil {
		return err
	}
	if view.Devices, err = h.rememberedDevices(c); err != nil {
		return err
	}
	passkeys, err := h.passkeys(c, view.Next)
	if err != nil {
		return err
	}
	view.Passkeys = pages.Passkeys(passkeys)
	return site.Show(c, pages.Security(h.site.Page(c, "Security"), view))
}

func recoveryView(r account.Recovery) pages.Recovery {
	return pages.Recovery{Left: r.Left, Total: r.Total, LastUsed: r.LastUsed}
}

// rememberedDevices returns the devices that skip the second step.
func (h *Handlers) rememberedDevices(c echo.Context) ([]pages.RememberedDevice, error) {
	list, err := h.auth.RememberedDevices(c.Request().Context(), site.Identity(c).UserID, h.site.Cookies.Device(c.Request()))
	if err != nil {
		return nil, err
	}
	var rows []pages.RememberedDevice
	for _, d := range list {
		rows = append(rows, pages.RememberedDevice{
			ID: d.ID, Device: device.Name(d.UserAgent), Phone: device.IsPhone(d.UserAgent), Until: d.TrustedUntil, Current: d.ThisDevice,
		})
	}
	return rows, nil
}

// DistrustDevice handles POST /profile/security/devices/{id}/forget: the device asks for
// the second step again.
func (h *Handlers) DistrustDevice(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	info, err := h.auth.DistrustDevice(c.Request().Context(), site.Identity(c), id, middleware.Client(c))
	if errors.Is(err, apperr.NotFound) {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashDeviceNotTrusted)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashDeviceDistrusted, device.Name(info.UserAgent))
}
