package account

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// ShowProfile handles GET /profile.
func (h *Handlers) ShowProfile(c echo.Context) error {
	me := site.Identity(c)
	return h.profilePage(c, nil, me.Username, me.FullName)
}

// Profile handles POST /profile. A field that is not sent stays as it is.
func (h *Handlers) Profile(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	username, fullName := in.Or("username", me.Username), in.Or("full_name", me.FullName)
	if err := h.accounts.UpdateProfile(c.Request().Context(), me, username, fullName, middleware.Client(c)); err != nil {
		return h.profilePage(c, err, username, fullName)
	}
	return h.site.RedirectWithFlash(c, "/profile", site.FlashProfileSaved)
}

// profilePage shows the account; failure is why the form is shown again, nil
// for a first view.
func (h *Handlers) profilePage(c echo.Context, failure error, username, fullName string) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	home, err := h.store.Users.Home(c.Request().Context(), me.UserID, h.site.Now())
	if err != nil {
		return err
	}
	view := pages.ProfileView{
		Username: username, FullName: fullName, Email: me.Email, PasswordChanged: home.PasswordChangedAt.Time(),
		Device: site.DeviceName(c.Request().UserAgent()), Sessions: home.Sessions, Errors: problems,
	}
	for _, e := range home.Events {
		view.Activity = append(view.Activity, pages.ActivityItem{Text: toPerson(e), When: e.At.Time()})
	}
	return site.Answer(c, failure, pages.Profile(h.site.Section(c, layouts.SectionAccount, "Your account"), view))
}
