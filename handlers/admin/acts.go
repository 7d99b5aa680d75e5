package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/pages"
)

// ConfirmDisable handles GET /admin/users/{id}/disable.
func (h *Handlers) ConfirmDisable(c echo.Context) error {
	return h.disablePage(c, nil, h.site.Draft(c).Get("reason"))
}

func (h *Handlers) disablePage(c echo.Context, failure error, reason string) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	if user.Disabled() {
		return h.changedMeanwhile(c, user.ID)
	}
	live, err := h.auth.Sessions(c.Request().Context(), user.ID, "")
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.AdminDisable(h.actPage(c, "Disable", user), pages.AdminDisableView{
		User: target(user), Sessions: len(live), Reason: reason, Errors: problems,
	}))
}

// Disable handles POST /admin/users/{id}/disable.
func (h *Handlers) Disable(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.accounts.Disable(c.Request().Context(), h.actor(c), id, in.Get("reason"))
	if errors.Is(err, apperr.Invalid) {
		return h.disablePage(c, err, in.Get("reason"))
	}
	if err != nil {
		return err
	}
	if user.Disabled() {
		return h.changedMeanwhile(c, id)
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserDisabled, user.Name(), site.CountAny(ended, "session"), id)
}

// Enable handles POST /admin/users/{id}/enable.
func (h *Handlers) Enable(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.accounts.Enable(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	if !user.Disabled() {
		return h.changedMeanwhile(c, id)
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserEnabled, user.Name(), id, user.DisabledReason)
}

// ConfirmSignOut handles GET /admin/users/{id}/sign-out.
func (h *Handlers) ConfirmSignOut(c echo.Context) error {
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	live, err := h.auth.Sessions(c.Request().Context(), user.ID, "")
	if err != nil {
		return err
	}
	tokens, _, err := h.accounts.PersonalTokens(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	return site.Show(c, pages.Confirm(h.actPage(c, "Sign out", user), pages.SignOutUser(target(user), len(live), len(tokens))))
}

// SignOutUser handles POST /admin/users/{id}/sign-out.
func (h *Handlers) SignOutUser(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.accounts.SignOutUser(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserSignedOut, user.Name(), site.CountAny(ended, "session"))
}

// ConfirmRole handles GET /admin/users/{id}/role.
func (h *Handlers) ConfirmRole(c echo.Context) error { return h.rolePage(c, nil) }

func (h *Handlers) rolePage(c echo.Context, failure error) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	for i := range problems {
		problems[i].Field = "" // the page has a button for the role and no field
	}
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.AdminRole(h.actPage(c, "Change the role of", user), target(user), string(user.Role), problems))
}

// Role handles POST /admin/users/{id}/role.
func (h *Handlers) Role(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.accounts.SetRole(c.Request().Context(), h.actor(c), id, models.Role(in.Get("role")))
	if errors.Is(err, apperr.Invalid) {
		return h.rolePage(c, err)
	}
	if err != nil {
		return err
	}
	if chosen := in.Get("role"); chosen == string(user.Role) && chosen != in.Get("was") {
		return h.changedMeanwhile(c, id)
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashRoleChanged, user.Name(), in.Get("role"), id, string(user.Role))
}

// ConfirmResetLink handles GET /admin/users/{id}/reset-link.
func (h *Handlers) ConfirmResetLink(c echo.Context) error {
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	if user.Disabled() {
		return apperr.New(apperr.Conflict, account.EnableFirst, nil)
	}
	return site.Show(c, pages.Confirm(h.actPage(c, "Reset link for", user), pages.CreateResetLink(target(user))))
}

// ResetLink handles POST /admin/users/{id}/reset-link.
func (h *Handlers) ResetLink(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, token, err := h.accounts.CreateResetLink(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.site.ShowOnce(c, linkPath(user.ID), linkReset, token)
}

// Verify handles POST /admin/users/{id}/verify.
func (h *Handlers) Verify(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.accounts.VerifyUser(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	if !user.EmailVerifiedAt.IsZero() {
		return h.changedMeanwhile(c, id)
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserVerified, user.Name())
}

// Unlock handles POST /admin/users/{id}/unlock.
func (h *Handlers) Unlock(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, err := h.accounts.Unlock(c.Request().Context(), h.actor(c), id)
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashLimitsCleared, user.Name())
}

// ConfirmDelete handles GET /admin/users/{id}/delete.
func (h *Handlers) ConfirmDelete(c echo.Context) error {
	return h.deletePage(c, nil, h.site.Draft(c).Get("confirm"))
}

func (h *Handlers) deletePage(c echo.Context, failure error, typed string) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.Confirm(h.actPage(c, "Delete", user), pages.DeleteUser(target(user), h.restorableUntil(), typed, problems)))
}

// DeleteUser handles POST /admin/users/{id}/delete.
func (h *Handlers) DeleteUser(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.accounts.Delete(c.Request().Context(), h.actor(c), id, in.Get("confirm"))
	if errors.Is(err, apperr.Invalid) {
		return h.deletePage(c, err, in.Get("confirm"))
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, "/admin/users", site.FlashUserDeleted, user.Name(), site.CountAny(ended, "session"), id, h.restorableUntil())
}
