package middleware_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"latchkey/internal/middleware"
)

func TestNewOriginRefuses(t *testing.T) {
	for _, url := range []string{"", "portal.example", "/path", "http://", "https://%zz"} {
		if _, err := middleware.NewOrigin(url); err == nil {
			t.Errorf("%q: accepted", url)
		}
	}
}

func TestCheckHost(t *testing.T) {
	tests := []struct {
		publicURL string
		path      string
		host      string
		want      bool
	}{
		{"https://portal.example", "/", "portal.example", true},
		{"https://portal.example", "/", "portal.example:443", true},
		{"https://portal.example", "/", "PORTAL.Example", true},
		{"https://portal.example", "/", "portal.example:80", false},
		{"https://portal.example", "/", "portal.example:8443", false},
		{"https://portal.example", "/", "portal.example.", false},
		{"https://portal.example", "/", "evil.example", false},
		{"https://portal.example", "/", "portal.example.evil.example", false},
		{"https://portal.example", "/", "evil.example@portal.example", false},
		{"https://portal.example", "/", "portal.example:443:443", false},
		{"https://portal.example", "/", "localhost", false},
		{"https://portal.example", "/", "", false},
		{"https://portal.example", "/login", "evil.example", false},
		{"https://portal.example", "/healthz", "evil.example", true},
		{"https://portal.example", "/readyz", "10.0.0.7:8080", true},
		{"https://portal.example", "/healthz/x", "evil.example", false},
		{"https://portal.example", "/forward-auth", "app.example", true},
		{"https://portal.example", "/forward-auth/", "app.example", false},
		{"https://portal.example", "/continue", "app.example", false},
		{"https://portal.example", "/static/x", "evil.example", false},
		{"https://portal.example:8443", "/", "portal.example:8443", true},
		{"https://portal.example:8443", "/", "portal.example", false},
		{"http://portal.example", "/", "portal.example:80", true},
		{"http://portal.example", "/", "portal.example:443", false},
		{"http://localhost:8080", "/", "localhost:8080", true},
		{"http://localhost:8080", "/", "127.0.0.1:8080", true},
		{"http://localhost:8080", "/", "[::1]:8080", true},
		{"http://localhost:8080", "/", "localhost", false},
		{"http://localhost:8080", "/", "localhost:9090", false},
		{"http://localhost:8080", "/", "127.0.0.2:8080", false},
		{"http://localhost:8080", "/", "sub.localhost:8080", false},
		{"http://127.0.0.1:8080", "/", "localhost:8080", true},
		{"http://[::1]:8080", "/", "localhost:8080", true},
		{"http://[::1]:8080", "/", "[::1]:8080", true},
		{"http://localhost", "/", "localhost:80", true},
		{"http://192.0.2.1:8080", "/", "localhost:8080", false},
	}
	for _, test := range tests {
		s := newSite(ok, newOrigin(t, test.publicURL).CheckHost)
		w := s.ask(http.MethodGet, test.path, "Host", test.host)
		if want := map[bool]int{true: http.StatusOK, false: http.StatusMisdirectedRequest}[test.want]; w.Code != want {
			t.Errorf("%s%s with Host %q: status %d, want %d", test.publicURL, test.path, test.host, w.Code, want)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	const own, site, mode, from = "https://portal.example", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Origin"
	tests := []struct {
		name   string
		method string
		lines  []string
		want   bool
	}{
		{"a form of ours", "POST", []string{site, "same-origin", from, own}, true},
		{"a form of ours, an old browser", "POST", []string{from, own}, true},
		{"no browser", "POST", nil, true},
		{"typed or a bookmark", "POST", []string{site, "none"}, true},
		{"another site", "POST", []string{site, "cross-site", from, "https://evil.example"}, false},
		{"another site, no Origin", "POST", []string{site, "cross-site"}, false},
		{"a subdomain", "POST", []string{site, "same-site", from, "https://evil.portal.example"}, false},
		{"a subdomain, no Origin", "POST", []string{site, "same-site"}, false},
		{"another site, an old browser", "POST", []string{from, "https://evil.example"}, false},
		{"null", "POST", []string{from, "null"}, false},
		{"null, from the same origin", "POST", []string{site, "same-origin", from, "null"}, true},
		{"null, from another site", "POST", []string{site, "cross-site", from, "null"}, false},
		{"null, from a subdomain", "POST", []string{site, "same-site", from, "null"}, false},
		{"null, from nowhere", "POST", []string{site, "none", from, "null"}, false},
		{"null, and two sites", "POST", []string{site, "same-origin", site, "cross-site", from, "null"}, false},
		{"null, and ours too", "POST", []string{site, "same-origin", from, "null", from, own}, false},
		{"null in capitals", "POST", []string{site, "same-origin", from, "NULL"}, false},
		{"same origin, and a foreign Origin", "POST", []string{site, "same-origin", from, "https://evil.example"}, false},
		{"two Origins, ours first", "POST", []string{site, "same-origin", from, own, from, "https://evil.example"}, false},
		{"two Origins, both ours", "POST", []string{from, own, from, own}, false},
		{"two Origins in one", "POST", []string{from, own + ", https://evil.example"}, false},
		{"an empty Origin", "POST", []string{site, "same-origin", from, ""}, false},
		{"our host, without TLS", "POST", []string{from, "http://portal.example"}, false},
		{"our host, another port", "POST", []string{from, "https://portal.example:8443"}, false},
		{"our host, in capitals", "POST", []string{from, "https://PORTAL.example"}, false},
		{"our host as a user", "POST", []string{from, "https://portal.example@evil.example"}, false},
		{"our host as a target", "POST", []string{from, "https://evil.example@portal.example"}, false},
		{"our origin with a path", "POST", []string{from, own + "/"}, false},
		{"the localhost", "POST", []string{from, "http://localhost:8080"}, false},
		{"PUT from another site", "PUT", []string{site, "cross-site"}, false},
		{"DELETE from another site", "DELETE", []string{from, "https://evil.example"}, false},
		{"an unknown method", "BREW", []string{site, "cross-site"}, false},
		{"a link", "GET", []string{site, "cross-site", mode, "navigate"}, true},
		{"a link, no mode", "GET", []string{site, "cross-site"}, true},
		{"an image elsewhere", "GET", []string{site, "cross-site", mode, "no-cors"}, false},
		{"a fetch elsewhere", "GET", []string{site, "cross-site", mode, "cors", from, "https://evil.example"}, false},
		{"HEAD elsewhere", "HEAD", []string{site, "cross-site", mode, "no-cors"}, false},
		{"our own script", "GET", []string{site, "same-origin", mode, "cors"}, true},
		{"a link with an Origin", "GET", []string{site, "cross-site", mode, "navigate", from, "https://evil.example"}, true},
	}
	guard, err := newOrigin(t, own).CrossOrigin()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		reached := false
		s := newSite(ok, guard)
		s.Add(test.method, "/*", func(c echo.Context) error { reached = true; return ok(c) })
		w := s.ask(test.method, "/profile", append([]string{"Host", "portal.example"}, test.lines...)...)
		want := http.StatusOK
		if !test.want {
			want = http.StatusForbidden
		}
		if w.Code != want || reached != test.want {
			t.Errorf("%s: %s %v: status %d, want %d", test.name, test.method, test.lines, w.Code, want)
		}
	}
}

// TestCrossOriginLoopback checks that all loopback names with one port are the same
// origin if the public URL is a loopback address.
func TestCrossOriginLoopback(t *testing.T) {
	guard, err := newOrigin(t, "http://localhost:8080").CrossOrigin()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(ok, guard)
	for origin, want := range map[string]int{
		"http://localhost:8080": http.StatusOK, "http://127.0.0.1:8080": http.StatusOK, "http://[::1]:8080": http.StatusOK,
		"http://localhost": http.StatusForbidden, "http://localhost:9090": http.StatusForbidden, "https://localhost:8080": http.StatusForbidden,
		"http://127.0.0.2:8080": http.StatusForbidden, "http://evil.example:8080": http.StatusForbidden, "null": http.StatusForbidden,
	} {
		for _, fetchSite := range []string{"", "cross-site", "same-site"} {
			lines := []string{"Host", "localhost:8080", "Origin", origin}
			if fetchSite != "" {
				lines = append(lines, "Sec-Fetch-Site", fetchSite)
			}
			if w := s.ask(http.MethodPost, "/", lines...); w.Code != want {
				t.Errorf("Origin %s, Sec-Fetch-Site %q: status %d, want %d", origin, fetchSite, w.Code, want)
			}
		}
	}
}
