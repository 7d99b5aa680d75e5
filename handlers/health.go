package handlers

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
)

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// healthz handles GET /healthz: the process responds.
func (h *Handlers) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz handles GET /readyz: the database responds and has our schema.
// HandleError responds to a failure, as text.
func (h *Handlers) readyz(c echo.Context) error {
	if err := h.auth.Ready(c.Request().Context()); err != nil {
		return apperr.New(apperr.Unavailable, "", fmt.Errorf("not ready: %w", err))
	}
	return c.String(http.StatusOK, "ready\n")
}
