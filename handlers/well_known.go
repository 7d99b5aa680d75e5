package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
)

// changePassword handles GET /.well-known/change-password, where password
// managers look for the page to change a password (W3C "A Well-Known URL for
// Changing Passwords").
func (h *Handlers) changePassword(c echo.Context) error { return site.Redirect(c, "/profile/password") }

// passkeyEndpoints handles GET /.well-known/passkey-endpoints, where password managers
// look for the pages about passkeys (W3C "A Well-Known URL for Relying Party Passkey
// Endpoints").
func (h *Handlers) passkeyEndpoints(c echo.Context) error {
	if h.auth.Passkeys().Unavailable() != "" {
		return apperr.New(apperr.NotFound, "", nil)
	}
	return c.JSON(http.StatusOK, struct {
		Enroll string `json:"enroll"`
		Manage string `json:"manage"`
	}{h.site.PublicURL + site.PathSecurity + "/passkeys/new", h.site.PublicURL + site.PathSecurity})
}
