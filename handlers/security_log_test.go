package handlers_test

import (
	"net/http"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestRefusedIsLogged checks that a request that may not do what it asks for is a
// security event in the log, on pages and in the API, and that other refusals are not.
func TestRefusedIsLogged(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	b, _ := s.signedIn("ana", models.RoleUser)
	key := b.follow(b.post("/profile/tokens", "name", "script", "scope.me", "on", "days", "30", "current_password", secretWord)).between(`id="token"`, ">", "<")
	with := func(method, path string, change func(*http.Request)) *answer {
		r := b.request(method, path, "")
		change(r)
		return b.do(r)
	}
	for _, test := range []struct {
		name   string
		got    *answer
		status int
		logged bool
	}{
		{"a page of admins", b.get("/admin/users"), 403, true},
		{"a form of another site", with("POST", "/profile/name", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 403, true},
		{"an embedded page", with("GET", "/profile", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "no-cors")
		}), 403, true},
		{"another host", with("GET", "/profile", func(r *http.Request) { r.Host = "evil.example" }), 421, true},
		{"a scope that the token lacks", with("PATCH", "/users/me", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }), 403, true},
		{"nothing there", b.get("/nowhere"), 404, false},
		{"a field that is wrong", b.post("/profile/username", "username", ""), 422, false},
	} {
		reference := test.got.status(test.status).header.Get("X-Request-Id")
		line := s.Logs.Line(reference, `"msg":"security"`, `"event":"request-refused"`, `"level":"WARN"`)
		if (line != "") != test.logged {
			t.Errorf("%s: logged %t, want %t", test.name, line != "", test.logged)
		}
	}
}
