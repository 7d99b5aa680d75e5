package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestFormPage checks that, on a refused form and on an error page, the theme
// switch and "Try again" lead back to the page of the form, with its token or next.
func TestFormPage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		member, user := s.signedIn("ana", models.RoleUser)
		setup, reset := s.setupToken(), s.resetToken(user)
		newcomer := []string{"username", "ana", "email", "new@example.org", "password", secretWord} // the name is taken
		tests := []struct {
			path   string
			form   []string
			status int // the form is refused
			down   int // without a database
			want   string
		}{
			{"/login", []string{"next", "/profile/email?x=1&y=2", "username", "x", "password", "x"}, 422, 503, "/login?next=%2Fprofile%2Femail%3Fx%3D1%26y%3D2"},
			{"/login", []string{"next", "//evil.example", "username", "x", "password", "x"}, 422, 503, "/login"},
			{"/login", nil, 422, 422, "/login"},
			{"/signup", append(newcomer, "next", "/profile/email"), 422, 503, "/signup?next=%2Fprofile%2Femail"},
			{"/signup", append(newcomer, "next", "https://evil.example/"), 422, 503, "/signup"},
			{"/setup", []string{"token", setup, "password", "short"}, 422, 503, "/setup?token=" + setup},
			{"/reset", []string{"token", reset, "password", "short"}, 422, 503, "/reset?token=" + reset},
			{"/reset", []string{"token", "&x=//evil.example", "password", "short"}, 409, 503, "/reset?token=%26x%3D%2F%2Fevil.example"},
			{"/reset", []string{"token", strings.Repeat("x", 600), "password", "short"}, 409, 409, "/reset"},
			{"/reset", nil, 409, 409, "/reset"},
		}
		for _, test := range tests {
			b := s.browser()
			b.post(test.path, test.form...).status(test.status).has(`name="next" value="` + test.want + `"`)
			b.post("/theme", "theme", "dark", "next", test.want).redirects(test.want)
		}
		s.browser().get("/reset?token=" + reset).status(200).has(`name="next" value="/reset?token=` + reset + `"`)
		if err := s.Store.Close(); err != nil {
			t.Fatal(err)
		}
		for _, test := range tests {
			a := s.browser().post(test.path, test.form...).status(test.down)
			if test.down == 503 {
				a.has(`href="` + test.want + `" data-not-before=`)
			}
		}
		// The visitor is not signed in, so no handler has read the form.
		member.post("/profile/email", "email", "x").status(503).
			has(`href="/profile/email" data-not-before=`, `name="next" value="/profile/email"`)
		for _, token := range []string{setup, reset} {
			if strings.Contains(s.Logs.String(), token) {
				t.Error("a token is in the log")
			}
		}
	})
}

// TestFormPageOfForeignForm checks that the response to a form of another site does
// not link to that site.
func TestFormPageOfForeignForm(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		r := s.browser().request(http.MethodPost, "/login", "next=https%3A%2F%2Fevil.example%2F")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		s.browser().do(r).status(403).has(`name="next" value="/login"`).hides("evil.example")
	})
}

// TestGoBack checks where "Go back" leads on the pages for requests that cannot
// be read.
func TestGoBack(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	const methodWords = "This page cannot be opened this way. Go back and use the buttons there."
	const sizeWords = "The form is larger than the limit of 64 KB. Go back and enter less."
	const kindWords = "The form arrived in a format that this page cannot read. Go back and send it from there."
	for _, test := range []struct {
		name, method, path, body, kind, from string
		status                               int
		says, back                           string
	}{
		{"a read", "GET", "/theme", "", "", "/forgot?next=%2Fprofile", 405, methodWords, "/forgot?next=%2Fprofile"},
		{"a read from the sign-in page", "GET", "/theme", "", "", "/login?next=%2Fprofile", 405, methodWords, "/login?next=%2Fprofile"},
		{"a read from nowhere", "GET", "/theme", "", "", "", 405, methodWords, "/"},
		{"a form", "POST", "/docs", "a=b", "", "", 405, methodWords, "/"},
		{"a form from a path that is a host", "POST", "/docs", "a=b", "", "//evil.example", 405, methodWords, "/"},
		{"too large", "POST", "/signup", "a=" + strings.Repeat("x", 64<<10), "", "/signup?next=%2Fprofile", 413, sizeWords, "/signup?next=%2Fprofile"},
		{"too large to sign in", "POST", "/login", "username=" + strings.Repeat("x", 8<<10), "", "/login", 413, strings.Replace(sizeWords, "64", "8", 1), "/login"},
		{"no form", "POST", "/signup", "{}", "application/json", "/profile", 415, kindWords, "/signup"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			r := s.browser().request(test.method, test.path, test.body)
			if test.kind != "" {
				r.Header.Set("Content-Type", test.kind)
			}
			if test.from != "" {
				r.Header.Set("Referer", s.URL+test.from)
			}
			s.browser().do(r).status(test.status).says("This did not work " + test.says).has(`href="` + test.back + `">Go back</a>`)
		})
	}
}
