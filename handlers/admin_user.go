package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// onYourself is why an act on one's own account is not offered.
const onYourself = "You cannot do this to your own account."

// showUser handles GET /admin/users/{id}.
func (h *Handlers) showUser(c echo.Context) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	live, _, err := h.auth.Sessions(ctx, user.ID, "")
	if err != nil {
		return err
	}
	events, err := h.store.Audit.About(ctx, user.ID, 10)
	if err != nil {
		return err
	}
	until, locked, err := h.auth.PausedUntil(ctx, user.ID)
	if err != nil {
		return err
	}
	view := pages.AdminUserView{
		AdminTarget: target(user), ID: user.ID, FullName: user.FullName, Admin: user.Role == models.RoleAdmin,
		Created: user.CreatedAt.Time(), LastSignIn: user.LastSignInAt.Time(), PasswordChanged: user.PasswordChangedAt.Time(),
		DisabledSince: user.DisabledAt.Time(), DisabledReason: user.DisabledReason, PausedUntil: until, Locked: locked,
		ActivityURL: "/admin/audit?subject=" + user.ID, BackURL: "/admin/users",
	}
	if user.ID == who(c).UserID {
		view.Refused = pages.AdminRefusals{
			Disable: onYourself, Enable: onYourself, SignOut: onYourself, Role: onYourself, ResetLink: onYourself,
			Unlock: onYourself, Delete: onYourself,
		}
	} else if user.Disabled() {
		view.Refused.ResetLink = "This account is disabled. Enable it first."
	}
	for _, s := range live {
		view.Sessions = append(view.Sessions, h.sessionRow(s))
	}
	for _, e := range events {
		view.Activity = append(view.Activity, pages.AdminEvent{Text: sentence(e), When: e.At.Time(), Address: e.IP})
	}
	return latchkey.Render(c, http.StatusOK, pages.AdminUser(h.section(c, layouts.SectionUsers, view.Name), view))
}

// pathUser is the account in a route's path, or apperr.NotFound.
func (h *Handlers) pathUser(c echo.Context) (*models.User, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	return h.store.Users.ByID(c.Request().Context(), id)
}

// target names an account for the pages about it.
func target(user *models.User) pages.AdminTarget {
	return pages.AdminTarget{Name: callName(user), Username: user.Username, Email: user.Email, URL: "/admin/users/" + user.ID}
}

// callName is what to call a person: the full name, else the username.
func callName(user *models.User) string { return or(user.FullName, user.Username) }

// showNewUser handles GET /admin/users/new.
func (h *Handlers) showNewUser(c echo.Context) error {
	return h.newUserPage(c, http.StatusOK, pages.AdminUserForm{Role: string(models.RoleUser)})
}

// newUser handles POST /admin/users/new.
func (h *Handlers) newUser(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	form := pages.AdminUserForm{
		Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"), Role: in.Get("role"),
	}
	user, token, err := h.auth.CreateUser(c.Request().Context(), who(c).Actor(middleware.Client(c)), auth.NewUser{
		Account: auth.Account{Username: form.Username, Email: form.Email, FullName: form.FullName}, Role: models.Role(form.Role),
	})
	if form.Errors, err = fieldErrors(err); err != nil {
		return err
	}
	if form.Errors.Any() {
		return h.newUserPage(c, http.StatusUnprocessableEntity, form)
	}
	return h.linkPage(c, user, token, true)
}

func (h *Handlers) newUserPage(c echo.Context, status int, form pages.AdminUserForm) error {
	form.CancelURL = "/admin/users"
	return latchkey.Render(c, status, pages.AdminUserNew(h.section(c, layouts.SectionUsers, "Add user"), form))
}

// linkPage shows a set-password link, this once: it is stored nowhere.
func (h *Handlers) linkPage(c echo.Context, user *models.User, token string, isNew bool) error {
	page := h.section(c, layouts.SectionUsers, "Set-password link")
	page.NoIndex = true
	return latchkey.Render(c, http.StatusOK, pages.AdminLink(page, pages.AdminLinkView{
		User: target(user), Link: h.publicURL + "/reset?token=" + token, NewAccount: isNew,
	}))
}

// ask shows the question before an act. live is how many sessions it would end.
func (h *Handlers) ask(c echo.Context, title string, render func(page layouts.Page, user *models.User, live int) error) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	if user.ID == who(c).UserID {
		return apperr.New(apperr.Conflict, onYourself, nil)
	}
	live, _, err := h.auth.Sessions(c.Request().Context(), user.ID, "")
	if err != nil {
		return err
	}
	return render(h.section(c, layouts.SectionUsers, title+" "+callName(user)), user, len(live))
}

// confirmDisable handles GET /admin/users/{id}/disable.
func (h *Handlers) confirmDisable(c echo.Context) error {
	return h.disablePage(c, http.StatusOK, "", nil)
}

