package handlers

import (
	"math"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/mileusna/useragent"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
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

// toPerson writes an event as a sentence to the person that it is about.
func toPerson(e models.Event) string {
	if e.UserAgent == "" {
		return audit.ToPerson(e, "")
	}
	return audit.ToPerson(e, deviceName(e.UserAgent))
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
