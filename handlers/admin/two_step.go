package admin

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/views/pages"
)

// ConfirmResetTwoStep handles GET /admin/users/{id}/reset-two-step.
func (h *Handlers) ConfirmResetTwoStep(c echo.Context) error {
	return h.resetTwoStepPage(c, nil, h.site.Draft(c).Get("confirm"))
}

func (h *Handlers) resetTwoStepPage(c echo.Context, failure error, typed string) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	user, err := h.subject(c)
	if err != nil {
		return err
	}
	factors, err := h.store.Users.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	steps := pages.Steps(factors)
	if !steps.Any() {
		return apperr.New(apperr.Conflict, account.NoStep, nil)
	}
	live, err := h.auth.Sessions(c.Request().Context(), user.ID, "")
	if err != nil {
		return err
	}
	return site.Answer(c, failure, pages.Confirm(h.actPage(c, "Reset two-step sign-in of", user),
		pages.ResetTwoStep(target(user), steps, len(live), typed, problems)))
}

// ResetTwoStep handles POST /admin/users/{id}/reset-two-step.
func (h *Handlers) ResetTwoStep(c echo.Context) error {
	in, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	user, ended, err := h.accounts.ResetTwoStep(c.Request().Context(), h.actor(c), id, in.Get("confirm"))
	if errors.Is(err, apperr.Invalid) {
		return h.resetTwoStepPage(c, err, in.Get("confirm"))
	}
	if err != nil {
		return err
	}
	return h.site.RedirectWithFlash(c, userPath(id), site.FlashTwoStepReset, user.Name(), site.CountAny(ended, "session"))
}
