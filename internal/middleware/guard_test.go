package middleware_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

// TestHeadersApart: what one answer adds does not show on another.
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

func TestBounds(t *testing.T) {
	limits := middleware.Limits{Body: 100, SmallBody: 10, Small: map[string]bool{"/login": true}, Timeout: time.Minute, Concurrent: 5}
	var failure error
	s := newSite(func(c echo.Context) error {
		if _, set := c.Request().Context().Deadline(); !set {
			t.Error("the request has no deadline")
		}
		_, failure = io.ReadAll(c.Request().Body)
		return ok(c)
	}, middleware.Bounds(limits))
	tests := []struct {
		path       string
		size       int
		said, read bool // refused by Content-Length; by reading, without one
	}{
		{"/profile", 0, false, false},
		{"/profile", 100, false, false},
		{"/profile", 101, true, true},
		{"/profile", 10 << 20, true, true},
		{"/login", 10, false, false},
		{"/login", 11, true, true},
	}
	for _, test := range tests {
		name := fmt.Sprintf("%d bytes to %s", test.size, test.path)
		body := strings.Repeat("x", test.size)
		w := s.serve(httptest.NewRequest(http.MethodPost, test.path, strings.NewReader(body)))
		if got := w.Code == http.StatusRequestEntityTooLarge; got != test.said || !got && failure != nil {
			t.Errorf("%s: status %d (%v), want refused: %v", name, w.Code, failure, test.said)
		}
		chunked := httptest.NewRequest(http.MethodPost, test.path, io.MultiReader(strings.NewReader(body)))
		chunked.ContentLength = -1
		failure = nil
		s.serve(chunked)
		_, tooLarge := errors.AsType[*http.MaxBytesError](failure)
		if tooLarge != test.read || failure != nil && !tooLarge {
			t.Errorf("%s, chunked: %v, want refused: %v", name, failure, test.read)
		}
	}
}

func TestConcurrent(t *testing.T) {
	const most = 3
	entered, leave := make(chan struct{}), make(chan struct{})
	s := newSite(func(c echo.Context) error {
		if c.Request().URL.Path == "/slow" {
			entered <- struct{}{}
			<-leave
		}
		return ok(c)
	}, middleware.Bounds(middleware.Limits{Body: 1, Timeout: time.Minute, Concurrent: most}))
	done := make(chan int)
	for range most {
		go func() {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/slow", nil))
			done <- w.Code
		}()
		<-entered
	}
	for path, want := range map[string]int{"/": http.StatusServiceUnavailable, "/healthz": http.StatusOK, "/readyz": http.StatusOK} {
		if w := s.ask(http.MethodGet, path); w.Code != want {
			t.Errorf("%s past the limit: status %d, want %d", path, w.Code, want)
		}
	}
	close(leave)
	for range most {
		if got := <-done; got != http.StatusOK {
			t.Errorf("a slow request: status %d", got)
		}
	}
	for range 2 * most { // the places are free again
		if w := s.ask(http.MethodGet, "/"); w.Code != http.StatusOK {
			t.Errorf("afterwards: status %d", w.Code)
		}
	}
}
