package admin

import (
	"net"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Settings handles GET /admin/settings.
func (h *Handlers) Settings(c echo.Context) error {
	return site.Show(c, pages.AdminSettings(h.site.Section(c, layouts.SectionSettings, "Settings"), pages.AdminSettingsView{
		Groups:   append([]pages.SettingsGroup{h.thisRequest(c)}, h.settings...),
		Problems: proxyProblems(c),
	}))
}

// thisRequest describes how the request for the page arrived: which address the
// portal takes for the admin's, and why.
func (h *Handlers) thisRequest(c echo.Context) pages.SettingsGroup {
	peer, _, err := net.SplitHostPort(c.Request().RemoteAddr)
	if err != nil {
		peer = c.Request().RemoteAddr
	}
	from := peer + ", not a trusted proxy"
	if middleware.Of(c).Proxied {
		from = peer + ", a trusted proxy"
	}
	address := "Not known"
	if ip := middleware.Client(c).IP; ip.IsValid() {
		address = ip.String()
	}
	forwarded := "Not sent"
	if list := c.Request().Header.Values(echo.HeaderXForwardedFor); len(list) > 0 {
		forwarded = strings.Join(list, ", ")
	}
	return pages.SettingsGroup{Title: "This request", Settings: []pages.Setting{
		{Label: "Your address", Value: address},
		{Label: "Arrived from", Value: from},
		{Label: "X-Forwarded-For", Value: forwarded},
		{Label: "The server’s clock", Value: h.site.Now().UTC().Format("2 Jan 2006, 15:04:05 UTC")},
	}}
}
