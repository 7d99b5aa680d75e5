package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

func signupClosed(o *portaltest.Options) { o.SignupClosed = true }
func renewalOff(o *portaltest.Options)   { o.RenewalOff = true }

// TestTutorialSignup creates accounts as the tutorials do.
func TestTutorialSignup(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for i, sign := range []func(name, email string) *answer{
			func(n, e string) *answer {
				return s.json("/signup", `{"username":"`+n+`","email":"`+e+`","password":"`+secretWord+`"}`)
			},
			func(n, e string) *answer { return s.form("/signup", "username", n, "email", e, "password", secretWord) },
			func(n, e string) *answer {
				return s.multipart("/signup", "username", n, "email", e, "password", secretWord)
			},
		} {
			name := fmt.Sprintf("ada%d", i)
			s.Clock.Advance(time.Second) // the audit log is read by time
			a := sign(name, name+"@example.org").is(200).has("username", name).has("email", name+"@example.org")
			if strings.Contains(a.body, "token") || strings.Contains(a.body, secretWord) {
				t.Errorf("signing up gives %s", a.body)
			}
			user, err := s.Store.Users.ByUsername(t.Context(), name)
			if err != nil || user.ID != a.member("id") || !user.LastSignInAt.IsZero() {
				t.Errorf("got the account %+v, %v", user, err)
			}
			if live := s.LiveSessions(user.ID); len(live) != 0 {
				t.Errorf("signing up opened %d sessions", len(live))
			}
			if got := s.actions(); got[0] != audit.SignUp {
				t.Errorf("recorded %v", got)
			}
			s.json("/login", `{"username":"`+name+`","password":"`+secretWord+`"}`).is(200)
			sign(name, "other@example.org").faults("body.username value_error")
			sign("other", name+"@example.org").faults("body.email value_error")
		}
	})
}

// TestTutorialSignupWithoutEmail checks sign-up without an email address, because
// the clients of the tutorials send none.
func TestTutorialSignupWithoutEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for _, body := range []string{
			`{"username":"ada","password":"` + secretWord + `"}`, `{"username":"bea","password":"` + secretWord + `","email":null}`,
			`{"username":"cea","password":"` + secretWord + `","email":" "}`,
		} {
			name := s.json("/signup", body).is(200).has("email", "").member("username")
			s.json("/signup", body).faults("body.username value_error")
			token := s.json("/login", `{"username":"`+name+`","password":"`+secretWord+`"}`).is(200).member("access_token")
			s.call(token, "GET", "/users/me", "").is(200).has("username", name).has("email", "")
		}
		s.json("/login", `{"username":" ","password":"`+secretWord+`"}`).unauthorized()
	})
}

// TestTutorialSignupRefused sends fields that violate the rules of the form.
func TestTutorialSignupRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		good := `"username":"ada","email":"ada@example.org"`
		s.json("/signup", `{}`).faults("body.username missing", "body.password missing")
		s.json("/signup", `{`+good+`,"password":"short"}`).faults("body.password value_error")
		s.json("/signup", `{`+good+`,"password":"password1234"}`).faults("body.password value_error")
		s.json("/signup", `{`+good+`,"password":"ada ada ada ada"}`).faults("body.password value_error")
		s.json("/signup", `{"username":"admin","email":"nobody","password":"`+secretWord+`"}`).
			faults("body.email value_error", "body.username value_error")
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 0 {
			t.Errorf("got %d accounts (%v), want none", all.Total, err)
		}
	})
}

func TestTutorialSignupClosed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		a := s.json("/signup", `{"username":"ada","email":"ada@example.org","password":"`+secretWord+`"}`).problem(403)
		a.has("detail", "Sign-up is closed. Ask an admin for an account.")
		if _, found := documentOf(t, s).object("paths")["/signup"]; found {
			t.Error("the document has /signup")
		}
	}, signupClosed)
}

// TestTutorialSignupLimit checks that the limit of the form applies here too.
func TestTutorialSignupLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for i := range 10 {
			s.json("/signup", fmt.Sprintf(`{"username":"ada%d","email":"ada%d@example.org","password":%q}`, i, i, secretWord)).is(200)
		}
		s.json("/signup", `{"username":"eve","email":"eve@example.org","password":"`+secretWord+`"}`).problem(429).saysWhen()
	}, withLimits)
}

// TestTutorialRefresh requests access tokens with a refresh token that the client
// keeps.
func TestTutorialRefresh(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		g := s.signIn("ana", "me")
		for range 3 {
			a := s.call(g.Refresh, "GET", "/refresh_token", "").is(200).has("token_type", "bearer").has("refresh_token", "")
			s.call(a.member("access_token"), "GET", "/users/me", "").is(200).has("username", "ana")
		}
		s.call("", "GET", "/refresh_token", "").problem(401).has("detail", "Not authenticated")
		refused := s.call("junk", "GET", "/refresh_token", "").problem(401).has("detail", "Could not validate credentials").body
		if got := s.call(g.Access, "GET", "/refresh_token", "").problem(401).body; got != refused {
			t.Errorf("an access token: got %s, want %s", got, refused)
		}
		s.call(g.Refresh, "GET", "/refresh_token?refresh_token=a&refresh_token=b", "").problem(400)
		s.call("", "GET", "/refresh_token?access_token="+g.Refresh, "").problem(400)
		s.call(g.Refresh, "POST", "/refresh_token", "").problem(405)
		s.form("/revoke", "token", g.Refresh).is(200)
		if got := s.call(g.Refresh, "GET", "/refresh_token", "").problem(401).body; got != refused {
			t.Errorf("of a revoked session: got %s, want %s", got, refused)
		}
	})
}

