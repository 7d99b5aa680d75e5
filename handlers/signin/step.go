package signin

import (
	"cmp"
	"errors"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// The pages of the second step.
const (
	codePath     = "/login/code"
	recoveryPath = "/login/recovery"
	newAppPath   = site.PathSecurity + "/app"
)

// step is one way to finish a sign-in.
type step struct {
	recovery bool
	title    string
	empty    string // the problem of an empty field
	wrong    string
	used     string
	page     func(layouts.Page, pages.StepForm) templ.Component
}

var codeStep = step{
	title: "Enter your code", empty: "Enter the code from your authenticator app.",
	wrong: factor.WrongCode, used: factor.UsedCode, page: pages.LoginCode,
}

var recoveryStep = step{
	recovery: true, title: "Use a recovery code", empty: "Enter one of your recovery codes.",
	wrong: "That recovery code is not correct.", used: "That recovery code was already used. Use another one.", page: pages.LoginRecovery,
}

// askStep keeps the ticket of half a sign-in and asks for the second step.
func (h *Handlers) askStep(c echo.Context, ticket, next string) error {
	h.site.Cookies.SetTicket(c.Response().Header(), ticket)
	return site.Redirect(c, site.WithNext(codePath, next))
}

// ShowCode handles GET /login/code.
func (h *Handlers) ShowCode(c echo.Context) error { return h.showStep(c, codeStep) }

// ShowRecovery handles GET /login/recovery.
func (h *Handlers) ShowRecovery(c echo.Context) error { return h.showStep(c, recoveryStep) }

// Code handles POST /login/code.
func (h *Handlers) Code(c echo.Context) error { return h.finish(c, codeStep) }

// Recovery handles POST /login/recovery.
func (h *Handlers) Recovery(c echo.Context) error { return h.finish(c, recoveryStep) }

// ShowLost handles GET /login/lost.
func (h *Handlers) ShowLost(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	return site.Show(c, pages.LoginLost(h.site.Page(c, "If you have lost access"), site.SafeNext(query.Get("next")), h.passkeys()))
}

func (h *Handlers) showStep(c echo.Context, s step) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	next := site.SafeNext(query.Get("next"))
	if site.Identity(c) != nil && h.site.Cookies.Ticket(c.Request()) == "" {
		return site.Redirect(c, cmp.Or(next, homePath))
	}
	return h.stepPage(c, s, nil, pages.StepForm{Next: next})
}

// stepPage shows the form of a second step, or leads back to the sign-in page when
// there is nothing to finish. failure is the reason for showing it again, or nil.
func (h *Handlers) stepPage(c echo.Context, s step, failure error, form pages.StepForm) error {
	ticket := h.site.Cookies.Ticket(c.Request())
	if ticket == "" {
		return site.Redirect(c, site.LoginPath(form.Next))
	}
	waiting, err := h.auth.PendingStep(c.Request().Context(), ticket, middleware.Client(c))
	if errors.Is(err, apperr.Gone) {
		return h.stepOver(c, form.Next)
	}
	if err != nil {
		return err
	}
	form.Account = cmp.Or(waiting.Email, waiting.Username)
	form.Passkey = waiting.Passkeys > 0 && h.passkeys()
	return site.Answer(c, failure, s.page(h.site.Page(c, s.title), form))
}

// stepOver leads back to the sign-in page when a ticket no longer works.
func (h *Handlers) stepOver(c echo.Context, next string) error {
	h.site.Cookies.ClearTicket(c.Response().Header())
	return h.site.RedirectWithFlash(c, site.LoginPath(next), site.FlashStepOver)
}

// finish handles the form of a second step.
func (h *Handlers) finish(c echo.Context, s step) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	form := pages.StepForm{Next: site.SafeNext(in.Get("next")), Trust: in.Get("trust") != ""}
	if in.Get("code") == "" {
		form.Errors.Add("code", s.empty)
		return h.stepPage(c, s, apperr.New(apperr.Invalid, "", errors.New("the code is empty")), form)
	}
	outcome, err := h.auth.FinishLogin(c.Request().Context(), auth.StepAttempt{
		Ticket: h.site.Cookies.Ticket(c.Request()), Code: in.Get("code"), Recovery: s.recovery, Trust: form.Trust && !s.recovery,
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	})
	if err != nil {
		return err
	}
	switch outcome.Refused {
	case auth.StepOver:
		return h.stepOver(c, form.Next)
	case auth.WrongCode, auth.UsedCode:
		problem := s.wrong
		if outcome.Refused == auth.UsedCode {
			problem = s.used
		}
		if form.Errors.Add("code", problem); !s.recovery {
			form.Clock = h.site.Now()
		}
		return h.stepPage(c, s, outcome.Cause, form)
	case auth.Limited:
		form.Errors = append(form.Errors, h.site.TooMany(outcome.Cause, "Too many wrong codes."))
		return h.stepPage(c, s, outcome.Cause, form)
	}
	h.site.Cookies.ClearTicket(c.Response().Header())
	if s.recovery {
		h.site.SetFlash(c, site.FlashRecoveryUsed)
		return h.enter(c, outcome.SignedIn, site.WithNext(newAppPath, form.Next))
	}
	return h.enter(c, outcome.SignedIn, cmp.Or(form.Next, homePath))
}

// enter gives the browser its session and sends the person on.
func (h *Handlers) enter(c echo.Context, in *auth.SignedIn, path string) error {
	h.site.SignIn(c, in)
	switch {
	case in.Replayed:
		h.site.SetFlash(c, site.FlashReplayed, in.ReplayID)
	case in.NewPassword && path == homePath:
		h.site.SetFlash(c, site.FlashNewPassword)
	}
	return site.Redirect(c, path)
}
