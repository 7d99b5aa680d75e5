package signin

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/models"
)

// PasskeyOptions handles POST /login/passkey/options. The answer is the same for every
// visitor.
func (h *Handlers) PasskeyOptions(c echo.Context) error {
	options, err := h.auth.LoginOptions()
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, options)
}

// LoginPasskey handles POST /login/passkey. It is also the second step of a sign-in
// with a password: a passkey counts as both.
func (h *Handlers) LoginPasskey(c echo.Context) error {
	in, err := site.ReadScript(c)
	if err != nil {
		return err
	}
	signedIn, err := h.auth.LoginPasskey(c.Request().Context(), auth.PasskeyLogin{
		Answer: in.Credential, Remember: in.Remember == nil || *in.Remember,
		Device: h.site.Cookies.Device(c.Request()), Presented: h.site.Presented(c), Client: middleware.Client(c),
	})
	if errors.Is(err, apperr.Disabled) {
		return apperr.New(apperr.Disabled, h.site.EndReason(models.ReasonDisabled).Text, err)
	}
	if err != nil {
		return err
	}
	h.site.SignIn(c, signedIn)
	if h.site.Cookies.Ticket(c.Request()) != "" {
		h.site.Cookies.ClearTicket(c.Response().Header())
	}
	if signedIn.Replayed {
		h.site.SetFlash(c, site.FlashReplayed, signedIn.ReplayID)
	}
	return site.AnswerNext(c, cmp.Or(site.SafeNext(in.Next), homePath))
}

// passkeys reports whether people can sign in with passkeys here.
func (h *Handlers) passkeys() bool { return h.auth.Passkeys().Unavailable() == "" }
