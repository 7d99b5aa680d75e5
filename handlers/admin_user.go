package handlers

import (
	"cmp"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ownTokens is why an admin's own tokens are not ended from there.
const ownTokens = "These are your own access tokens."

// showUser handles GET /admin/users/{id}.
func (h *Handlers) showUser(c echo.Context) error {
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
	tokens, _, err := h.auth.PersonalTokens(ctx, user.ID)
	if err != nil {
		return err
	}
	paused, err := h.auth.Paused(ctx, user.ID)
	if err != nil {
		return err
	}
	view := pages.AdminUserView{
		AdminTarget: target(user), ID: user.ID, FullName: user.FullName, Admin: user.Role == models.RoleAdmin,
		Created: user.CreatedAt.Time(), LastSignIn: user.LastSignInAt.Time(), PasswordChanged: user.PasswordChangedAt.Time(),
		DisabledSince: user.DisabledAt.Time(), DisabledReason: user.DisabledReason, PausedUntil: paused[user.ID].Until, Locked: paused[user.ID].Locked,
		ActivityURL: "/admin/audit?subject=" + user.ID, BackURL: "/admin/users",
	}
	if user.ID == who(c).UserID {
		view.Refused = pages.AdminRefusals{
			Disable: auth.NotYourself, Enable: auth.NotYourself, SignOut: auth.NotYourself, Role: auth.NotYourself, ResetLink: auth.NotYourself,
			Unlock: auth.NotYourself, EndToken: ownTokens, Delete: auth.NotYourself,
		}
	} else if user.Disabled() {
		view.Refused.ResetLink = auth.EnableFirst
	}
	for _, s := range live {
		view.Sessions = append(view.Sessions, h.sessionRow(s, view.Admin))
	}
	for _, t := range tokens {
		view.Tokens = append(view.Tokens, h.tokenRow(t, view.Admin, view.URL+"/tokens/"))
	}
	for _, e := range events {
		view.Activity = append(view.Activity, pages.AdminEvent{Text: audit.Sentence(e), When: e.At.Time(), Address: e.IP})
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
	return pages.AdminTarget{Name: callName(user), Username: user.Username, Email: user.Email, Invited: user.PasswordChangedAt.IsZero(), URL: "/admin/users/" + user.ID}
}

// callName is what to call a person: the full name, else the username.
func callName(user *models.User) string { return cmp.Or(user.FullName, user.Username) }

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
	user, token, err := h.auth.CreateUser(c.Request().Context(), h.actor(c), auth.NewUser{
		Account: auth.Account{Username: form.Username, Email: form.Email, FullName: form.FullName}, Role: models.Role(form.Role),
	})
	if form.Errors, err = fieldErrors(err); err != nil {
		return err
	}
	if form.Errors.Any() {
		return h.newUserPage(c, http.StatusUnprocessableEntity, form)
	}
	return h.showOnce(c, linkPath(user.ID), onceNewUser, token)
}

func (h *Handlers) newUserPage(c echo.Context, status int, form pages.AdminUserForm) error {
	form.CancelURL = "/admin/users"
	return latchkey.Render(c, status, pages.AdminUserNew(h.section(c, layouts.SectionUsers, "Add user"), form))
}
