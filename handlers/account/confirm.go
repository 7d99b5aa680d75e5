package account

import (
	"cmp"
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/middleware"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// ShowConfirm handles GET /confirm. Its query may have next, way (password or code) and
// full.
func (h *Handlers) ShowConfirm(c echo.Context) error {
	in, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	return h.identityPage(c, in, in.Get("way"), nil, nil)
}

// Confirm handles POST /confirm.
func (h *Handlers) Confirm(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	attempt := auth.Confirmation{
		Identity: site.Identity(c), ByCode: in.Has("code"), Full: in.Get("full") != "", Password: in.Get("password"), Code: in.Get("code"),
		Device: h.site.Cookies.Device(c.Request()), Client: middleware.Client(c),
	}
	way := "password"
	if attempt.ByCode {
		way = "code"
	}
	var empty components.Errors
	if attempt.Password == "" && (attempt.Full || !attempt.ByCode) {
		empty.Add(components.CurrentPassword, "Enter your password.")
	}
	if attempt.Code == "" && attempt.ByCode {
		empty.Add("code", "Enter a code.")
	}
	if empty.Any() {
		return h.identityPage(c, in, way, apperr.New(apperr.Invalid, "", errors.New("a field is empty")), empty)
	}
	outcome, err := h.auth.Confirm(c.Request().Context(), attempt)
	if err != nil {
		return err
	}
	if outcome.Refused != "" {
		return h.identityPage(c, in, way, outcome.Cause, h.identityErrors(outcome))
	}
	return site.Redirect(c, afterConfirm(in.Get("next")))
}

// afterConfirm returns the page that a confirmation leads to.
func afterConfirm(next string) string { return cmp.Or(site.SafeNext(next), site.PathSecurity) }

// identityErrors are the words for a refused confirmation.
func (h *Handlers) identityErrors(outcome auth.Outcome) (problems components.Errors) {
	switch outcome.Refused {
	case auth.WrongPassword:
		problems.Add(components.CurrentPassword, "The password is not correct.")
	case auth.WrongCode:
		problems.Add("code", factor.WrongCode)
	case auth.UsedCode:
		problems.Add("code", factor.UsedCode)
	default:
		problems = components.Errors{h.site.TooMany(outcome.Cause, site.TooManyWrong)}
	}
	return problems
}

// identityPage shows the form; failure and problems are the reasons for showing it
// again, or nil.
func (h *Handlers) identityPage(c echo.Context, in site.Form, way string, failure error, problems components.Errors) error {
	me := site.Identity(c)
	factors, err := h.store.Users.Factors(c.Request().Context(), me.UserID)
	if err != nil {
		return err
	}
	next := afterConfirm(in.Get("next"))
	form := pages.IdentityForm{
		Account: cmp.Or(me.Email, me.Username), Next: next, Act: actOf(next), CancelURL: cancelOf(next),
		Passkey: factors.Passkeys > 0 && h.auth.Passkeys().Unavailable() == "", App: factors.App, ByCode: factors.App && way != "password", Full: in.Get("full") != "", Errors: problems,
	}
	if problems.For("code") != "" && in.Get("code") != "" {
		form.Clock = h.site.Now()
	}
	return site.Answer(c, failure, pages.ConfirmIdentity(h.site.Page(c, "Confirm it’s you"), form))
}
