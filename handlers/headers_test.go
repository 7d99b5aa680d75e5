package handlers_test

import (
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
	"latchkey/static"
)

// guardHeaders are on every response except static files (docs/security.md).
var guardHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin",
	"X-Frame-Options":              "DENY",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Origin-Agent-Cluster":         "?1",
	"Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=(), " +
		"publickey-credentials-get=(self), publickey-credentials-create=(self)",
	"X-Permitted-Cross-Domain-Policies": "none",
	"X-Xss-Protection":                  "0",
}

// fileHeaders are what static files have instead.
var fileHeaders = map[string]string{
	"Content-Security-Policy":    "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy": "", "Origin-Agent-Cluster": "", "Permissions-Policy": "",
}

// declared matches the types of bodies that this test expects: those of text name
// their encoding, and JSON has only one (RFC 8259 §8.1).
var declared = regexp.MustCompile(`(?i)^(text/(html|css|plain); charset=utf-8|application/(problem\+)?json)$`)

// TestHeaders checks the headers of a response with each status.
func TestHeaders(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	s.failWith("/fail/panic", func() error { panic("boom") })
	s.failWith("/fail/limit", func() error { return apperr.New(apperr.TooMany, "", nil) })
	s.failWith("/fail/down", func() error { return apperr.New(apperr.Unavailable, "", errors.New("x")) })
	s.failWith("/fail/clash", func() error { return apperr.New(apperr.Conflict, "", nil) })
	member, _ := s.signedIn("ana", models.RoleUser)
	visitor := s.browser()
	strange := func(change func(*http.Request)) *answer {
		r := visitor.request(http.MethodPost, "/login", "username=a")
		change(r)
		return visitor.do(r)
	}
	for _, test := range []struct {
		got    *answer
		status int
	}{
		{visitor.get("/login"), 200},
		{visitor.get("/healthz"), 200},
		{visitor.get("/readyz"), 200},
		{visitor.get(static.URL("css/app.css")), 200},
		{visitor.get("/"), 303},
		{member.get("/profile"), 200},
		{visitor.get("/login?next=/a&next=/b"), 400},
		{member.get("/admin"), 403},
		{strange(func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 403},
		{visitor.get("/nowhere"), 404},
		{visitor.get("/static/nowhere.css"), 404},
		{visitor.do(visitor.request(http.MethodDelete, "/login", "")), 405},
		{visitor.do(visitor.request(http.MethodPost, "/healthz", "")), 405},
		{visitor.get("/fail/clash"), 409},
		{visitor.get("/reset"), 410},
		{strange(func(r *http.Request) { r.ContentLength = 1 << 20 }), 413},
		{strange(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 415},
		{strange(func(r *http.Request) { r.Host = "evil.example" }), 421},
		{visitor.post("/login"), 422},
		{visitor.get("/fail/limit"), 429},
		{visitor.get("/fail/panic"), 500},
		{visitor.get("/fail/down"), 503},
	} {
		test.got.status(test.status)
		got := map[string]string{}
		for name := range guardHeaders {
			got[name] = strings.Join(test.got.header.Values(name), "|")
		}
		want := maps.Clone(guardHeaders)
		if strings.Contains(test.got.asked, "/static/") {
			maps.Copy(want, fileHeaders)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (%d): headers (-want +got):\n%s", test.got.asked, test.status, diff)
		}
		checkCaching(t, test.got)
		if kind := test.got.header.Get("Content-Type"); test.got.body != "" && !declared.MatchString(kind) {
			t.Errorf("%s: got Content-Type %q", test.got.asked, kind)
		}
		if len(test.got.header.Values("X-Request-Id")) != 1 {
			t.Errorf("%s: got X-Request-Id %v", test.got.asked, test.got.header.Values("X-Request-Id"))
		}
		if hsts := test.got.header.Get("Strict-Transport-Security"); hsts != "" {
			t.Errorf("%s: over http got Strict-Transport-Security %q", test.got.asked, hsts)
		}
		if server := test.got.header.Get("Server") + test.got.header.Get("X-Powered-By"); server != "" {
			t.Errorf("%s: names the server: %q", test.got.asked, server)
		}
	}
}

func checkCaching(t *testing.T, a *answer) {
	t.Helper()
	cache, vary := "no-store", "Cookie, Sec-Fetch-Site"
	if strings.Contains(a.asked, "/static/") {
		vary = ""
		if a.code == http.StatusOK {
			cache, vary = "public, max-age=31536000, immutable", "Accept-Encoding"
		}
	}
	if got := a.header.Get("Cache-Control"); got != cache {
		t.Errorf("%s: got Cache-Control %q, want %q", a.asked, got, cache)
	}
	if got := strings.Join(a.header.Values("Vary"), ", "); got != vary {
		t.Errorf("%s: got Vary %q, want %q", a.asked, got, vary)
	}
}

// TestAllow checks that a 405 lists the allowed methods (RFC 9110 §15.5.6), and
// that OPTIONS is not one of them.
func TestAllow(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	for path, methods := range map[string][]string{
		"/login": {"GET", "HEAD", "POST"}, "/theme": {"POST"}, "/admin/users": {"GET", "HEAD"}, "/healthz": {"GET", "HEAD"},
	} {
		slices.Sort(methods)
		for _, method := range []string{http.MethodPut, http.MethodOptions} {
			a := s.browser().do(s.browser().request(method, path, "")).status(405)
			allow := strings.Split(a.header.Get("Allow"), ", ")
			slices.Sort(allow)
			if diff := cmp.Diff(methods, allow); diff != "" {
				t.Errorf("%s %s: Allow (-want +got):\n%s", method, path, diff)
			}
		}
	}
}

// TestHTTPS checks the differences when the public URL is https. Every kind of
// response, also of files and of the API, tells browsers to stay with https.
func TestHTTPS(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), withHTTPS)
	s.Person("ana", models.RoleUser)
	b := s.browser()
	a := b.post("/login", "username", "ana", "password", secretWord, "remember", "on").redirects("/profile")
	for _, a := range []*answer{
		a, b.get("/profile").status(200), b.get("/nowhere").status(404), b.get("/healthz").status(200), b.get(static.URL("css/app.css")).status(200),
		b.get("/static/nowhere.css").status(404), b.get("/users/me").status(401), b.get("/openapi.json").status(200),
	} {
		if got, want := a.header.Get("Strict-Transport-Security"), "max-age=63072000; includeSubDomains"; got != want {
			t.Errorf("%s: got Strict-Transport-Security %q, want %q", a.asked, got, want)
		}
	}
	if !strings.HasSuffix(a.header.Get("Content-Security-Policy"), "; upgrade-insecure-requests") {
		t.Errorf("got Content-Security-Policy %q", a.header.Get("Content-Security-Policy"))
	}
	for _, name := range []string{"__Host-access", "__Host-refresh", "__Host-device"} {
		c := a.setCookie(name)
		if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("got cookie %s %v", name, c)
		}
	}
	b.get("/profile").status(200)
	for _, host := range []string{"localhost:8080", "id.example.org:8443", "evil.example", "id.example.org.evil.example", "127.0.0.1"} {
		r := b.request(http.MethodGet, "/profile", "")
		r.Host = host
		b.do(r).status(421).says("This address is not served here", "The portal is at https://id.example.org. Open it there.").touchesNoToken()
	}
}

