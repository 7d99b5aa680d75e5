package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ShowUser handles GET /admin/users/{id}.
func (h *Handlers) ShowUser(c echo.Context) error {
	user, err := h.pathUser(c)
	if errors.Is(err, apperr.NotFound) {
		return h.showDeletedUser(c, c.Param("id"), err)
	}
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
	factors, err := h.store.Users.Factors(ctx, user.ID)
	if err != nil {
		return err
	}
	view := pages.AdminUserView{
		AdminTarget: target(user), ID: user.ID, FullName: user.FullName, Admin: user.Role == models.RoleAdmin, Verified: !user.EmailVerifiedAt.IsZero(),
		Created: user.CreatedAt.Time(), LastSignIn: user.LastSignInAt.Time(), PasswordChanged: user.PasswordChangedAt.Time(),
		Steps:         pages.Steps(factors),
		DisabledSince: user.DisabledAt.Time(), DisabledReason: user.DisabledReason,
		Paused: pages.Pause(paused[user.ID].Pages), APIPaused: pages.Pause(paused[user.ID].API),
		ActivityURL: eventsOf(user.ID), MessagesURL: mailFilter{person: user.ID}.url(), BackURL: "/admin/users", RestorableUntil: h.restorableUntil(), Own: user.ID == site.Identity(c).UserID,
	}
	if user.Disabled() {
		view.NoResetLink = account.EnableFirst
	}
	for _, s := range live {
		view.Sessions = append(view.Sessions, h.site.SessionRow(s, view.Admin))
	}
	for _, t := range tokens {
		row := h.site.TokenRow(t, view.Admin, view.URL+"/tokens/")
		if view.Own {
			row.EndURL = ""
		}
		view.Tokens = append(view.Tokens, row)
	}
	if view.Messages, err = h.messagesOf(c, user.ID); err != nil {
		return err
	}
	if err := h.nameToday(ctx, events); err != nil {
		return err
	}
	for _, e := range events {
		view.Activity = append(view.Activity, activityItem(e))
	}
	return site.Show(c, pages.AdminUser(h.site.Section(c, layouts.SectionUsers, view.Name), view))
}

// activityItem writes an event for admins, with the device and the address of the
// request that caused it.
func activityItem(e models.Event) pages.ActivityItem {
	return pages.ActivityItem{Text: audit.Sentence(e), When: e.At.Time(), Device: site.EventDevice(e), Address: e.IP}
}
