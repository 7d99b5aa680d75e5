package signin

import (
	"cmp"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// SendVerify handles POST /verify/send.
func (h *Handlers) SendVerify(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	next := site.SafeNext(in.Get("next"))
	if token := in.Get("token"); token != "" {
		return h.sendByLink(c, token)
	}
	joining, _, err := h.joining(c)
	if err != nil {
		return err
	}
	email, me := joining.Email, site.Identity(c)
	switch {
	case me != nil:
		var waiting account.Pending
		waiting, err = h.accounts.SendAgain(c.Request().Context(), me, middleware.Client(c))
		if email = waiting.Email; err == nil && email == "" {
			return site.Redirect(c, cmp.Or(next, homePath))
		}
	case joining.ID != "":
		_, err = h.accounts.ContinueSignUp(c.Request().Context(), joining, joining.Email, middleware.Client(c))
	default:
		return h.nothingToVerify(c)
	}
	if errors.Is(err, apperr.TooMany) {
		return h.checkEmailPage(c, nil, pages.CheckEmailView{Next: next, Note: h.tooSoon(err)})
	}
	if err != nil {
		return err
	}
	h.site.SetFlash(c, site.FlashLinkSent, email)
	return site.Redirect(c, site.VerifyPath(next))
}

// sendByLink sends a new link in place of one that expired.
func (h *Handlers) sendByLink(c echo.Context, token string) error {
	sent, err := h.accounts.SendAgainByLink(c.Request().Context(), token, middleware.Client(c))
	switch {
	case errors.Is(err, apperr.TooMany):
		return h.verifyLinkPage(c, nil, token, h.tooSoon(err))
	case err != nil:
		return err
	case sent.Email == "":
		return h.verifyLinkPage(c, nil, token, nil)
	}
	return h.site.RedirectWithFlash(c, "/login", site.FlashLinkSent, sent.Email)
}

// tooSoon says when the next message can be sent.
func (h *Handlers) tooSoon(failure error) *components.Message {
	wait := max(apperr.Details(failure).RetryAfter, time.Second)
	text := components.Timed{Before: "You can send again in " + site.Roughly(wait) + ", at ", At: h.site.Now().Add(wait), After: "."}.String()
	return &components.Message{Tone: components.Info, Text: text}
}

// ShowVerifyAddress handles GET /verify/address.
func (h *Handlers) ShowVerifyAddress(c echo.Context) error {
	return h.verifyAddressPage(c, nil, "")
}

// VerifyAddress handles POST /verify/address: a sign-up with a different address.
func (h *Handlers) VerifyAddress(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	joining, next, err := h.joining(c)
	if err != nil {
		return err
	}
	if joining.ID == "" {
		return h.verifyAddressPage(c, nil, "")
	}
	joining, err = h.accounts.ContinueSignUp(c.Request().Context(), joining, in.Get("email"), middleware.Client(c))
	if err != nil {
		return h.verifyAddressPage(c, err, in.Get("email"))
	}
	h.rememberSignup(c, joining, next)
	return h.site.RedirectWithFlash(c, verifyPath, site.FlashLinkSent, joining.Email)
}

// verifyAddressPage shows the form; failure is the reason for showing it again, or
// nil.
func (h *Handlers) verifyAddressPage(c echo.Context, failure error, typed string) error {
	if site.Identity(c) != nil {
		return site.Redirect(c, "/profile/email")
	}
	joining, _, err := h.joining(c)
	if err != nil {
		return err
	}
	if joining.ID == "" {
		return h.nothingToVerify(c)
	}
	problems, err := h.site.Problems(failure, site.TooManyAttempts)
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.VerifyAddress(h.site.Page(c, "Use a different address"), pages.VerifyAddressForm{
		Email: typed, Errors: problems,
	}))
}
