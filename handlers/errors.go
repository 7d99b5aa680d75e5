package handlers

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/handlers/api"
	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// statusOf is the one table from the class of a failure to its status. What
// has no class is a fault of ours.
var statusOf = map[apperr.Kind]int{
	apperr.Malformed:    http.StatusBadRequest,
	apperr.Unauthorized: http.StatusUnauthorized,
	apperr.Forbidden:    http.StatusForbidden,
	apperr.Disabled:     http.StatusForbidden,
	apperr.NotFound:     http.StatusNotFound,
	apperr.Conflict:     http.StatusConflict,
	apperr.TooLarge:     http.StatusRequestEntityTooLarge,
	apperr.Unsupported:  http.StatusUnsupportedMediaType,
	apperr.Misdirected:  http.StatusMisdirectedRequest,
	apperr.Invalid:      http.StatusUnprocessableEntity,
	apperr.TooMany:      http.StatusTooManyRequests,
	apperr.Busy:         http.StatusServiceUnavailable,
	apperr.Unavailable:  http.StatusServiceUnavailable,
	apperr.Canceled:     499, // nobody reads it; the log does
}

// classify returns the status of a failure.
func classify(err error) int {
	if status, ok := statusOf[apperr.KindOf(err)]; ok {
		return status
	}
	if routing, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch routing.Code {
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return routing.Code
		}
	}
	return http.StatusInternalServerError
}

// HandleError is the only place where a failure becomes a response.
func (h *Handlers) HandleError(err error, c echo.Context) {
	status := classify(err)
	h.logFailure(c, status, err)
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	if status == http.StatusServiceUnavailable {
		header.Del("Set-Cookie") // nothing is known: no cookie is touched
	}
	h.cookies.LeaveFlash(header)
	wait := retryAfter(status, err)
	if wait > 0 {
		setRetryAfter(c, wait)
	}
	var answer error
	switch {
	case api.Owns(c.Request().URL.Path):
		answer = h.api.Answer(c, status, err, wait)
	case c.Path() == pathForwardAuth:
		answer = h.refuseForward(c, status, err, wait)
	case wantsJSON(c.Request()):
		answer = h.problem(c, status, err)
	case status == http.StatusUnauthorized:
		answer = h.toLogin(c)
	default:
		answer = h.errorPage(c, status, err, wait)
	}
	if answer != nil {
		h.logger.ErrorContext(c.Request().Context(), "answer with an error", "request_id", middleware.Of(c).ID, "error", answer.Error())
		if !c.Response().Committed {
			c.Response().WriteHeader(status)
		}
	}
}

// logFailure writes the cause; only the reference reaches the visitor.
func (h *Handlers) logFailure(c echo.Context, status int, err error) {
	level := slog.LevelDebug
	message := "request failed"
	switch {
	case status >= 500:
		level = slog.LevelError
	case status == http.StatusForbidden || status == http.StatusMisdirectedRequest:
		level, message = slog.LevelWarn, "security"
	}
	attrs := []slog.Attr{
		slog.String("request_id", middleware.Of(c).ID), slog.Int("status", status), slog.String("error", err.Error()),
	}
	if message == "security" {
		attrs = append(attrs, slog.String("event", "request-refused"), slog.String("ip", c.RealIP()))
	}
	h.logger.LogAttrs(c.Request().Context(), level, message, attrs...)
}

func retryAfter(status int, err error) time.Duration {
	wait := apperr.Details(err).RetryAfter
	switch {
	case wait > 0:
		return wait
	case status == http.StatusServiceUnavailable:
		return 5 * time.Second
	case status == http.StatusTooManyRequests:
		return time.Minute
	}
	return 0
}

// toLogin sends somebody who has to sign in there and back, with the reason
// when a session ended.
func (h *Handlers) toLogin(c echo.Context) error {
	state := middleware.Of(c)
	if state.Stale {
		h.cookies.SetFlash(c.Response().Header(), endedFlash(state.Ended))
	}
	target := "/login"
	if next := safeNext(h.formPage(c)); next != "" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// errorPage renders the page of a status. It needs no database, and leaves the
// message of a redirect for the page that it was meant for.
func (h *Handlers) errorPage(c echo.Context, status int, err error, wait time.Duration) error {
	view := h.errorWords(c, status, err, wait)
	view.Reference = middleware.Of(c).ID
	if status == http.StatusMisdirectedRequest {
		// On that address a stylesheet would be refused as well.
		return latchkey.Render(c, status, pages.Bare(h.brand.Name, view))
	}
	page := h.frame(c, view.Heading)
	page.NoIndex = c.Request().URL.Query().Has("token")
	return latchkey.Render(c, status, pages.Error(page, view))
}

// wantsJSON reports whether the caller asks for JSON and not for a page.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// problem answers with a problem document (RFC 9457).
func (h *Handlers) problem(c echo.Context, status int, err error) error {
	view := h.errorWords(c, status, err, apperr.Details(err).RetryAfter)
	body, marshalErr := json.Marshal(struct {
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Reference string `json:"reference"`
	}{view.Heading, status, view.Text, middleware.Of(c).ID})
	if marshalErr != nil {
		return marshalErr
	}
	return c.Blob(status, "application/problem+json", body)
}
