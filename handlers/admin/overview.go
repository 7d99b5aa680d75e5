package admin

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/audit"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const (
	// chartDays is the number of days in the chart, including today.
	chartDays = 30
	// lineDays is the number of days in the line under a figure.
	lineDays = 14
	// week is the number of days that a figure's note covers.
	week = 7
)

// Overview handles GET /admin.
func (h *Handlers) Overview(c echo.Context) error {
	ctx, today := c.Request().Context(), h.site.Now().UTC().Truncate(24*time.Hour)
	admins, err := h.store.Users.CountActiveAdmins(ctx)
	if err != nil {
		return err
	}
	events, err := h.eventsPerDay(c, today)
	if err != nil {
		return err
	}
	view := pages.AdminOverviewView{SignIns: events.signIns(today), NextSteps: h.nextSteps(admins)}
	if view.Figures, err = h.figures(c, today, events); err != nil {
		return err
	}
	if view.Figures[0].Count == 1 {
		view.NextSteps = append(view.NextSteps, pages.AttentionItem{
			Text: "You are the only user so far.", Link: components.Link{Label: "Invite someone", URL: invitationsPath + "/new"},
		})
	}
	trouble, err := h.mailTrouble(c, components.Link{Label: "See the messages", URL: mailPath})
	if err != nil {
		return err
	}
	view.Attention = slices.Concat(trouble, h.backupProblems(), proxyProblems(c), events.copies(today), events.secured(today))
	return site.Show(c, pages.AdminOverview(h.site.Section(c, layouts.SectionOverview, "Overview"), view))
}

// figures returns the four numbers of the overview.
func (h *Handlers) figures(c echo.Context, today time.Time, events perDay) ([]pages.Figure, error) {
	users, err := h.store.Users.Figures(c.Request().Context())
	if err != nil {
		return nil, err
	}
	invited, err := h.store.Users.CountInvited(c.Request().Context())
	if err != nil {
		return nil, err
	}
	newcomers, signIns, failures := events.of(newAccounts...), events.of(audit.Chosen(audit.SignInEvents)...), events.of(audit.LoginFailed)
	note := recently(newcomers, "new")
	if invited > 0 {
		note += ", " + strconv.FormatInt(invited, 10) + " invited"
	}
	return []pages.Figure{
		{
			Label: "Users", Count: int(users.Total), URL: "/admin/users", Note: note,
			Days: totals(int(users.Total), events.of(slices.Concat(newAccounts, []string{audit.UserRestore})...), events.of(audit.UserDelete, audit.AccountDelete)),
		},
		{
			Label: "Signed in today", Count: signIns[chartDays-1], URL: auditSince(today, audit.SignInEvents),
			Note: weekAgo(today, signIns), Days: signIns[chartDays-lineDays:],
		},
		{
			Label: "Two-step sign-in", Count: percent(users.Apps, users.Total), Unit: "%", URL: "/admin/users?second_step=app",
			Note: stepNote(users), Days: totals(int(users.Apps), events.of(audit.AppOn), events.of(audit.AppOff, audit.UserResetStep)),
		},
		{
			Label: "Failed today", Count: failures[chartDays-1], URL: auditSince(today, audit.LoginFailed),
			Note: weekAgo(today, failures), Days: failures[chartDays-lineDays:], Bad: true,
		},
	}, nil
}

// percent returns a part of a whole in per cent, rounded down: only all are 100.
func percent(part, whole int64) int {
	if whole == 0 {
		return 0
	}
	return int(part * 100 / whole)
}

// stepNote states how many people have a second step.
func stepNote(users models.UserFigures) string {
	note := strconv.FormatInt(users.Apps, 10) + " of " + site.Count(int(users.Total), "user")
	if users.Passkeys > 0 {
		note += ", " + strconv.FormatInt(users.Passkeys, 10) + " with passkeys"
	}
	return note
}

// newAccounts are the events that create an account.
var newAccounts = []string{audit.SignUp, audit.Setup, audit.UserCreate}

// perDay counts each event for each of the last chartDays days, today last.
type perDay map[string][]int64

