package admin

import (
	"cmp"
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/pages"
)

// ShowEditUser handles GET /admin/users/{id}/edit.
func (h *Handlers) ShowEditUser(c echo.Context) error {
	draft := h.site.Draft(c)
	if len(draft) == 0 {
		return h.editPage(c, nil, nil, "")
	}
	now, err := h.subject(c)
	if err != nil {
		return err
	}
	typed := typedNames(draft, now)
	return h.editPage(c, nil, &typed, draft.Get("seen"))
}

// typedNames returns the names of a form. A field that is not sent stays as it is.
func typedNames(in site.Form, now *models.User) account.Profile {
	return account.Profile{
		Username: in.Or("username", now.Username), Email: in.Or("email", now.Email), FullName: in.Or("full_name", now.FullName),
	}
}

// EditUser handles POST /admin/users/{id}/edit. A field that is not sent stays
// as it is.
func (h *Handlers) EditUser(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	now, err := h.subject(c)
	if err != nil {
		return err
	}
	typed := typedNames(in, now)
	before, ended, err := h.accounts.EditUser(c.Request().Context(), h.actor(c), id, account.Edit{Account: typed, Seen: in.Get("seen")})
	if errors.Is(err, apperr.Invalid) || errors.Is(err, apperr.Conflict) {
		return h.editPage(c, err, &typed, "")
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashUserEdited, before.Name(), site.CountAny(ended, "session"))
}

// editPage shows the form with the typed values, or else with the stored ones;
// failure is the reason for showing it again, or nil. After a conflict, the page
// also shows the stored names. seen is the state that a returned form was filled in for,
// so that it still meets a conflict; "" is the present one.
func (h *Handlers) editPage(c echo.Context, failure error, typed *account.Profile, seen string) error {
	problems, err := h.site.Problems(failure, "")
	if err != nil {
		return err
	}
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	form := pages.AdminUserEditForm{
		User: target(user), Username: user.Username, Email: user.Email, FullName: user.FullName, Seen: cmp.Or(seen, account.SeenNames(user)), Errors: problems,
	}
	if typed != nil {
		form.Username, form.Email, form.FullName = typed.Username, typed.Email, typed.FullName
	}
	if errors.Is(failure, apperr.Conflict) {
		form.Now = &pages.AdminUserNames{Username: user.Username, Email: user.Email, FullName: user.FullName}
	}
	return site.Answer(c, failure, pages.AdminUserEdit(h.actPage(c, "Edit", user), form))
}
