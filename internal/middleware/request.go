// Package middleware runs before every handler: it gives the request an id,
// logs it, recovers from panics, sets headers, checks the origin and identifies
// the person.
//
// Authenticate attaches an identity or nothing and never rejects; RequireUser
// and RequireAdmin reject, and are named where a route is declared. Package
// handlers turns the returned errors into texts and statuses.
package middleware

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/auth"
	"latchkey/models"
)

// stateKey is the key of the State in the context of Echo.
const stateKey = "latchkey"

// State is the state of one request.
type State struct {
	ID       string // in the log, on error pages and in X-Request-Id
	Identity *auth.Identity
	Renewed  bool          // the session rotated: this response sets new cookies
	Stale    bool          // the request has token cookies whose session is known to be over
	Ended    models.Reason // why their session is over, if that is known
	Proxied  bool          // the peer is a trusted proxy
}

// Of returns the request's State. It is never nil.
func Of(c echo.Context) *State {
	if s, ok := c.Get(stateKey).(*State); ok {
		return s
	}
	s := &State{ID: newRequestID()}
	c.Set(stateKey, s)
	return s
}

// Client returns where the request came from. The address is unknown when a
// trusted proxy did not send it.
func Client(c echo.Context) auth.Client {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil || AddressHidden(c) {
		addr = netip.Addr{}
	}
	agent := c.Request().UserAgent()
	return auth.Client{IP: addr, UserAgent: clean(agent, 256), RequestID: Of(c).ID}
}

// AddressHidden reports whether a trusted proxy did not send its client's
// address.
func AddressHidden(c echo.Context) bool {
	return Of(c).Proxied && c.Request().Header.Get(echo.HeaderXForwardedFor) == ""
}

// clean cuts text to n bytes of printable ASCII, for logs and for the list of
// devices.
func clean(text string, n int) string {
	text = text[:min(len(text), n)]
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return cleaned(text)
		}
	}
	return text
}

// Path returns the path of a request for logs: printable and not long. The query is
// left out, because it may contain the token of a link.
func Path(c echo.Context) string { return clean(c.Request().URL.EscapedPath(), 256) }

func cleaned(text string) string {
	kept := make([]byte, 0, len(text))
	for i := range len(text) {
		if text[i] >= ' ' && text[i] <= '~' {
			kept = append(kept, text[i])
		}
	}
	return string(kept)
}

// foreignID matches request ids that are accepted from a trusted proxy.
var foreignID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// RequestID gives each request an id that a person can read out, such as
// 4FJK-9Q2M. It keeps the id that a trusted proxy sent.
func RequestID(trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			state := &State{Proxied: fromProxy(c.Request(), trusted)}
			if given := c.Request().Header.Get(echo.HeaderXRequestID); state.Proxied && foreignID.MatchString(given) {
				state.ID = given
			} else {
				state.ID = newRequestID()
			}
			c.Set(stateKey, state)
			c.Response().Header()[echo.HeaderXRequestID] = []string{state.ID}
			return next(c)
		}
	}
}

// newRequestID returns 40 random bits in Crockford's base32, in two groups.
func newRequestID() string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	id := make([]byte, 0, 9)
	for i, b := range random {
		if i == 4 {
			id = append(id, '-')
		}
		id = append(id, alphabet[b&31])
	}
	return string(id)
}

func fromProxy(r *http.Request, trusted []netip.Prefix) bool {
	if len(trusted) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, prefix := range trusted {
		if prefix.Contains(peer.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// Log writes one line for each request after its response. It leaves out
// queries, because they may contain the token of a link.
func Log(logger *slog.Logger, handle func(error, echo.Context)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				handle(err, c) // here, so that the line has the status
			}
			if logger.Enabled(c.Request().Context(), slog.LevelInfo) {
				logRequest(logger, c, time.Since(start))
			}
			return nil
		}
	}
}

func logRequest(logger *slog.Logger, c echo.Context, took time.Duration) {
	r, state := c.Request(), Of(c)
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs,
		slog.String("request_id", state.ID), slog.String("method", clean(r.Method, 16)),
		slog.String("path", Path(c)), slog.Int("status", c.Response().Status),
		slog.Int64("bytes", c.Response().Size), slog.Duration("took", took.Round(time.Microsecond)),
		slog.String("ip", c.RealIP()))
	if state.Identity != nil {
		attrs = append(attrs, slog.String("user", state.Identity.UserID))
	}
	logger.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}
