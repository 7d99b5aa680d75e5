package account

import (
	"errors"
	"strconv"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// ShowProfile handles GET /profile.
func (h *Handlers) ShowProfile(c echo.Context) error {
	me := site.Identity(c)
	home, err := h.store.Users.Home(c.Request().Context(), me.UserID, h.site.Now())
	if err != nil {
		return err
	}
	view := pages.ProfileView{
		Username: me.Username, FullName: me.FullName, Email: me.Email, PasswordChanged: home.PasswordChangedAt.Time(),
		Sessions: home.Sessions, Tokens: home.Tokens, Warning: warning(home.Events, h.site.Now()),
		TwoStep: home.Factors.App, Passkeys: home.Factors.Passkeys, Codes: home.CodesLeft,
	}
	if err := h.addEmail(c, &view); err != nil {
		return err
	}
	if view.Warning == nil && !h.site.Now().Before(home.QuietUntil.Time()) {
		view.Suggestion = suggestion(home)
	}
	for _, e := range home.Events {
		view.Activity = append(view.Activity, activityItem(e))
	}
	if view.OfferPasskey, err = h.offerPasskey(c); err != nil {
		return err
	}
	return site.Show(c, pages.Profile(h.site.Page(c, "Your account"), view))
}

// addEmail adds the state of the address. To confirm it comes before all other
// suggestions.
func (h *Handlers) addEmail(c echo.Context, view *pages.ProfileView) error {
	me := site.Identity(c)
	waiting, err := h.accounts.PendingEmail(c.Request().Context(), me)
	if err != nil {
		return err
	}
	if h.accounts.Verifies() && me.Email != "" {
		view.EmailState = site.VerifiedWords(me.Verified)
	}
	switch {
	case waiting.Change:
		view.Waiting = waiting.Email
	case waiting.Email != "":
		view.Warning = &pages.Suggestion{
			Text: "Your email address is not confirmed.", Link: components.Link{Label: "Confirm it", URL: site.PathVerify},
		}
	}
	return nil
}

// fewCodes is how many recovery codes are few.
const fewCodes = 3

// suggestion returns the most useful thing that would make an account safer, nil when
// there is none.
func suggestion(home *models.Home) *pages.Suggestion {
	switch {
	case !home.Factors.App && home.Factors.Passkeys == 0:
		return &pages.Suggestion{
			Link: components.Link{Label: "Add a second step", URL: site.PathSecurity}, Text: "so that a stolen password is not enough.",
		}
	case home.Factors.App && home.CodesLeft < fewCodes:
		text := "because you have none left."
		if home.CodesLeft > 0 {
			text = "because you have only " + strconv.Itoa(home.CodesLeft) + " left."
		}
		return &pages.Suggestion{Link: components.Link{Label: "Make new recovery codes", URL: codesPath}, Text: text}
	case home.Factors.Passkeys == 1:
		return &pages.Suggestion{
			Link: components.Link{Label: "Add another passkey", URL: site.PathSecurity}, Text: "so that you can sign in when you lose the first one.",
		}
	}
	return nil
}

// Later handles POST /profile/later: "Not now".
func (h *Handlers) Later(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil {
		return err
	}
	if err := h.accounts.SuggestLater(c.Request().Context(), site.Identity(c)); err != nil {
		return err
	}
	return site.Redirect(c, "/profile")
}

// Profile handles POST /profile, /profile/name and /profile/username. A field
// that is not sent stays as it is. Without any field it shows the account page.
func (h *Handlers) Profile(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	me := site.Identity(c)
	if len(in) == 0 { // curl -X POST -L does this after the sign-in form, and a redirect would make it loop
		return h.ShowProfile(c)
	}
	username, fullName := in.Or("username", me.Username), in.Or("full_name", me.FullName)
	err = h.accounts.UpdateProfile(c.Request().Context(), account.ProfileChange{
		Identity: me, Username: username, FullName: fullName, Current: in.Get(site.CurrentPassword), Confirmed: site.ByConfirmation(in),
		Device: h.site.Cookies.Device(c.Request()), Client: middleware.Client(c),
	})
	if errors.Is(err, auth.ErrUnconfirmed) { // a username on a form of other names
		return site.MustConfirm(c, "/profile/username")
	}
	if err != nil && username != me.Username {
		return h.usernamePage(c, err, username, in.Get("full_name"))
	}
	if err != nil {
		return h.namePage(c, err, fullName)
	}
	return h.site.RedirectWithFlash(c, "/profile", site.FlashProfileSaved)
}

// ShowName handles GET /profile/name.
func (h *Handlers) ShowName(c echo.Context) error {
	return h.namePage(c, nil, site.Identity(c).FullName)
}

// namePage shows the form; failure is the reason for
// showing it again, or nil.
func (h *Handlers) namePage(c echo.Context, failure error, fullName string) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.ChangeName(h.site.Page(c, "Name"), pages.ChangeNameForm{
		FullName: fullName, Errors: problems,
	}))
}

// ShowTheme handles GET /profile/theme.
func (h *Handlers) ShowTheme(c echo.Context) error {
	return site.Show(c, pages.ChangeTheme(h.site.Page(c, "Theme")))
}

// ShowUsername handles GET /profile/username.
func (h *Handlers) ShowUsername(c echo.Context) error {
	draft := h.site.Draft(c)
	return h.usernamePage(c, nil, draft.Or("username", site.Identity(c).Username), draft.Get("full_name"))
}

// usernamePage shows the form; failure is the reason for showing it again, or
// nil. A full name in the request stays in the form.
func (h *Handlers) usernamePage(c echo.Context, failure error, username, fullName string) error {
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.ChangeUsername(h.site.Page(c, "Change username"), pages.ChangeUsernameForm{
		Username: username, FullName: fullName, Errors: problems,
	}))
}