// TestTutorialRefreshOff checks that LATCHKEY_TOKEN_RENEWAL=off removes both routes.
func TestTutorialRefreshOff(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		g := s.signIn("ana", "me")
		s.call(g.Refresh, "GET", "/refresh_token", "").problem(404)
		s.call(g.Access, "POST", "/refresh-token", "").problem(404)
		paths := documentOf(t, s).object("paths")
		for _, path := range []string{"/refresh_token", "/refresh-token"} {
			if _, found := paths[path]; found {
				t.Errorf("the document has %s", path)
			}
		}
		s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).is(200)
	}, renewalOff)
}

// TestTutorialBadInput sends bodies that the tutorials do not send. No response is
// a 500, and each has a detail.
func TestTutorialBadInput(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		right := `"username":"ana","password":"` + secretWord + `"`
		typed := func(path, kind, body string) *answer {
			r := s.request(http.MethodPost, path, body)
			if kind != "" {
				r.Header.Set("Content-Type", kind)
			}
			return s.do(r)
		}
		const json = "application/json"
		file := "--x\r\nContent-Disposition: form-data; name=\"username\"; filename=\"a\"\r\n\r\nana\r\n--x--\r\n"
		for _, test := range []struct {
			name, kind, body string
			status           int
		}{
			{"a list", json, `[{` + right + `}]`, 422},
			{"a string", json, `"ana"`, 422},
			{"a number", json, `1`, 422},
			{"null", json, `null`, 422},
			{"nothing", json, ``, 422},
			{"blanks", json, " \n", 422},
			{"half an object", json, `{"username":"ana"`, 422},
			{"two objects", json, `{` + right + `}{` + right + `}`, 422},
			{"deep", json, strings.Repeat("[", 4000), 422},
			{"a name twice", json, `{"username":"eve",` + right + `}`, 422},
			{"another name twice", json, `{"x":1,"x":2,` + right + `}`, 422},
			{"a number for a name", json, `{"username":1,"password":"x"}`, 422},
			{"a number too large", json, `{"username":1e999,"password":"x"}`, 422},
			{"a list for a password", json, `{"username":"ana","password":["` + secretWord + `"]}`, 422},
			{"null for a password", json, `{"username":"ana","password":null}`, 422},
			{"an object for an address", json, `{` + right + `,"email":{}}`, 422},
			{"NUL", json, `{"username":"an\u0000a","password":"x"}`, 422},
			{"half a surrogate pair", json, `{"username":"ana","password":"` + secretWord + `\ud800"}`, 422},
			{"capitals", json, `{"Username":"ana","Password":"x"}`, 422},
			{"not UTF-8", json, "{\"username\":\"\xff\",\"password\":\"x\"}", 400},
			{"UTF-16", json, "\xff\xfe{\x00}\x00", 400},
			{"another charset", json + "; charset=iso-8859-1", `{` + right + `}`, 415},
			{"no JSON type", "text/json", `{` + right + `}`, 415},
			{"text", "text/plain", `{` + right + `}`, 415},
			{"XML", "application/xml", `<a/>`, 415},
			{"a broken type", "application/json; charset", `{` + right + `}`, 415},
			{"no type", "", `username=ana`, 422},
			{"a file", "multipart/form-data; boundary=x", file, 415},
			{"half a multipart form", "multipart/form-data; boundary=x", file[:40], 422},
			{"no boundary", "multipart/form-data", file, 400},
			{"JSON that says it is a form", "application/x-www-form-urlencoded", `{"username":"ana"}`, 422},
			{"a form with a field twice", "application/x-www-form-urlencoded", "username=a&username=b&password=x", 400},
			{"a form that is not UTF-8", "application/x-www-form-urlencoded", "username=%ff&password=x", 400},
			{"64 KB and more", json, `{"x":"` + strings.Repeat("x", 64<<10) + `",` + right + `}`, 413},
		} {
			for _, path := range []string{"/login", "/signup"} {
				t.Run(path+"/"+test.name, func(t *testing.T) {
					a := typed(path, test.kind, test.body)
					a.t = t
					a.is(test.status)
					body := map[string]any{}
					a.into(&body)
					if body["detail"] == nil || strings.Contains(a.body, secretWord) {
						t.Errorf("got %s", a.body)
					}
				})
			}
		}
		for _, path := range []string{"/login", "/signup"} {
			for _, query := range []string{"password=x", "username=ana", "a=1&a=2", "a=%zz"} {
				typed(path+"?"+query, json, `{`+right+`}`).is(400)
			}
			strange := s.callRequest("", http.MethodPost, path, `{`+right+`}`)
			strange.Host = "other.example"
			s.do(strange).is(421)
		}
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 1 {
			t.Errorf("got %d accounts (%v), want 1", all.Total, err)
		}
		if got := s.actions(); slices.Contains(got, audit.APILogin) {
			t.Errorf("the person was signed in: %v", got)
		}
	})
}
