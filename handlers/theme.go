package handlers

import (
	"cmp"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/views/layouts"
)

// theme handles POST /theme: the switch in the footer of every page.
func (h *Handlers) theme(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	switch choice := in.Get("theme"); choice {
	case string(layouts.ThemeLight), string(layouts.ThemeDark), "system":
		h.site.Cookies.SetTheme(c.Response().Header(), choice)
	default:
		return apperr.New(apperr.Malformed, "Choose light, dark or system.", nil)
	}
	return site.Redirect(c, cmp.Or(site.SafePage(in.Get("next")), "/"))
}