func (h *Handlers) eventsPerDay(c echo.Context, today time.Time) (perDay, error) {
	events := slices.Concat(newAccounts, audit.Chosen(audit.SignInEvents),
		[]string{audit.LoginFailed, audit.UserDelete, audit.AccountDelete, audit.UserRestore, audit.AppOn, audit.AppOff, audit.UserResetStep, audit.Replay, audit.Secured})
	return h.store.Audit.PerDay(c.Request().Context(), today.AddDate(0, 0, 1-chartDays), chartDays, events...)
}

// of returns the sum of the counts of several events, for each day.
func (p perDay) of(events ...string) []int {
	days := make([]int, chartDays)
	for _, event := range events {
		for i, n := range p[event] {
			days[i] += int(n)
		}
	}
	return days
}

// signIns returns the days of the chart.
func (p perDay) signIns(today time.Time) []pages.SignInDay {
	days := make([]pages.SignInDay, chartDays)
	failed := p.of(audit.LoginFailed)
	for i, n := range p.of(audit.Chosen(audit.SignInEvents)...) {
		days[i] = pages.SignInDay{Day: today.AddDate(0, 0, i+1-chartDays), SignedIn: n, Failed: failed[i]}
	}
	return days
}

// copies returns a warning when copies of sessions were used in the last week.
func (p perDay) copies(today time.Time) []pages.AttentionItem {
	return p.lastWeek(today, audit.Replay,
		"A copy of a session was used in the last 7 days. The session was ended at once.",
		"Copies of %d sessions were used in the last 7 days. The sessions were ended at once.")
}

// secured returns a warning when people said in the last week that something on their
// account was not done by them.
func (p perDay) secured(today time.Time) []pages.AttentionItem {
	return p.lastWeek(today, audit.Secured,
		"In the last 7 days, one account was secured because someone else may have used it.",
		"In the last 7 days, accounts were secured %d times because someone else may have used them.")
}

// lastWeek returns a warning when an event happened in the last week: once, or as
// often as several says.
func (p perDay) lastWeek(today time.Time, event, once, several string) []pages.AttentionItem {
	n := sum(p.of(event)[chartDays-week:])
	if n == 0 {
		return nil
	}
	text := once
	if n > 1 {
		text = fmt.Sprintf(several, n)
	}
	return []pages.AttentionItem{{
		Text: text, Link: components.Link{Label: "See whose", URL: auditSince(today.AddDate(0, 0, 1-week), event)},
	}}
}

// totals returns a total at the end of each of the last lineDays days, computed
// from its current value and the additions and removals since.
func totals(now int, added, removed []int) []int {
	line := make([]int, lineDays)
	for i := range line {
		line[lineDays-1-i] = max(0, now)
		now -= added[chartDays-1-i] - removed[chartDays-1-i]
	}
	return line
}

// recently states the number in the last week: "12 new in 7 days".
func recently(days []int, what string) string {
	n := sum(days[chartDays-week:])
	if n == 0 {
		return "None " + what + " in 7 days"
	}
	return strconv.Itoa(n) + " " + what + " in 7 days"
}

// weekAgo states the number on the same day of last week: "48 last Sunday (UTC)".
func weekAgo(today time.Time, days []int) string {
	return strconv.Itoa(days[chartDays-1-week]) + " last " + today.Weekday().String() + " (UTC)"
}

func sum(days []int) (n int) {
	for _, day := range days {
		n += day
	}
	return n
}

// nextSteps returns the setup steps that are not done yet.
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

// auditSince returns the audit log's URL for an event, or a preset of events,
// from a day on.
func auditSince(day time.Time, action string) string {
	return auditFilter{action: action, from: day.Format(dayFormat)}.url("/admin/audit")
}

// backupProblems returns what is wrong with the backups that the server makes.
func (h *Handlers) backupProblems() []pages.AttentionItem {
	if h.backups == nil {
		return nil
	}
	status, now := h.backups(), h.site.Now()
	if status.Failed == nil && !status.Late(now) {
		return nil
	}
	text := "The server has made no backup yet."
	if !status.Last.IsZero() {
		text = "The last backup is from " + components.FullTime(status.Last) + "."
	}
	if status.Failed == nil {
		return []pages.AttentionItem{{Text: text + " Look in the server’s log for the reason."}}
	}
	return []pages.AttentionItem{{Text: text + " The latest attempt failed:", Said: status.Failed.Error()}}
}
