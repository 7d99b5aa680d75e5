package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth"
	"latchkey/models"
)

// writes are the operations of the OpenAPI document that need the scope users:write.
func (s *site) writes() (list [][2]string) {
	s.T.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Description string
			Security    []map[string][]string
		}
	}
	s.call("", "GET", "/openapi.json", "").is(200).into(&document)
	for path, operations := range document.Paths {
		for method, operation := range operations {
			for _, way := range operation.Security {
				if slices.Contains(way["bearer"], "users:write") {
					list = append(list, [2]string{strings.ToUpper(method), path})
					if !strings.Contains(operation.Description, "insufficient_user_authentication") {
						s.T.Errorf("%s %s: the document does not say that it needs a fresh sign-in", method, path)
					}
				}
			}
		}
	}
	return list
}

// TestOldSignIn checks that every operation that changes another person's account
// refuses a token whose sign-in is older than 15 minutes, as RFC 9470 says, and changes
// nothing; that a refresh does not help, and a new sign-in does.
func TestOldSignIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, target := s.Person("boss", models.RoleAdmin), s.Person("target", models.RoleUser)
		routes := s.writes()
		if len(routes) < 2 {
			t.Fatalf("got the operations %v, want at least two", routes)
		}
		old, key := s.signIn("boss", allScopes), s.personal(boss, "users:write")
		ask := func(token string, route [2]string) *answer {
			body := ""
			if route[0] == "PATCH" {
				body = `{"full_name":"Changed"}`
			}
			return s.call(token, route[0], strings.ReplaceAll(route[1], "{id}", target.ID), body)
		}
		s.Clock.Advance(auth.ConfirmedFor - time.Minute)
		var fresh grant
		s.form("/token", "grant_type", "refresh_token", "refresh_token", old.Refresh).is(200).into(&fresh)
		for _, route := range routes {
			ask(fresh.Access, route).is(200)
		}
		s.Clock.Advance(time.Minute)
		s.form("/token", "grant_type", "refresh_token", "refresh_token", fresh.Refresh).is(200).into(&fresh)
		before, events := *s.Reload(target), len(s.Events())
		const want = `Bearer realm="Latchkey", error="insufficient_user_authentication", ` +
			`error_description="This needs a sign-in within the last 15 minutes. Sign in again at /token, or use a personal access token.", max_age=900`
		for _, route := range routes {
			a := ask(fresh.Access, route).problem(401)
			if got := a.header.Get("WWW-Authenticate"); got != want {
				t.Errorf("%v: got WWW-Authenticate %q, want %q", route, got, want)
			}
			if !strings.Contains(a.body, "Sign in again at /token") {
				t.Errorf("%v: the body does not say what to do: %s", route, a.body)
			}
		}
		if after := *s.Reload(target); after != before || len(s.Events()) != events {
			t.Errorf("refused requests changed the account to %+v", after)
		}
		s.call(fresh.Access, "GET", "/users", "").is(200) // reading needs no fresh sign-in
		s.call(fresh.Access, "GET", "/users/me", "").is(200)
		again := s.signIn("boss", "users:write")
		for _, route := range routes {
			ask(again.Access, route).is(200)
			ask(key, route).is(200)
		}
	})
}
