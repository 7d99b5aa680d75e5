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

// ask shows the question before an act. live is how many sessions it would end.
func (h *Handlers) ask(c echo.Context, title string, render func(page layouts.Page, user *models.User, live int) error) error {
	user, err := h.pathUser(c)
	if err != nil {
		return err
	}
	if user.ID == who(c).UserID {
		return apperr.New(apperr.Conflict, auth.NotYourself, nil)
	}
	live, err := h.auth.Sessions(c.Request().Context(), user.ID, "")
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
		if user.Disabled() {
			return h.changedMeanwhile(c, user.ID)
		}
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
	if user.Disabled() {
		return h.changedMeanwhile(c, id)
	}
	return h.see(c, "/admin/users/"+id, flashDisabled, callName(user), countAny(ended, "session"), id)
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
	if !user.Disabled() {
		return h.changedMeanwhile(c, id)
	}
	return h.see(c, "/admin/users/"+id, flashEnabled, callName(user), id, user.DisabledReason)
}

// confirmSignOut handles GET /admin/users/{id}/sign-out.
func (h *Handlers) confirmSignOut(c echo.Context) error {
	return h.ask(c, "Sign out", func(page layouts.Page, user *models.User, live int) error {
		tokens, _, err := h.auth.PersonalTokens(c.Request().Context(), user.ID)
		if err != nil {
			return err
		}
		return latchkey.Render(c, http.StatusOK, pages.Confirm(page, pages.SignOutUser(target(user), live, len(tokens))))
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
	return h.see(c, "/admin/users/"+id, flashUserOut, callName(user), countAny(ended, "session"))
}

// confirmRole handles GET /admin/users/{id}/role.
func (h *Handlers) confirmRole(c echo.Context) error { return h.rolePage(c, http.StatusOK, nil) }

func (h *Handlers) rolePage(c echo.Context, status int, failure error) error {
	wrong, err := fieldErrors(failure)
	if err != nil {
		return err
	}
	for i := range wrong {
		wrong[i].Field = "" // the page has a button for the role and no field
	}
	return h.ask(c, "Change the role of", func(page layouts.Page, user *models.User, _ int) error {
		return latchkey.Render(c, status, pages.AdminRole(page, target(user), string(user.Role), wrong))
	})
}

// role handles POST /admin/users/{id}/role.
func (h *Handlers) role(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.auth.SetRole(c.Request().Context(), h.actor(c), id, models.Role(in.Get("role")))
	if errors.Is(err, apperr.Invalid) {
		return h.rolePage(c, http.StatusUnprocessableEntity, err)
	}
	if err != nil {
		return err
	}
	if chosen := in.Get("role"); chosen == string(user.Role) && chosen != in.Get("was") {
		return h.changedMeanwhile(c, id)
	}
	return h.see(c, "/admin/users/"+id, flashRole, callName(user), in.Get("role"), id, string(user.Role))
}

// confirmResetLink handles GET /admin/users/{id}/reset-link.
func (h *Handlers) confirmResetLink(c echo.Context) error {
	return h.ask(c, "Reset link for", func(page layouts.Page, user *models.User, _ int) error {
		if user.Disabled() {
			return apperr.New(apperr.Conflict, auth.EnableFirst, nil)
		}
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
	return h.showOnce(c, linkPath(user.ID), onceResetLink, token)
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
	return h.see(c, "/admin/users", flashDeleted, callName(user), countAny(ended, "session"))
}

// changedMeanwhile leads to the account that another admin was faster to act
// on: it is as this one wanted it, so that nothing was done.
func (h *Handlers) changedMeanwhile(c echo.Context, id string) error {
	return h.see(c, "/admin/users/"+id, flashUserChanged)
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
