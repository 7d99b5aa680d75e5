package cookie_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/cookie"
)

// jarAt returns a jar whose clock is read from now.
func jarAt(secure bool, now *time.Time) *cookie.Jar {
	return cookie.New(cookie.Options{Secure: secure, FlashKey: []byte("0123456789abcdef0123456789abcdef"), Now: func() time.Time { return *now }})
}

func newJar(secure bool) *cookie.Jar {
	now := epoch
	return jarAt(secure, &now)
}

var epoch = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)

// request carries cookies in the form of a Cookie header, one header each.
func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, header := range headers {
		r.Header.Add("Cookie", header)
	}
	return r
}

// back returns the Cookie header that a browser sends after a response.
func back(t *testing.T, h http.Header) string {
	t.Helper()
	var pairs []string
	for _, line := range h.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if c.MaxAge >= 0 {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}
