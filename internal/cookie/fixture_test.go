package cookie_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/internal/cookie"
)

// sealKey is the key of the jars in tests.
var sealKey = []byte("0123456789abcdef0123456789abcdef")

func open(t *testing.T, o cookie.Options) *cookie.Jar {
	t.Helper()
	jar, err := cookie.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// jarAt returns a jar that reads its clock from now.
func jarAt(t *testing.T, secure bool, now *time.Time) *cookie.Jar {
	t.Helper()
	return open(t, cookie.Options{Secure: secure, Keys: [][]byte{sealKey}, Now: func() time.Time { return *now }})
}

func newJar(t *testing.T, secure bool) *cookie.Jar {
	t.Helper()
	now := epoch
	return jarAt(t, secure, &now)
}

var epoch = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)

// request returns a request with these Cookie headers.
func request(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, header := range headers {
		r.Header.Add("Cookie", header)
	}
	return r
}

// back returns the Cookie header that a browser would send after a response.
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
