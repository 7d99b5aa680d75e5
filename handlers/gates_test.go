package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth"
	"latchkey/models"
)

// ownGates are the gated routes for a person's own account.
var ownGates = []string{
	"GET /profile/username", "POST /profile/username", "GET /profile/email", "POST /profile/email",
	"GET /profile/export", "POST /profile/export", "GET /profile/delete", "POST /profile/delete", "POST /profile/tokens",
}

// gatedRows returns the rows of the access table that need a fresh confirmation: every
// POST of the admin area with the page of the same path, and ownGates.
func (s *site) gatedRows() (rows []access) {
	posts := map[string]bool{}
	for _, route := range s.Echo.Routes() {
		if route.Method == http.MethodPost && strings.HasPrefix(route.Path, "/admin/") {
			posts[route.Path] = true
		}
	}
	for _, row := range accessTable() {
		if posts[row.route] || slices.Contains(ownGates, row.method+" "+row.route) {
			rows = append(rows, row)
		}
	}
	return rows
}

// TestGates checks every gated route: in a session that is not fresh it leads to the
// page that asks, and changes nothing. After the confirmation it does what it does for
// whoever just signed in. 15 minutes later it asks again.
func TestGates(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		rows := s.gatedRows()
		if len(rows) < len(ownGates)+25 {
			t.Fatalf("got %d gated routes", len(rows))
		}
		for i, row := range rows {
			target := s.Person("target"+strings.Repeat("x", i), models.RoleUser)
			fill := strings.NewReplacer("{id}", target.ID, "{email}", target.Email)
			form := url.Values{}
			for i := 0; i+1 < len(row.form); i += 2 {
				form.Set(row.form[i], fill.Replace(row.form[i+1]))
			}
			send := func() outcome {
				path := strings.ReplaceAll(row.route, ":id", target.ID)
				a := boss.do(boss.request(row.method, path, form.Encode()))
				return outcome{a.code, a.header.Get("Location")}
			}
			page := strings.TrimPrefix(row.anonymous.location, "/login?next=")
			asked := to("/confirm?next=" + strings.ReplaceAll(page, "%7Bid%7D", target.ID))
			t.Run(row.method+" "+row.route, func(t *testing.T) {
				s, boss := s.in(t), boss
				boss.site = s
				s.Clock.Advance(auth.ConfirmedFor)
				boss.get("/profile").status(200) // the session rotates before the count
				events := len(s.Events())
				if got := send(); got != asked {
					t.Fatalf("not fresh: got %v, want %v", got, asked)
				}
				if after := s.Reload(target); *after != *target || len(s.Events()) != events {
					t.Errorf("not fresh: the account became %+v, and %d events were recorded", after, len(s.Events())-events)
				}
				boss.post("/confirm", "next", "/profile", "password", secretWord).redirects("/profile")
				s.Clock.Advance(auth.ConfirmedFor - time.Second)
				boss.forget("draft") // it would fill in the form
				want := outcome{row.admin.status, fill.Replace(strings.ReplaceAll(row.admin.location, "%7Bid%7D", "{id}"))}
				if got := send(); got != want {
					t.Errorf("confirmed: got %v, want %v", got, want)
				}
				s.Clock.Advance(time.Second)
				if got := send(); got != asked {
					t.Errorf("15 minutes later: got %v, want %v", got, asked)
				}
			})
		}
	})
}

// TestGatesForPrograms checks that a script that asks for JSON gets a problem document
// and no redirect.
func TestGatesForPrograms(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		target := s.Person("ana", models.RoleUser)
		s.Clock.Advance(auth.ConfirmedFor)
		r := boss.request(http.MethodPost, "/admin/users/"+target.ID+"/disable", "reason=left")
		r.Header.Set("Accept", "application/json")
		a := boss.do(r).status(403).has(`"detail":"Confirm that it is you."`)
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("got Content-Type %q", got)
		}
		if a.setCookie("draft") != nil || s.Reload(target).Disabled() {
			t.Error("the form was kept or carried out")
		}
	})
}

// TestCurrentPasswordConfirms checks that a form with the current password works in a
// session that is not fresh, and confirms it; that a wrong or empty one does neither;
// and that a form without it needs a fresh session on every route that takes a username.
func TestCurrentPasswordConfirms(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for _, test := range []struct {
			path string
			form []string
			back string // the page that returns the form
			then string
		}{
			{"/profile/username", []string{"username", "NAME.x"}, "/profile/username", "/profile"},
			{"/profile/name", []string{"username", "NAME.x"}, "/profile/username", "/profile"},
			{"/profile", []string{"username", "NAME.x", "full_name", "Ana"}, "/profile/username", "/profile"},
			{"/profile/email", []string{"email", "NAME@new.example"}, "/profile/email", "/profile"},
			{"/profile/tokens", []string{"name", "NAME", "scope.me", "on"}, "/profile/tokens", ""},
			{"/profile/delete", []string{"confirm", "NAME@example.org"}, "/profile/delete", "/login"},
		} {
			name := "a" + strings.ReplaceAll(test.path, "/", "")
			b, user := s.signedIn(name, models.RoleUser)
			user = s.Reload(user)
			form := func(more ...string) []string {
				list := append(slices.Clone(test.form), more...)
				for i := range list {
					list[i] = strings.ReplaceAll(list[i], "NAME", name)
				}
				return list
			}
			s.Clock.Advance(auth.ConfirmedFor)
			b.post(test.path, form("current_password", "")...).status(422).says("Enter your current password.")
			b.post(test.path, form("current_password", "wrong")...).status(422).says("The current password is not correct.")
			b.post(test.path, form()...).redirects("/confirm?next=" + url.QueryEscape(test.back))
			if now := s.Reload(user); *now != *user {
				t.Errorf("%s: the account became %+v", test.path, now)
			}
			a := b.post(test.path, form("current_password", secretWord)...).status(303)
			if test.then != "" {
				a.redirects(test.then)
			}
			if test.then != "/login" {
				b.get("/profile/delete").status(200) // the session is fresh now
			}
		}
	})
}
