package handlers

import (
	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
)

// changePassword handles GET /.well-known/change-password, where password
// managers look for the page to change a password (W3C "A Well-Known URL for
// Changing Passwords").
func (h *Handlers) changePassword(c echo.Context) error { return site.Redirect(c, "/profile/password") }
