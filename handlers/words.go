package handlers

import (
	"math"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/mileusna/useragent"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
	"latchkey/views/components"
)

// unknownBrowser is what cannot be told from its User-Agent.
const unknownBrowser = "Unknown browser"

// deviceName tells a browser and its system from a User-Agent: "Firefox on
// Linux". Versions are frozen in most browsers and say nothing.
func deviceName(agent string) string {
	ua := useragent.Parse(agent)
	browser, system := ua.Name, ua.OS
	switch {
	case browser == "" || len(browser) > 40:
		return unknownBrowser
	case ua.Device == "iPhone" || ua.Device == "iPad":
		system = ua.Device
	case system == "":
		return browser
	}
	return browser + " on " + system
}

func isPhone(agent string) bool {
	ua := useragent.Parse(agent)
	return ua.Mobile
}

func methodWords(method string) string {
	switch method {
	case auth.MethodSignUp:
		return "a new account"
	case auth.MethodSetup:
		return "the setup link"
	}
	return "password"
}

// toYou writes an event as a sentence to the person that it is about.
func toYou(e models.Event) string {
	with := ""
	if e.UserAgent != "" {
		with = " with " + deviceName(e.UserAgent)
	}
	own := e.ActorID != "" && e.ActorID == e.SubjectID
	switch e.Action {
	case auth.ActionLogin:
		return "You signed in" + with + "."
	case auth.ActionLoginFailed:
		return "Somebody tried to sign in to your account" + with + ". The password was not correct."
	case auth.ActionLoginDisabled:
		return "Somebody tried to sign in while your account was disabled."
	case auth.ActionLogout:
		return "You signed out" + with + "."
	case auth.ActionSignUp, auth.ActionSetup:
		return "You created your account" + with + "."
	case auth.ActionReplay:
		return "A session was ended because a copy of its sign-in was used" + with + "."
	case auth.ActionRestored:
		return "A session was ended when the server was restored from a backup."
	case auth.ActionSessionEnd:
		return "You signed out another device."
	case auth.ActionSessionsEnd:
		return "You signed out your other devices."
	case auth.ActionProfile:
		return "You changed your profile."
	case auth.ActionPassword:
		return "You changed your password."
	case auth.ActionPasswordFailed:
		return "A wrong current password was typed."
	case auth.ActionPasswordReset:
		return "Your password was set with a link."
	case auth.ActionEmail:
		return "You changed your email address."
	case auth.ActionAPILogin:
		return "A program signed in to your account through the API."
	case auth.ActionScopeRefused:
		return "A program with your password asked for more than your account may do."
	case auth.ActionAPILogout:
		return "A program signed out of the API."
	case auth.ActionTokenCreate:
		return "You created an access token."
	case auth.ActionTokenEnd:
		return "One of your access tokens was ended."
	}
	if own {
		return "You changed your account."
	}
	return byAdmin(e.Action)
}

// byAdmin writes what an admin did, without the admin's name or note.
func byAdmin(action string) string {
	switch action {
	case auth.ActionUserCreate:
		return "An admin created your account."
	case auth.ActionUserDisable:
		return "An admin disabled your account."
	case auth.ActionUserEnable:
		return "An admin enabled your account."
	case auth.ActionUserSignOut:
		return "An admin signed you out everywhere."
	case auth.ActionUserRole:
		return "An admin changed your role."
	case auth.ActionUserResetLink:
		return "An admin created a reset link for your account."
	case auth.ActionUserUnlock:
		return "An admin cleared your sign-in limits."
	case auth.ActionUserProfile:
		return "An admin changed your profile."
	case auth.ActionUserTokenEnd:
		return "An admin ended one of your access tokens."
	}
	return "Your account was changed."
}

func setRetryAfter(c echo.Context, wait time.Duration) {
	c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

// What is said of a limit that has no words of its own.
const (
	tooManyAttempts = "Too many attempts."
	tooManyWrong    = "Too many attempts with a wrong password."
)

// refused sorts what a form's service answered: its errors and their status, or
// a failure that is not the form's business. A limit is the fault of no field;
// tooMany is what is said of it.
func (h *Handlers) refused(c echo.Context, err error, tooMany string) (int, components.Errors, error) {
	switch apperr.KindOf(err) {
	case apperr.TooMany:
		return 429, components.Errors{h.tooMany(c, err, tooMany)}, nil
	case apperr.Conflict:
		return 409, components.Errors{{Text: apperr.Details(err).Message}}, nil
	}
	wrong, err := fieldErrors(err)
	return 422, wrong, err
}
