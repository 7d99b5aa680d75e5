package admin

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ShowNewUser handles GET /admin/users/new.
func (h *Handlers) ShowNewUser(c echo.Context) error {
	return h.newUserPage(c, nil, newUserForm(h.site.Draft(c)))
}

// NewUser handles POST /admin/users/new.
func (h *Handlers) NewUser(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	form := newUserForm(in)
	form.Role = in.Get("role")
	user, token, err := h.accounts.CreateUser(c.Request().Context(), h.actor(c), account.NewUser{
		Account: account.Profile{Username: form.Username, Email: form.Email, FullName: form.FullName}, Role: models.Role(form.Role),
	})
	if err != nil {
		return h.newUserPage(c, err, form)
	}
	return h.site.ShowOnce(c, linkPath(user.ID), linkNewUser, token)
}

// newUserForm returns the form with the fields that were typed.
func newUserForm(in site.Form) pages.AdminUserForm {
	return pages.AdminUserForm{
		Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name"), Role: in.Or("role", string(models.RoleUser)),
	}
}

// newUserPage shows the form; failure is the reason for showing it again, or nil.
func (h *Handlers) newUserPage(c echo.Context, failure error, form pages.AdminUserForm) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	form.Errors, form.CancelURL = problems, "/admin/users"
	return site.Answer(c, failure, pages.AdminUserNew(h.site.Section(c, layouts.SectionUsers, "Add user"), form))
}
