package handlers

import (
	"cmp"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/handlers/api"
	"latchkey/handlers/forward"
	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// statusOf is the one table from the kind of a failure to its status. A failure
// without a kind is a fault of ours: 500.
var statusOf = map[apperr.Kind]int{
	apperr.Malformed:    http.StatusBadRequest,
	apperr.Unauthorized: http.StatusUnauthorized, // for a page: 303 to sign in
	apperr.Forbidden:    http.StatusForbidden,
	apperr.Disabled:     http.StatusForbidden,
	apperr.NotFound:     http.StatusNotFound,
	apperr.WrongMethod:  http.StatusMethodNotAllowed,
	apperr.Conflict:     http.StatusConflict,
	apperr.Gone:         http.StatusGone,
	apperr.TooLarge:     http.StatusRequestEntityTooLarge,
	apperr.TooSlow:      http.StatusRequestTimeout,
	apperr.Unsupported:  http.StatusUnsupportedMediaType,
	apperr.Misdirected:  http.StatusMisdirectedRequest,
	apperr.Invalid:      http.StatusUnprocessableEntity,
	apperr.TooMany:      http.StatusTooManyRequests,
	apperr.Locked:       http.StatusTooManyRequests,
	apperr.Busy:         http.StatusServiceUnavailable,
	apperr.Unavailable:  http.StatusServiceUnavailable,
	apperr.Loop:         http.StatusLoopDetected,
	apperr.Canceled:     499, // only in the log: the client is gone
	"":                  http.StatusInternalServerError,
}

// Failures returns the statuses that say that the portal failed, the lowest first.
func Failures() []int {
	var list []int
	for _, status := range statusOf {
		if status >= http.StatusInternalServerError {
			list = append(list, status)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// kindOf returns the kind of a failure, including those of Echo's router, or ""
// for a fault of ours.
func kindOf(err error) apperr.Kind {
	if kind := apperr.KindOf(err); kind != "" {
		return kind
	}
	if routing, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch routing.Code {
		case http.StatusNotFound:
			return apperr.NotFound
		case http.StatusMethodNotAllowed:
			return apperr.WrongMethod
		}
	}
	return ""
}

// HandleError is the only place where a failure becomes a response.
func (h *Handlers) HandleError(err error, c echo.Context) {
	kind := kindOf(err)
	status := statusOf[kind]
	page, hasPage := errors.AsType[*site.PageError](err)
	h.logFailure(c, status, hasPage, err)
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	if status == http.StatusServiceUnavailable {
		header.Del("Set-Cookie") // the state is unknown, so cookies stay as they are
	}
	wait := retryAfter(status, err)
	if wait > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if !hasPage {
		h.site.Cookies.LeaveFlash(header)
	}
	var answer error
	switch {
	case hasPage:
		answer = latchkey.Render(c, status, page.Page)
	case c.Path() == readyPath:
		answer = c.String(status, "not ready\n")
	case api.Answers(c.Request()):
		answer = h.api.Answer(c, api.Failure{Kind: kind, Status: status, Err: err, Wait: wait})
	case kind == apperr.NotFound && strings.HasPrefix(c.Request().URL.Path, "/.well-known/"):
		answer = c.String(status, "not found\n") // programs probe it for many documents that the portal does not have
	case c.Path() == forward.Path:
		answer = h.refuseForward(c, kind, err, wait)
	case wantsJSON(c.Request()), h.scripts[c.Path()]:
		answer = h.problem(c, kind, err)
	case kind == apperr.Unauthorized:
		answer = h.toLogin(c)
	case errors.Is(err, middleware.ErrUnverified):
		answer = site.Redirect(c, site.VerifyPath(h.site.ReturnTo(c)))
	case errors.Is(err, middleware.ErrLacksStep), errors.Is(err, auth.ErrUsePasskey):
		answer = site.Redirect(c, site.WithNext(site.PathSecurity, h.site.ReturnTo(c)))
	case errors.Is(err, auth.ErrUnconfirmed):
		answer = h.site.ToConfirm(c)
	default:
		answer = h.errorPage(c, kind, err, wait)
	}
	if answer != nil {
		h.logger.ErrorContext(c.Request().Context(), "answer with an error", "request_id", middleware.Of(c).ID, "error", answer.Error())
		if !c.Response().Committed {
			c.Response().WriteHeader(status)
		}
	}
}

// logFailure writes the cause; only the reference reaches the visitor. A
// refusal without a page of its own is a security event.
func (h *Handlers) logFailure(c echo.Context, status int, hasPage bool, err error) {
	level := slog.LevelDebug
	message := "request failed"
	switch {
	case status >= http.StatusInternalServerError:
		level = slog.LevelError
	case errors.Is(err, middleware.ErrUnverified), errors.Is(err, middleware.ErrLacksStep), errors.Is(err, auth.ErrUsePasskey), errors.Is(err, auth.ErrUnconfirmed):
	case !hasPage && (status == http.StatusForbidden || status == http.StatusMisdirectedRequest):
		level, message = slog.LevelWarn, "security"
	}
	attrs := []slog.Attr{
		slog.String("request_id", middleware.Of(c).ID), slog.String("path", middleware.Path(c)), slog.Int("status", status),
		slog.String("error", err.Error()),
	}
	if message == "security" {
		attrs = append(attrs, slog.String("event", "request-refused"), slog.String("ip", c.RealIP()))
	}
	h.logger.LogAttrs(c.Request().Context(), level, message, attrs...)
}

// retryAfter returns how long the visitor should wait, or 0 if waiting does not
// help.
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

// toLogin sends a visitor who has to sign in to the sign-in page, with the
// reason when their session has ended.
func (h *Handlers) toLogin(c echo.Context) error {
	if state := middleware.Of(c); state.Stale {
		h.site.FlashEndReason(c, state.Ended)
	}
	return site.Redirect(c, site.LoginPath(h.site.ReturnTo(c)))
}

// nextOf returns the page that a person has to visit before a script can act for them,
// "" when that does not help.
func (h *Handlers) nextOf(c echo.Context, kind apperr.Kind, err error) string {
	switch {
	case kind == apperr.Unauthorized && messageOf(err) == "":
		return site.LoginPath(h.site.ReturnTo(c))
	case errors.Is(err, middleware.ErrUnverified):
		return site.VerifyPath(h.site.ReturnTo(c))
	case errors.Is(err, auth.ErrUnconfirmed):
		return site.WithNext(site.PathConfirm, h.site.ReturnTo(c))
	case errors.Is(err, account.ErrNotFully):
		return site.WithNext(site.PathConfirm, h.site.ReturnTo(c)) + "&full=1"
	}
	return ""
}

// errorPage renders the page of a failure. It needs no database, and leaves the
// message of a redirect for its page.
func (h *Handlers) errorPage(c echo.Context, kind apperr.Kind, err error, wait time.Duration) error {
	view := h.errorWords(c, kind, err, wait)
	view.Reference = middleware.Of(c).ID
	if kind == apperr.Misdirected { // on that host a stylesheet would be refused as well
		return latchkey.Render(c, statusOf[kind], pages.Bare(h.site.Brand.Name, view))
	}
	page := h.site.Frame(c, view.Heading)
	query := c.Request().URL.Query()
	page.NoIndex = query.Has("token") || query.Has("invite")
	return latchkey.Render(c, statusOf[kind], pages.Error(page, view))
}

// refuseForward responds to a proxy whose request is refused.
func (h *Handlers) refuseForward(c echo.Context, kind apperr.Kind, err error, wait time.Duration) error {
	if page := h.forward.Refusal(c, err, h.errorWords(c, kind, err, wait)); page != nil {
		return latchkey.Render(c, statusOf[kind], page)
	}
	return h.problem(c, kind, err)
}

// wantsJSON reports whether the caller asks for JSON and not for a page.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

// problem responds with a problem document (RFC 9457).
func (h *Handlers) problem(c echo.Context, kind apperr.Kind, err error) error {
	view := h.errorWords(c, kind, err, apperr.Details(err).RetryAfter)
	problem := struct {
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Reference string `json:"reference"`
		Next      string `json:"next,omitempty"`    // where a script takes the person
		Unknown   bool   `json:"unknown,omitempty"` // the browser can forget the passkey
	}{Title: view.Heading, Status: statusOf[kind], Detail: view.Text, Reference: middleware.Of(c).ID}
	if h.scripts[c.Path()] {
		problem.Next, problem.Unknown = h.nextOf(c, kind, err), errors.Is(err, auth.ErrUnknownPasskey)
		problem.Detail = cmp.Or(messageOf(err), view.Text)
	}
	body, marshalErr := json.Marshal(problem)
	if marshalErr != nil {
		return marshalErr
	}
	return c.Blob(statusOf[kind], "application/problem+json", body)
}