func (h *Handlers) disablePage(c echo.Context, status int, reason string, failure error) error {
	wrong, err := fieldErrors(failure)
	if err != nil {
		return err
	}
	return h.ask(c, "Disable", func(page layouts.Page, user *models.User, live int) error {
		return latchkey.Render(c, status, pages.AdminDisable(page, pages.AdminDisableView{
			User: target(user), Sessions: live, Reason: reason, Errors: wrong,
		}))
	})
}

// disable handles POST /admin/users/{id}/disable.
func (h *Handlers) disable(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.auth.Disable(c.Request().Context(), h.actor(c), id, in.Get("reason"))
	if errors.Is(err, apperr.Invalid) {
		return h.disablePage(c, http.StatusUnprocessableEntity, in.Get("reason"), err)
	}
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashDisabled, callName(user), count(ended, "session"), id)
}

// enable handles POST /admin/users/{id}/enable.
func (h *Handlers) enable(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.auth.Enable(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashEnabled, callName(user))
}

// confirmSignOut handles GET /admin/users/{id}/sign-out.
func (h *Handlers) confirmSignOut(c echo.Context) error {
	return h.ask(c, "Sign out", func(page layouts.Page, user *models.User, live int) error {
		return latchkey.Render(c, http.StatusOK, pages.Confirm(page, pages.SignOutUser(target(user), live)))
	})
}

// signOutUser handles POST /admin/users/{id}/sign-out.
func (h *Handlers) signOutUser(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.auth.SignOutUser(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashUserOut, callName(user), count(ended, "session"))
}

// confirmRole handles GET /admin/users/{id}/role.
func (h *Handlers) confirmRole(c echo.Context) error { return h.rolePage(c, http.StatusOK, "", nil) }

func (h *Handlers) rolePage(c echo.Context, status int, chosen string, failure error) error {
	wrong, err := fieldErrors(failure)
	if err != nil {
		return err
	}
	return h.ask(c, "Change the role of", func(page layouts.Page, user *models.User, _ int) error {
		return latchkey.Render(c, status, pages.AdminRole(page, pages.AdminRoleView{
			User: target(user), Role: string(user.Role), Chosen: or(chosen, otherRole(user.Role)), Errors: wrong,
		}))
	})
}

func otherRole(role models.Role) string {
	if role == models.RoleAdmin {
		return string(models.RoleUser)
	}
	return string(models.RoleAdmin)
}

// role handles POST /admin/users/{id}/role.
func (h *Handlers) role(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.auth.SetRole(c.Request().Context(), h.actor(c), id, models.Role(in.Get("role")))
	if errors.Is(err, apperr.Invalid) {
		return h.rolePage(c, http.StatusUnprocessableEntity, in.Get("role"), err)
	}
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashRole, callName(user), in.Get("role"))
}

// confirmResetLink handles GET /admin/users/{id}/reset-link.
func (h *Handlers) confirmResetLink(c echo.Context) error {
	return h.ask(c, "Reset link for", func(page layouts.Page, user *models.User, _ int) error {
		return latchkey.Render(c, http.StatusOK, pages.Confirm(page, pages.CreateResetLink(target(user))))
	})
}

// resetLink handles POST /admin/users/{id}/reset-link.
func (h *Handlers) resetLink(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, token, err := h.auth.CreateResetLink(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.linkPage(c, user, token, false)
}

// unlock handles POST /admin/users/{id}/unlock.
func (h *Handlers) unlock(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.auth.Unlock(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users/"+id, flashUnlocked, callName(user))
}

// confirmDelete handles GET /admin/users/{id}/delete.
func (h *Handlers) confirmDelete(c echo.Context) error {
	return h.deletePage(c, http.StatusOK, "", nil)
}

func (h *Handlers) deletePage(c echo.Context, status int, typed string, failure error) error {
	wrong, err := fieldErrors(failure)
	if err != nil {
		return err
	}
	return h.ask(c, "Delete", func(page layouts.Page, user *models.User, _ int) error {
		return latchkey.Render(c, status, pages.Confirm(page, pages.DeleteUser(target(user), typed, wrong)))
	})
}

// deleteUser handles POST /admin/users/{id}/delete.
func (h *Handlers) deleteUser(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.auth.Delete(c.Request().Context(), h.actor(c), id, in.Get("confirm"))
	if errors.Is(err, apperr.Invalid) {
		return h.deletePage(c, http.StatusUnprocessableEntity, in.Get("confirm"), err)
	}
	if err != nil {
		return err
	}
	return h.see(c, "/admin/users", flashDeleted, callName(user), count(ended, "session"))
}

// actor is the admin behind a request.
func (h *Handlers) actor(c echo.Context) auth.Actor { return who(c).Actor(middleware.Client(c)) }

// readAct reads the form of an act on the account in the path.
func (h *Handlers) readAct(c echo.Context) (form, string, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, "", err
	}
	in, err := readForm(c)
	return in, id, err
}
