package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// policy is the content security policy of responses that are not pages.
const policy = "default-src 'none'; frame-ancestors 'none'; sandbox"

// Guard sets the API's own headers on every response of the API, errors and
// unknown paths included, in place of the headers of pages. It also lets scripts
// of the origins that the operator listed read the responses (CORS, Fetch
// Standard §3.2). Scripts of every origin may read the metadata. Credentials are
// never allowed: the API reads no cookies.
func (a *API) Guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !Answers(r) {
			return next(c)
		}
		h := c.Response().Header()
		h["Content-Security-Policy"] = []string{policy}
		switch r.URL.Path {
		case tokenPath, tokenPathSlash, loginPath, tutorialRefreshPath:
			h["Pragma"] = []string{"no-cache"} // RFC 6749 §5.1
		}
		if r.URL.Path == metadataPath { // the same for everyone (RFC 8414 §3)
			delete(h, "Vary")
			if allow(h, r, "*") {
				h.Set("Access-Control-Allow-Methods", "GET, HEAD")
				h.Set("Access-Control-Allow-Headers", "*")
				return c.NoContent(http.StatusNoContent)
			}
			return next(c)
		}
		if len(a.origins) == 0 {
			delete(h, "Vary")
			return next(c)
		}
		h["Vary"] = []string{"Origin"}
		if origin := r.Header["Origin"]; len(origin) == 1 && a.origins[origin[0]] {
			if allow(h, r, origin[0]) {
				return c.NoContent(http.StatusNoContent)
			}
		}
		return next(c)
	}
}

// allow lets a script of the origin read this response. It reports whether the
// request was a preflight, whose response has only headers.
func allow(h http.Header, r *http.Request, origin string) (preflight bool) {
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, Link, X-Request-Id")
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	return true
}
