package middleware_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"latchkey/internal/middleware"
)

// wantHeaders are those of docs/security.md, with http and with https.
func wantHeaders(https bool) http.Header {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		"manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	h := http.Header{
		"X-Content-Type-Options":            {"nosniff"},
		"Referrer-Policy":                   {"same-origin"},
		"X-Frame-Options":                   {"DENY"},
		"Cross-Origin-Opener-Policy":        {"same-origin"},
		"Cross-Origin-Resource-Policy":      {"same-origin"},
		"Origin-Agent-Cluster":              {"?1"},
		"X-Permitted-Cross-Domain-Policies": {"none"},
		"X-Xss-Protection":                  {"0"},
		"Cache-Control":                     {"no-store"},
		"Vary":                              {"Cookie, Sec-Fetch-Site"},
		"Permissions-Policy": {"accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), " +
			"usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"},
	}
	if https {
		policy += "; upgrade-insecure-requests"
		h["Strict-Transport-Security"] = []string{"max-age=63072000; includeSubDomains"}
	}
	h["Content-Security-Policy"] = []string{policy}
	return h
}

func TestHeaders(t *testing.T) {
	outcomes := map[string]struct {
		handler echo.HandlerFunc
		status  int
	}{
		"200":      {ok, http.StatusOK},
		"an error": {func(echo.Context) error { return errors.New("broken") }, http.StatusInternalServerError},
		"a panic":  {func(echo.Context) error { panic("broken") }, http.StatusInternalServerError},
		"a nil dereference": {func(echo.Context) error {
			var nobody *http.Request
			return errors.New(nobody.Host)
		}, http.StatusInternalServerError},
	}
	for name, outcome := range outcomes {
		for _, https := range []bool{false, true} {
			s := logged(outcome.handler, middleware.Headers(middleware.HeaderOptions{HTTPS: https, HSTSIncludeSubdomains: true}))
			w := s.ask(http.MethodGet, "/")
			got := w.Header().Clone()
			got.Del("X-Request-Id")
			if diff := cmp.Diff(wantHeaders(https), got); diff != "" || w.Code != outcome.status {
				t.Errorf("%s, https %v: status %d, headers (-want +got):\n%s", name, https, w.Code, diff)
			}
		}
	}
	s := newSite(ok, middleware.Headers(middleware.HeaderOptions{HTTPS: true}))
	if got := s.ask(http.MethodGet, "/").Header().Get("Strict-Transport-Security"); got != "max-age=63072000" {
		t.Errorf("HSTS without subdomains: %q", got)
	}
}

// TestHeadersApart checks that a header added to one response does not appear on
// another.
func TestHeadersApart(t *testing.T) {
	s := newSite(func(c echo.Context) error {
		c.Response().Header().Add("Vary", "Accept-Encoding")
		c.Response().Header().Set("Cache-Control", "public")
		return ok(c)
	}, middleware.Headers(middleware.HeaderOptions{}))
	for range 2 {
		h := s.ask(http.MethodGet, "/").Header()
		if got := h.Values("Vary"); len(got) != 2 || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("Vary is %q", got)
		}
	}
}

func TestRecover(t *testing.T) {
	s := logged(func(echo.Context) error { panic("at the disco") })
	if w := s.ask(http.MethodGet, "/"); w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
	if s.last == nil || !strings.Contains(s.last.Error(), "at the disco") || !strings.Contains(s.last.Error(), "guard_test.go") {
		t.Errorf("the error has no cause or stack: %v", s.last)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the order to drop the connection is swallowed")
		}
	}()
	logged(func(echo.Context) error { panic(http.ErrAbortHandler) }).ask(http.MethodGet, "/")
}
