package middleware_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"latchkey/internal/auth"
	"latchkey/internal/middleware"
)

var ownID = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`)

func TestRequestID(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	tests := []struct {
		name, peer, given string
		trusted           []netip.Prefix
		keep              bool
	}{
		{"none given", "10.1.2.3:5555", "", trusted, false},
		{"from a trusted proxy", "10.1.2.3:5555", "abc-123-DEF", trusted, true},
		{"from a trusted proxy, IPv6", "[2001:db8::1]:5555", "abc", trusted, true},
		{"from a trusted proxy, mapped", "[::ffff:10.1.2.3]:5555", "abc", trusted, true},
		{"from another address", "192.0.2.1:5555", "abc", trusted, false},
		{"no trusted proxies", "10.1.2.3:5555", "abc", nil, false},
		{"a peer without an address", "@", "abc", trusted, false},
		{"longest", "10.1.2.3:5555", strings.Repeat("x", 64), trusted, true},
		{"too long", "10.1.2.3:5555", strings.Repeat("x", 65), trusted, false},
		{"a line", "10.1.2.3:5555", "abc\nlevel=ERROR", trusted, false},
		{"a tag", "10.1.2.3:5555", "<b>", trusted, false},
		{"a space", "10.1.2.3:5555", "a b", trusted, false},
	}
	for _, test := range tests {
		var inside string
		s := newSite(func(c echo.Context) error {
			inside = middleware.Of(c).ID
			if client := middleware.Client(c); client.RequestID != inside {
				t.Errorf("%s: the client has request id %q", test.name, client.RequestID)
			}
			return ok(c)
		}, middleware.RequestID(test.trusted))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.peer
		if test.given != "" {
			r.Header["X-Request-Id"] = []string{test.given}
		}
		got := s.serve(r).Header().Get("X-Request-Id")
		if got != inside || (got == test.given) != test.keep || !test.keep && !ownID.MatchString(got) {
			t.Errorf("%s: answered %q, inside %q; want the given one kept: %v", test.name, got, inside, test.keep)
		}
	}
	s := newSite(ok, middleware.RequestID(nil))
	seen := map[string]bool{}
	for range 1000 {
		seen[s.ask(http.MethodGet, "/").Header().Get("X-Request-Id")] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d ids for 1000 requests", len(seen))
	}
}

func TestLog(t *testing.T) {
	s := logged(func(c echo.Context) error {
		if c.Request().URL.Path == "/in" {
			middleware.Of(c).Identity = &auth.Identity{UserID: "an-id"}
		}
		return c.String(http.StatusTeapot, "short and stout")
	})
	tests := []struct {
		method, target string
		want           []string // parts of the line
	}{
		{"GET", "/reset?token=SECRET", []string{"method=GET", "path=/reset ", "status=418", "bytes=15", "ip=192.0.2.1", "request_id="}},
		{"POST", "/a%0Ab%20c?x=SECRET#SECRET", []string{"method=POST", "path=/a%0Ab%20c "}},
		{"GET", "/in", []string{"user=an-id"}},
		{"GET", "/" + strings.Repeat("x", 5000), []string{"path=/" + strings.Repeat("x", 255) + " "}},
		{"BREW-SOMETHING-LONG", "/", []string{"method=BREW-SOMETHING-L "}},
	}
	for _, test := range tests {
		s.log.Reset()
		s.ask(test.method, test.target, "Cookie", "access=SECRET", "Authorization", "Bearer SECRET", "User-Agent", "SECRET", "Referer", "SECRET")
		line := s.log.String()
		if strings.Count(line, "\n") != 1 || strings.Contains(line, "SECRET") {
			t.Errorf("%s %.40s: want one line without secrets, got:\n%s", test.method, test.target, line)
		}
		for _, want := range test.want {
			if !strings.Contains(line, want) {
				t.Errorf("%s %.40s: no %.60s in:\n%.400s", test.method, test.target, want, line)
			}
		}
	}
	s.log.Reset()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Method, r.URL.Path, r.URL.RawPath = "GE\nT\x1b", "/a\nlevel=ERROR\x1b[31mü", ""
	s.serve(r)
	if line := s.log.String(); strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x1b\r") || !strings.Contains(line, "method=GET") {
		t.Errorf("control characters reach the log: %q", line)
	}
}

// TestLogStatus checks that the line has the status of the error page, and that a
// level that is off allocates nothing.
func TestLogStatus(t *testing.T) {
	s := logged(func(echo.Context) error { panic("broken") })
	s.ask(http.MethodGet, "/")
	if !strings.Contains(s.log.String(), "status=500") {
		t.Errorf("the line: %s", s.log.String())
	}
	quiet := newSite(ok)
	quiet.Use(middleware.Log(slog.New(slog.NewTextHandler(&quiet.log, &slog.HandlerOptions{Level: slog.LevelWarn})), quiet.handle))
	quiet.ask(http.MethodGet, "/")
	if quiet.log.Len() > 0 {
		t.Errorf("logged at warn: %s", quiet.log.String())
	}
}

// TestClient checks which client a request is attributed to.
func TestClient(t *testing.T) {
	proxy := netip.MustParsePrefix("10.0.0.0/8")
	behind := echo.ExtractIPFromXFFHeader(echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false),
		echo.TrustIPRange(mustCIDR(t, "10.0.0.0/8")))
	tests := []struct {
		name      string
		extractor echo.IPExtractor
		trusted   []netip.Prefix
		peer      string
		forwarded []string
		want      string
	}{
		{"directly", echo.ExtractIPDirect(), nil, "198.51.100.7:1234", nil, "198.51.100.7"},
		{"directly, and a claim", echo.ExtractIPDirect(), nil, "198.51.100.7:1234", []string{"192.0.2.99"}, "198.51.100.7"},
		{"directly, from a private net", echo.ExtractIPDirect(), nil, "10.0.0.1:1234", []string{"192.0.2.99"}, "10.0.0.1"},
		{"IPv6", echo.ExtractIPDirect(), nil, "[2001:db8::1]:1234", nil, "2001:db8::1"},
		{"through the proxy", behind, []netip.Prefix{proxy}, "10.0.0.1:1234", []string{"192.0.2.99"}, "192.0.2.99"},
		{"through the proxy, and a claim", behind, []netip.Prefix{proxy}, "10.0.0.1:1234", []string{"6.6.6.6, 192.0.2.99"}, "192.0.2.99"},
		{"through two proxies", behind, []netip.Prefix{proxy}, "10.0.0.1:1234", []string{"6.6.6.6, 192.0.2.99, 10.9.9.9"}, "192.0.2.99"},
		{"past the proxy, with a claim", behind, []netip.Prefix{proxy}, "198.51.100.7:1234", []string{"192.0.2.99"}, "198.51.100.7"},
		{"a proxy that hides its client", behind, []netip.Prefix{proxy}, "10.0.0.1:1234", nil, ""},
		{"no address", echo.ExtractIPDirect(), nil, "@", nil, ""},
	}
	for _, test := range tests {
		var got auth.Client
		s := newSite(func(c echo.Context) error { got = middleware.Client(c); return ok(c) }, middleware.RequestID(test.trusted))
		s.IPExtractor = test.extractor
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		r.Header.Set("Forwarded", "for=6.6.6.6")
		r.Header.Set("User-Agent", "Fire\x1bfox\u00a0"+strings.Repeat("x", 500))
		s.serve(r)
		address := ""
		if got.IP.IsValid() {
			address = got.IP.String()
		}
		if address != test.want {
			t.Errorf("%s: %q, want %q", test.name, address, test.want)
		}
		if len(got.UserAgent) > 256 || !strings.HasPrefix(got.UserAgent, "Firefoxxx") {
			t.Errorf("%s: the user agent is %q", test.name, got.UserAgent)
		}
	}
}
