package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// showProfile handles GET /profile.
func (h *Handlers) showProfile(c echo.Context) error {
	return h.profilePage(c, http.StatusOK, who(c).Username, who(c).FullName, nil)
}

// profile handles POST /profile. A field that does not come stays as it is.
func (h *Handlers) profile(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	username, fullName := in.Or("username", who(c).Username), in.Or("full_name", who(c).FullName)
	err = h.auth.UpdateProfile(c.Request().Context(), who(c), username, fullName, middleware.Client(c))
	status, wrong, err := h.refused(c, err, tooManyAttempts)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return h.profilePage(c, status, username, fullName, wrong)
	}
	return h.see(c, "/profile", flashProfile)
}

func (h *Handlers) profilePage(c echo.Context, status int, username, fullName string, wrong components.Errors) error {
	me := who(c)
	home, err := h.store.Users.Home(c.Request().Context(), me.UserID, h.now())
	if err != nil {
		return err
	}
	view := pages.ProfileView{
		Username: username, FullName: fullName, Email: me.Email, PasswordChanged: home.PasswordChangedAt.Time(),
		Device: deviceName(c.Request().UserAgent()), Sessions: home.Sessions, Errors: wrong,
	}
	for _, e := range home.Events {
		view.Activity = append(view.Activity, pages.ActivityItem{Text: toPerson(e), When: e.At.Time()})
	}
	return latchkey.Render(c, status, pages.Profile(h.section(c, layouts.SectionAccount, "Your account"), view))
}

// showPassword handles GET /profile/password.
func (h *Handlers) showPassword(c echo.Context) error { return h.passwordPage(c, http.StatusOK, nil) }

// password handles POST /profile/password.
func (h *Handlers) password(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	signedIn, err := h.auth.ChangePassword(c.Request().Context(), h.change(c, in, "new_password"))
	status, wrong, err := h.refused(c, err, tooManyWrong)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return h.passwordPage(c, status, wrong)
	}
	h.signIn(c, signedIn)
	return h.see(c, "/profile", flashPassword)
}

func (h *Handlers) passwordPage(c echo.Context, status int, wrong components.Errors) error {
	form := pages.ChangePasswordForm{Username: who(c).Username, PasswordMin: h.auth.PasswordMin(), Errors: wrong}
	return latchkey.Render(c, status, pages.ChangePassword(h.section(c, layouts.SectionAccount, "Change password"), form))
}

// showEmail handles GET /profile/email.
func (h *Handlers) showEmail(c echo.Context) error { return h.emailPage(c, http.StatusOK, "", nil) }

// email handles POST /profile/email.
func (h *Handlers) email(c echo.Context) error {
	in, err := readForm(c)
	if err != nil {
		return err
	}
	signedIn, err := h.auth.ChangeEmail(c.Request().Context(), h.change(c, in, "email"))
	status, wrong, err := h.refused(c, err, tooManyWrong)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return h.emailPage(c, status, in.Get("email"), wrong)
	}
	h.signIn(c, signedIn)
	return h.see(c, "/profile", flashEmail)
}

func (h *Handlers) emailPage(c echo.Context, status int, typed string, wrong components.Errors) error {
	form := pages.ChangeEmailForm{Current: who(c).Email, Email: typed, Errors: wrong}
	return latchkey.Render(c, status, pages.ChangeEmail(h.section(c, layouts.SectionAccount, "Change email"), form))
}

// change reads a form that changes a credential.
func (h *Handlers) change(c echo.Context, in form, field string) auth.CredentialChange {
	return auth.CredentialChange{
		Who: who(c), Current: in.Get("current_password"), New: in.Get(field),
		Device: h.cookies.Device(c.Request()), Presented: h.presented(c), Client: middleware.Client(c),
	}
}
