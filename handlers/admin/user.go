package admin

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ownTokens is the reason why an admin cannot remove their own tokens there.
const ownTokens = "These are your own access tokens."

// ShowUser handles GET /admin/users/{id}.
func (h *Handlers) ShowUser(c echo.Context) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	live, err := h.auth.Sessions(ctx, user.ID, "")
	if err != nil {
		return err
	}
	events, err := h.store.Audit.About(ctx, user.ID, 10)
	if err != nil {
		return err
	}
	tokens, _, err := h.accounts.PersonalTokens(ctx, user.ID)
	if err != nil {
		return err
	}
	paused, err := h.accounts.Paused(ctx, user.ID)
	if err != nil {
		return err
	}
	view := pages.AdminUserView{
		AdminTarget: target(user), ID: user.ID, FullName: user.FullName, Admin: user.Role == models.RoleAdmin,
		Created: user.CreatedAt.Time(), LastSignIn: user.LastSignInAt.Time(), PasswordChanged: user.PasswordChangedAt.Time(),
		DisabledSince: user.DisabledAt.Time(), DisabledReason: user.DisabledReason,
		Paused: pages.Pause(paused[user.ID].Pages), APIPaused: pages.Pause(paused[user.ID].API),
		ActivityURL: eventsOf(user.ID), BackURL: "/admin/users",
	}
	view.Refused = refusals(user, site.Identity(c).UserID)
	for _, s := range live {
		view.Sessions = append(view.Sessions, h.site.SessionRow(s, view.Admin))
	}
	for _, t := range tokens {
		view.Tokens = append(view.Tokens, h.site.TokenRow(t, view.Admin, view.URL+"/tokens/"))
	}
	if err := h.nameToday(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		view.Activity = append(view.Activity, pages.AdminEvent{Text: audit.Sentence(e), When: e.At.Time(), Address: e.IP})
	}
	return site.Show(c, pages.AdminUser(h.site.Section(c, layouts.SectionUsers, view.Name), view))
}

// refusals returns the actions on an account that the admin cannot take now,
// with the reasons.
func refusals(user *models.User, adminID string) pages.AdminRefusals {
	const own = account.NotYourself
	switch {
	case user.ID == adminID:
		return pages.AdminRefusals{
			Edit: own, Disable: own, Enable: own, SignOut: own, Role: own, ResetLink: own, Unlock: own, RemoveToken: ownTokens, Delete: own,
		}
	case user.Disabled():
		return pages.AdminRefusals{ResetLink: account.EnableFirst}
	}
	return pages.AdminRefusals{}
}
