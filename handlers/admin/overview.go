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
	view.Attention = proxyProblems(c)
	view.NextSteps = h.nextSteps(admins)
	return site.Show(c, pages.AdminOverview(h.site.Section(c, layouts.SectionOverview, "Overview"), view))
}

// nextSteps returns the parts of the setup that are not done yet.
func (h *Handlers) nextSteps(admins int64) []pages.AttentionItem {
	var steps []pages.AttentionItem
	if admins == 1 {
		steps = append(steps, pages.AttentionItem{
			Text: "There is only one active admin. If they lose access, only someone with access to the server can help.",
			Link: components.Link{Label: "Choose a second admin", URL: "/admin/users"},
		})
	}
	if middleware.IsLoopback(h.site.PublicURL) {
		steps = append(steps, pages.AttentionItem{
			Text: "Only this computer can open the portal, because its address is " + h.site.PublicURL + ". " +
				"Set LATCHKEY_PUBLIC_URL to the address that people will use.",
		})
	}
	if h.site.Brand.SupportEmail == "" {
		steps = append(steps, pages.AttentionItem{
			Text: "People who need help do not see whom to ask. Set LATCHKEY_SUPPORT_EMAIL to an address.",
		})
	}
	return steps
}

// proxyProblems returns the problems with the client addresses that a reverse
// proxy sends.
func proxyProblems(c echo.Context) []pages.AttentionItem {
	switch {
	case middleware.AddressHidden(c):
		return []pages.AttentionItem{{
			Text: "The proxy in front of the portal does not send client addresses, so all visitors share one limit. " +
				"Make it send X-Forwarded-For.",
		}}
	case !middleware.Of(c).Proxied && c.Request().Header.Get(echo.HeaderXForwardedFor) != "":
		return []pages.AttentionItem{{
			Text: "The proxy in front of the portal is not trusted, so every address shown is the proxy's and all visitors share one limit. " +
				"Set LATCHKEY_TRUSTED_PROXIES to its address.",
		}}
	}
	return nil
}

// chartDays is how many days the chart shows, today included.
const chartDays = 14

// signInsPerDay counts the sign-ins of each day for the chart, today last.
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

// auditSince returns the audit log's URL for an event, or a preset of events,
// from a day on.
func auditSince(day time.Time, action string) string {
	return auditFilter{action: action, from: day.Format(dayFormat)}.url("/admin/audit")
}
