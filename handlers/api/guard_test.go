package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"latchkey/handlers/api"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestOwns checks which paths belong to the API, including paths below them.
func TestOwns(t *testing.T) {
	for path, want := range map[string]bool{
		"/users": true, "/users/": true, "/users/me": true, "/users/x/y/z": true, "/token": true, "/token/x": true, "/refresh-token": true, "/refresh_token": true, "/token/": true,
		"/revoke": true, "/revoke-token": true, "/introspect": true, "/openapi.json": true,
		"/.well-known/oauth-authorization-server": true, "/.well-known/oauth-authorization-server/x": false, "/.well-known/change-password": false,
		"": false, "/": false, "*": false, "/usersx": false, "/admin/users": false, "/profile/tokens": false, "/docs": false, "//users": false,
		"/login": false, "/signup": false,
	} {
		if got := api.Owns(path); got != want {
			t.Errorf("%q: got %t, want %t", path, got, want)
		}
	}
}

// TestHeaders checks the headers of every kind of response (docs/security.md).
func TestHeaders(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	s.Person("ana", models.RoleUser)
	token := s.signIn("ana", "me").Access
	strange := s.request("GET", "/users/me", "")
	strange.Host = "evil.example"
	large := s.formRequest("/token", "username", "x")
	large.ContentLength = 1 << 20
	for _, test := range []struct {
		got    *answer
		status int
	}{
		{s.call(token, "GET", "/users/me", ""), 200},
		{s.call("", "GET", "/openapi.json", ""), 200},
		{s.form("/token", "username", "ana", "password", secretWord), 200},
		{s.form("/token", "grant_type", "password"), 400},
		{s.form("/token"), 422},
		{s.call("", "GET", "/users/me", ""), 401},
		{s.call(token, "GET", "/users", ""), 403},
		{s.call(token, "GET", "/users/me/further", ""), 404},
		{s.call(token, "PUT", "/users/me", ""), 405},
		{s.call(token, "GET", "/token", ""), 405},
		{s.do(large), 413},
		{s.do(strange), 421},
	} {
		a := test.got.is(test.status)
		want := map[string]string{
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Vary": "",
			"Access-Control-Allow-Origin": "",
		}
		got := map[string]string{}
		for name := range want {
			got[name] = strings.Join(a.header.Values(name), "|")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (%d): headers (-want +got):\n%s", a.asked, a.code, diff)
		}
		if isToken, pragma := strings.HasSuffix(a.asked, " /token"), a.header.Get("Pragma"); isToken != (pragma == "no-cache") {
			t.Errorf("%s: got Pragma %q", a.asked, pragma)
		}
		if a.code >= 404 {
			a.member("detail")
		}
	}
}

// TestWrongHost checks that the response names the right host, also at the OAuth
// endpoints.
func TestWrongHost(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	const want = "This host is not served here. The API is at " + publicURL + "."
	for _, r := range []*http.Request{s.request("GET", "/users/me", ""), s.request("GET", "/token", ""), s.formRequest("/token"), s.formRequest("/revoke"), s.formRequest("/introspect")} {
		r.Host = "evil.example"
		s.do(r).is(421).has("detail", want)
	}
}

// TestMethods checks that an unknown path and a wrong method get a problem
// document, and that a 405 lists the allowed methods.
func TestMethods(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	for path, methods := range map[string][]string{
		"/users": {"GET", "HEAD"}, "/users/me": {"GET", "HEAD", "PATCH"}, "/token": {"POST"}, "/openapi.json": {"GET", "HEAD"},
		"/users/" + models.NewID() + "/sessions": {"GET", "HEAD", "DELETE"},
	} {
		allow := s.call("", "PUT", path, "").problem(405).header.Get("Allow")
		for _, method := range methods {
			if !strings.Contains(allow, method) {
				t.Errorf("%s: got Allow %q, want %s in it", path, allow, method)
			}
		}
	}
	for _, path := range []string{"/users/a/b", "/token/a", "/revoke/", "/openapi.json/x"} {
		s.call("", "GET", path, "").problem(404)
	}
	s.Person("boss", models.RoleAdmin)
	s.call(s.signIn("boss", "users").Access, "GET", "/users/", "").problem(404)
}