// TestLoopbackNames checks that a portal on this machine accepts all names of the
// loopback address, and that health checks respond on any name.
func TestLoopbackNames(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	for host, want := range map[string]int{
		"localhost:8080": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "LOCALHOST:8080": 200,
		"localhost": 421, "localhost:8081": 421, "127.0.0.2:8080": 421, "evil.example:8080": 421, "": 421,
	} {
		r := s.browser().request(http.MethodGet, "/login", "")
		r.Host = host
		s.browser().do(r).status(want)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		r := s.browser().request(http.MethodGet, path, "")
		r.Host = "10.0.0.7:8080"
		s.browser().do(r).status(200)
	}
}

// TestNoIndex checks that pages whose address contains a token, and no others, tell
// search engines not to index them.
func TestNoIndex(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	boss, _ := s.signedIn("bo", models.RoleAdmin)
	page := "/admin/users/" + s.Person("ana", models.RoleUser).ID
	s.failWith("/fail", func() error { return errors.New("on purpose") })
	const noIndex = `<meta name="robots" content="noindex"`
	for _, a := range []*answer{
		boss.get("/nowhere").status(404), boss.get("/fail").status(500), boss.get("/forgot").status(200),
		boss.follow(boss.post(page + "/reset-link")).status(200), // the token is only on the page, not in its address
	} {
		a.hides(noIndex)
	}
	boss.get("/reset?token=x").status(410).has(noIndex)
	boss.get("/fail?token=x").status(500).has(noIndex)
}
