package api_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

func verifying(o *portaltest.Options)        { o.Mail, o.Verify = true, account.VerifyOn }
func verifiedRequired(o *portaltest.Options) { o.Mail, o.Verify = true, account.VerifyRequired }

// verify marks the address of an account as verified.
func (s *site) verify(user *models.User) {
	s.T.Helper()
	if err := s.Store.Users.SetEmailVerified(s.T.Context(), user.ID, s.Clock.Now()); err != nil {
		s.T.Fatal(err)
	}
}

// introspects asks about a token.
func (s *site) introspects(key, token, hint string) *answer {
	s.T.Helper()
	r := s.formRequest("/introspect", "token", token, "token_type_hint", hint)
	r.Header.Set("Authorization", "Bearer "+key)
	return s.do(r)
}

// TestEmailVerified checks that programs read whether an address is verified,
// wherever they read the address.
func TestEmailVerified(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, ana := s.Person("boss", models.RoleAdmin), s.Person("ana", models.RoleUser)
		key := s.personal(boss, "introspect", "users", "users:write")
		mine, pat := s.signIn("ana", "me me:write"), s.personal(ana, "me")
		check := func(want string) {
			t.Helper()
			for _, token := range []string{mine.Access, pat} {
				if a := s.call(token, "GET", "/users/me", "").is(200); !strings.Contains(a.body, `"email_verified":`+want) {
					t.Errorf("/users/me: got %s", a.body)
				}
				if a := s.introspects(key, token, "").is(200); !strings.Contains(a.body, `"email_verified":`+want) {
					t.Errorf("/introspect: got %s", a.body)
				}
			}
			for _, a := range []*answer{
				s.call(mine.Access, "PATCH", "/users/me", `{"full_name":"Ana"}`), s.call(key, "GET", "/users/"+ana.ID, ""),
				s.call(key, "PATCH", "/users/"+ana.ID, `{"full_name":"Ana S"}`), s.call(key, "GET", "/users?q=ana", ""),
			} {
				if a.is(200); !strings.Contains(a.body, `"email_verified":`+want) {
					t.Errorf("got %s, want email_verified %s", a.body, want)
				}
			}
		}
		check("false")
		s.verify(ana)
		check("true")
	})
}

// TestVerifiedRequired checks that programs of people who have to confirm their
// address first are refused everywhere, and work afterwards.
func TestVerifiedRequired(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, ana := s.Person("boss", models.RoleAdmin), s.Person("ana", models.RoleUser)
		s.verify(boss)
		key := s.personal(boss, "introspect")
		s.verify(ana)
		live, pat := s.signIn("ana", "me"), s.personal(ana, "me", "apps")
		edited := *s.Reload(ana)
		edited.EmailVerifiedAt = 0
		if err := s.Store.Users.SetNames(t.Context(), &edited, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		wrong := s.form("/token", "grant_type", "password", "username", "ana", "password", "wrong").oauth(400, "invalid_grant").body
		if right := s.form("/token", "grant_type", "password", "username", "ana", "password", secretWord).oauth(400, "invalid_grant").body; right != wrong {
			t.Errorf("the right password gets %s, a wrong one %s", right, wrong)
		}
		if e := s.LastEvent(audit.LoginUnverified); e.SubjectID != ana.ID {
			t.Errorf("got event %+v", e)
		}
		s.form("/token", "grant_type", "refresh_token", "refresh_token", live.Refresh).oauth(400, "invalid_grant")
		for _, token := range []string{live.Access, pat} {
			a := s.call(token, "GET", "/users/me", "").problem(http.StatusForbidden)
			if !strings.Contains(a.body, "Confirm your email address first: sign in to the portal with a browser.") {
				t.Errorf("got %s", a.body)
			}
			s.call(token, "POST", "/refresh-token", "").is(403)
			if a := s.introspects(key, token, "").is(200); a.body != "{\"active\":false}\n" {
				t.Errorf("introspection: got %s", a.body)
			}
		}
		s.call(live.Refresh, "GET", "/refresh_token", "").is(403)
		if a := s.introspects(key, live.Refresh, "refresh_token").is(200); a.body != "{\"active\":false}\n" {
			t.Errorf("introspection of a refresh token: got %s", a.body)
		}
		s.verify(ana)
		s.call(live.Access, "GET", "/users/me", "").is(200)
		s.form("/token", "grant_type", "refresh_token", "refresh_token", live.Refresh).is(200) // it was not used up
	}, verifiedRequired)
}

// TestTutorialSignupSilence checks that a program that signs up does not learn
// whether an address has an account.
func TestTutorialSignupSilence(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("taken", models.RoleUser)
		sign := func(name, email string) *answer {
			return s.call("", "POST", "/signup", `{"username":"`+name+`","email":"`+email+`","password":"`+secretWord+`"}`)
		}
		for _, email := range []string{"fresh@example.org", "TAKEN@example.org"} {
			name := "name-" + strings.ToLower(email[:5])
			sign(name, email).is(200).has("username", name).has("email", email)
			if a := sign(name, "other-"+email).is(422); !strings.Contains(a.body, "This username is taken. Choose another.") {
				t.Errorf("got %s", a.body)
			}
		}
		s.Deliver(t)
		if got := s.Mailbox.To("fresh@example.org"); len(got) != 1 || got[0].Subject != "Confirm your email address" {
			t.Errorf("got letters %+v", got)
		}
		if got := s.Mailbox.To("TAKEN@example.org"); len(got) != 1 || got[0].Subject != "You already have an account" {
			t.Errorf("got letters %+v", got)
		}
	}, verifying)
}
