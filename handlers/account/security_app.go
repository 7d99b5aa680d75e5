package account

import (
	"cmp"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth/factor"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

const (
	appPath = site.PathSecurity + "/app"
	offPath = appPath + "/off"
)

// factorChange reads who changes their second step.
func (h *Handlers) factorChange(c echo.Context) account.FactorChange {
	return account.FactorChange{
		Identity: site.Identity(c), Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	}
}

// ShowApp handles GET /profile/security/app. The secret that it shows waits in a cookie
// for its first code.
func (h *Handlers) ShowApp(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	return h.appPage(c, nil, h.site.Cookies.App(c.Request(), site.Place(c, appPath)), pages.AppForm{Next: site.SafeNext(query.Get("next"))})
}

// keyOver is the message when the secret that was shown waits no longer.
const keyOver = "This page was open for too long. Here is a new picture with a new key: scan it, then enter the code that the app shows."

// SetUpApp handles POST /profile/security/app.
func (h *Handlers) SetUpApp(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	form := pages.AppForm{Next: site.SafeNext(in.Get("next"))}
	secret := h.site.Cookies.App(c.Request(), site.Place(c, appPath))
	if secret == nil {
		return h.appPage(c, apperr.Fields{{Field: "code", Message: keyOver}}, nil, form)
	}
	done, err := h.accounts.SetUpApp(c.Request().Context(), h.factorChange(c), secret, in.Get("code"))
	if err != nil {
		if invalid, ok := errors.AsType[apperr.Fields](err); ok && factor.IsCode(factor.Tidy(in.Get("code"))) && len(invalid) > 0 {
			form.Now = h.site.Now()
		}
		return h.appPage(c, err, secret, form)
	}
	h.site.SignIn(c, done.SignedIn)
	h.site.Cookies.ClearApp(c.Response().Header())
	if len(done.Codes) > 0 {
		return h.showCodes(c, done.SignedIn.SessionID, codesAtStart, done.Codes, form.Next)
	}
	key := site.FlashAppOn
	if done.Replaced {
		key = site.FlashAppReplaced
	}
	return h.site.RedirectWithFlash(c, cmp.Or(form.Next, site.PathSecurity), key)
}

// appPage shows how to set up an app with secret, nil for a new one; failure is the
// reason for showing it again, or nil.
func (h *Handlers) appPage(c echo.Context, failure error, secret []byte, form pages.AppForm) error {
	problems, err := h.site.Problems(failure, "")
	if err != nil {
		return err
	}
	me := site.Identity(c)
	protection, err := h.accounts.Protection(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	if secret == nil {
		secret = factor.NewSecret()
		h.site.Cookies.SetApp(c.Response().Header(), site.Place(c, appPath), secret)
	}
	form.Errors, form.Replaces, form.Key = problems, protection.TwoStep(), factor.Key(secret)
	form.URL = factor.URL(secret, h.site.Brand.Name, cmp.Or(me.Email, me.Username))
	if form.Picture, form.PictureSize, err = factor.QR(form.URL); err != nil {
		return err
	}
	title := "Set up an authenticator app"
	if form.Replaces {
		title = "Replace the authenticator app"
	}
	return site.Answer(c, failure, pages.SetUpApp(h.site.Page(c, title), form))
}

// ConfirmAppOff handles GET /profile/security/app/off.
func (h *Handlers) ConfirmAppOff(c echo.Context) error { return h.appOffPage(c, nil) }

// TurnOffApp handles POST /profile/security/app/off.
func (h *Handlers) TurnOffApp(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil {
		return err
	}
	signedIn, err := h.accounts.TurnOffApp(c.Request().Context(), h.factorChange(c))
	switch {
	case errors.Is(err, apperr.NotFound):
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashAppNone)
	case errors.Is(err, apperr.Conflict):
		return h.appOffPage(c, err)
	case err != nil:
		return err
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashAppOff)
}

// appOffPage asks whether to turn off two-step sign-in, or says why that is not
// possible; failure is the reason for showing it again, or nil.
func (h *Handlers) appOffPage(c echo.Context, failure error) error {
	me := site.Identity(c)
	protection, err := h.accounts.Protection(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	if !protection.TwoStep() {
		return h.site.RedirectWithFlash(c, site.PathSecurity, site.FlashAppNone)
	}
	view := pages.AppOffView{Passkeys: protection.Passkeys}
	if view.Needed, err = h.accounts.NeedsApp(c.Request().Context(), me); err != nil {
		return err
	}
	return site.Answer(c, failure, pages.TurnOffApp(h.site.Page(c, "Turn off two-step sign-in"), view))
}

const codesPath = site.PathSecurity + "/codes"

// The occasions of new recovery codes.
const (
	codesAtStart = "start" // two-step sign-in was turned on
	codesMade    = "made"  // the person asked for new ones
)

// showCodes sends the page that shows new recovery codes, once, to a session.
func (h *Handlers) showCodes(c echo.Context, sessionID, occasion string, codes []string, next string) error {
	at := site.Place(c, codesPath)
	at.SessionID = sessionID
	h.site.SendOnce(c, at, occasion, strings.Join(codes, " "))
	return site.Redirect(c, site.WithNext(codesPath, next))
}
