package admin

import (
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/audit"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Overview handles GET /admin.
func (h *Handlers) Overview(c echo.Context) error {
	ctx, today := c.Request().Context(), h.site.Now().UTC().Truncate(24*time.Hour)
	figures, err := h.store.Users.Figures(ctx)
	if err != nil {
		return err
	}
	failed, err := h.store.Audit.CountSince(ctx, audit.LoginFailed, today)
	if err != nil {
		return err
	}
	admins, err := h.store.Users.CountActiveAdmins(ctx)
	if err != nil {
		return err
	}
	days, err := h.signInsPerDay(c, today)
	if err != nil {
		return err
	}
	view := pages.AdminOverviewView{
		Users:         pages.Figure{Count: int(figures.Total), URL: "/admin/users"},
		SignInsToday:  pages.Figure{Count: days[len(days)-1].Count, URL: auditSince(today, audit.SignInEvents)},
		Disabled:      pages.Figure{Count: int(figures.Disabled), URL: "/admin/users?status=disabled"},
		FailedSignIns: pages.Figure{Count: int(failed), URL: auditSince(today, audit.LoginFailed)},
		SignIns:       days,
	}
	if admins == 1 {
		view.Attention = append(view.Attention, pages.AttentionItem{
			Text: "There is only one active admin. If they lose access, only somebody with access to the server can help.",
			Link: components.Link{Label: "Choose a second one", URL: "/admin/users"},
		})
	}
	switch {
	case middleware.AddressHidden(c):
		view.Attention = append(view.Attention, pages.AttentionItem{
			Text: "The proxy in front does not say whose requests it passes on: addresses are not known, and limits count everybody as one. " +
				"Make it send X-Forwarded-For.",
		})
	case !middleware.Of(c).Proxied && c.Request().Header.Get(echo.HeaderXForwardedFor) != "":
		view.Attention = append(view.Attention, pages.AttentionItem{
			Text: "A proxy in front is not trusted: every address that is shown is the proxy's, and limits count everybody as one. " +
				"Set LATCHKEY_TRUSTED_PROXIES to its address.",
		})
	}
	return site.Show(c, pages.AdminOverview(h.site.Section(c, layouts.SectionOverview, "Overview"), view))
}

// chartDays is how many days the chart shows, today included.
const chartDays = 14

// signInsPerDay counts for the chart, today last. Quiet days are there too:
// whoever looks signed in some day, so "never" is not what they say.
func (h *Handlers) signInsPerDay(c echo.Context, today time.Time) ([]pages.DayCount, error) {
	first := today.AddDate(0, 0, 1-chartDays)
	counts, err := h.store.Audit.PerDay(c.Request().Context(), first, chartDays, audit.Chosen(audit.SignInEvents)...)
	if err != nil {
		return nil, err
	}
	var days []pages.DayCount
	for i, n := range counts {
		days = append(days, pages.DayCount{Day: first.AddDate(0, 0, i), Count: int(n)})
	}
	return days, nil
}

// auditSince is the audit log from a day on, of one action or group of them.
func auditSince(day time.Time, action string) string {
	return auditFilter{action: action, from: day.Format(dayFormat)}.url("/admin/audit")
}