// TestCORS checks that scripts of listed origins may read responses, without
// credentials, and that scripts of other origins may not.
func TestCORS(t *testing.T) {
	const app = "https://app.example.org"
	listed := func(set *portaltest.Options) { set.APIOrigins = []string{app, "http://localhost:3000"} }
	s := newSite(t, testdb.SQLite(t), listed)
	s.Person("ana", models.RoleUser)
	token := s.signIn("ana", "me").Access
	from := func(origin, method, path string) *http.Request {
		r := s.callRequest(token, method, path, "")
		r.Header.Set("Origin", origin)
		return r
	}
	preflight := func(origin, path string) *http.Request {
		r := s.request(http.MethodOptions, path, "")
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "PATCH")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		return r
	}
	for _, test := range []struct {
		name    string
		request *http.Request
		status  int
		allowed string
	}{
		{"an answer", from(app, "GET", "/users/me"), 200, app},
		{"the other origin", from("http://localhost:3000", "GET", "/users/me"), 200, "http://localhost:3000"},
		{"a failure", from(app, "GET", "/users"), 403, app},
		{"nothing there", from(app, "GET", "/users/a/b"), 404, app},
		{"not listed", from("https://evil.example", "GET", "/users/me"), 200, ""},
		{"a prefix", from(app+".evil.example", "GET", "/users/me"), 200, ""},
		{"null", from("null", "GET", "/users/me"), 200, ""},
		{"no origin", s.callRequest(token, "GET", "/users/me", ""), 200, ""},
		{"preflight", preflight(app, "/users/me"), 204, app},
	} {
		a := s.do(test.request).is(test.status)
		if got := a.header.Get("Access-Control-Allow-Origin"); got != test.allowed {
			t.Errorf("%s: got %q, want %q", test.name, got, test.allowed)
		}
		if got := a.header.Get("Vary"); got != "Origin" {
			t.Errorf("%s: got Vary %q", test.name, got)
		}
		if got := a.header.Get("Access-Control-Allow-Credentials"); got != "" {
			t.Errorf("%s: allows credentials: %q", test.name, got)
		}
	}
	a := s.do(preflight(app, "/users/me"))
	for name, words := range map[string][]string{
		"Access-Control-Allow-Methods": {"GET", "POST", "PATCH", "DELETE"}, "Access-Control-Allow-Headers": {"Authorization", "Content-Type"},
	} {
		for _, word := range words {
			if !strings.Contains(a.header.Get(name), word) {
				t.Errorf("got %s %q, want %s in it", name, a.header.Get(name), word)
			}
		}
	}
	for _, path := range []string{"/profile", "/login", "/healthz", "/static/css/app.css"} {
		for _, r := range []*http.Request{preflight(app, path), from(app, "GET", path)} {
			if got := s.do(r).header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s %s: got %q", r.Method, path, got)
			}
		}
	}
	if got := s.do(preflight("https://evil.example", "/users/me")).header.Get("Access-Control-Allow-Methods"); got != "" {
		t.Errorf("a stranger's preflight got %q", got)
	}
}

// TestFaults checks that the response to a fault of the portal contains only its
// reference in the log.
func TestFaults(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	s.Echo.GET("/users/me/panic", func(echo.Context) error { panic("boom at 10.0.0.7") })
	s.Echo.GET("/users/me/error", func(echo.Context) error { return errors.New("boom at 10.0.0.7") })
	for _, path := range []string{"/users/me/panic", "/users/me/error"} {
		a := s.call("", "GET", path, "").problem(500)
		if strings.Contains(a.body, "boom") || strings.Contains(a.body, "10.0.0.7") {
			t.Errorf("%s reveals the cause: %s", path, a.body)
		}
		if got := a.header.Get("X-Request-Id"); got == "" || a.member("reference") != got {
			t.Errorf("%s: got reference %q, want %q", path, a.member("reference"), got)
		}
	}
}
