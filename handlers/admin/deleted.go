package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// statusDeleted is the value of the filter by status for deleted accounts. They
// are in a table of their own, so it is no state of an account.
const statusDeleted = "deleted"

// deletedList is the list of deleted accounts.
const deletedList = usersPath + "?status=" + statusDeleted

// deletedPerPage is how many accounts a page of that list has.
const deletedPerPage = 25

// showDeleted shows the list of deleted accounts for the query in.
func (h *Handlers) showDeleted(c echo.Context, in site.Form) error {
	state := listState{q: models.Tidy(in.Get("q")), status: statusDeleted, role: in.Get("role"), limit: pageSizes[0]}
	newest, err := readNewest(in, deletedPerPage)
	if err != nil {
		return err
	}
	list, err := h.store.DeletedUsers.List(c.Request().Context(), models.DeletedQuery{
		NewestFirst: newest, Q: state.q, Role: models.Role(state.role), Now: h.site.Now(),
	})
	if err != nil {
		return err
	}
	view := pages.AdminDeletedView{
		Filter: pages.UsersFilter{Q: state.q, Status: statusDeleted, Role: state.role}, Chips: chips(state), ClearURL: usersPath,
		FirstURL: state.url(), NewURL: usersPath + "/new", PastEnd: len(list.Users) == 0 && newest.After+newest.Before != "",
	}
	for _, u := range list.Users {
		view.Rows = append(view.Rows, pages.DeletedRow{
			URL: userPath(u.ID), Username: u.Username, FullName: u.FullName, Email: u.Email, Admin: u.Role == models.RoleAdmin,
			Deleted: u.DeletedAt.Time(), Until: u.EraseAt.Time(),
		})
	}
	if list.Prev != "" {
		view.Previous = state.url("before", list.Prev)
	}
	if list.Next != "" {
		view.Next = state.url("after", list.Next)
	}
	return site.Show(c, pages.AdminDeleted(h.site.Section(c, layouts.SectionUsers, "Users"), view))
}

// showDeletedUser shows the page of a deleted account; failure is returned when
// there is none with that id.
func (h *Handlers) showDeletedUser(c echo.Context, id string, failure error) error {
	ctx := c.Request().Context()
	user, err := h.accounts.DeletedUser(ctx, id)
	if err != nil {
		if errors.Is(err, apperr.NotFound) {
			return failure
		}
		return err
	}
	events, err := h.store.Audit.About(ctx, user.ID, 10)
	if err != nil {
		return err
	}
	if err := h.nameToday(ctx, events); err != nil {
		return err
	}
	view := pages.AdminDeletedUserView{
		AdminTarget: target(&user.User), ID: user.ID, FullName: user.FullName, Admin: user.Role == models.RoleAdmin,
		Created: user.CreatedAt.Time(), LastSignIn: user.LastSignInAt.Time(),
		DisabledSince: user.DisabledAt.Time(), DisabledReason: user.DisabledReason,
		Deleted: user.DeletedAt.Time(), Until: user.EraseAt.Time(), ActivityURL: eventsOf(user.ID), BackURL: deletedList,
	}
	for _, e := range events {
		view.Activity = append(view.Activity, activityItem(e))
	}
	return site.Show(c, pages.AdminDeletedUser(h.site.Section(c, layouts.SectionUsers, view.Name), view))
}

// Restore handles POST /admin/users/{id}/restore.
func (h *Handlers) Restore(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.accounts.Restore(c.Request().Context(), h.actor(c), id)
	if errors.Is(err, apperr.NotFound) { // restored already, erased, or never there
		if _, err := h.pathUser(c); err != nil {
			return err
		}
		return h.changedMeanwhile(c, id)
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserRestored, user.Name())
}

// restorableUntil is the day until which an account that is deleted now can be
// restored.
func (h *Handlers) restorableUntil() string {
	return components.FullDate(h.site.Now().Add(account.RestoreTime))
}
