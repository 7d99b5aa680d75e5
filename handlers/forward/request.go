package forward

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
)

// original is the request that a proxy asks about.
type original struct{ forwardauth.Request }

// askedFor reads the original request from the headers of a trusted proxy. It
// refuses any other client.
func (h *Handlers) askedFor(c echo.Context) (original, error) {
	switch {
	case h.apps.Empty():
		return original{}, apperr.New(apperr.Forbidden, "Forward-auth is off. Set LATCHKEY_FORWARD_AUTH_FILE to turn it on.",
			errors.New("forward-auth: LATCHKEY_FORWARD_AUTH_FILE is not set"))
	case !middleware.Of(c).Proxied:
		return original{}, apperr.New(apperr.Forbidden, "Only proxies listed in LATCHKEY_TRUSTED_PROXIES may call this address.",
			fmt.Errorf("forward-auth: asked from %s, which LATCHKEY_TRUSTED_PROXIES does not list", c.Request().RemoteAddr))
	}
	var o original
	for _, part := range []struct {
		name string
		into *string
	}{
		{"X-Forwarded-Method", &o.Method},
		{echo.HeaderXForwardedProto, &o.Scheme},
		{"X-Forwarded-Host", &o.Host},
		{"X-Forwarded-Uri", &o.URI},
	} {
		lines := c.Request().Header[part.name]
		if len(lines) != 1 || lines[0] == "" {
			return o, apperr.New(apperr.Malformed, "The proxy must send "+part.name+" once.",
				fmt.Errorf("forward-auth: %d lines of %s", len(lines), part.name))
		}
		*part.into = lines[0]
	}
	switch o.Scheme { // some proxies send the scheme of a WebSocket
	case "ws":
		o.Scheme = "http"
	case "wss":
		o.Scheme = "https"
	}
	if strings.EqualFold(o.Host, h.own) {
		return o, apperr.New(apperr.Forbidden, "This is the portal's own address. Only the apps beside it are protected by forward-auth.",
			errors.New("forward-auth: asked about the portal's own host; let the proxy ask about the apps only"))
	}
	// The proxy passes the headers of the original request on.
	o.Preflight = o.Method == http.MethodOptions && c.Request().Header.Get(echo.HeaderOrigin) != "" &&
		c.Request().Header.Get(echo.HeaderAccessControlRequestMethod) != ""
	return o, nil
}

// navigates reports whether the original request opens a page in a browser and
// can be repeated after signing in. A form that was sent cannot.
func (o original) navigates(r *http.Request) bool {
	return (o.Method == http.MethodGet || o.Method == http.MethodHead) && showsPage(r)
}

// showsPage reports whether a browser shows the response to the original
// request as a page, and not a script, an image or an API client (W3C Fetch
// Metadata; without it, a client that accepts HTML is a browser).
func showsPage(r *http.Request) bool {
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
