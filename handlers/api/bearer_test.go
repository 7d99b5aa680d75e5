package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/models"
)

const (
	nothingSent = `Bearer realm="Latchkey"`
	badToken    = `Bearer realm="Latchkey", error="invalid_token"`
	badRequest  = `Bearer realm="Latchkey", error="invalid_request"`
)

// comparable is a response without the parts that differ between any two responses.
func comparable(a *answer) string {
	header := a.header.Clone()
	header.Del("X-Request-Id")
	return fmt.Sprint(a.code, header, a.body)
}

// TestOneAnswerForBadTokens checks that the response does not reveal why a token
// is refused: it is always the same, byte for byte, including the headers.
func TestOneAnswerForBadTokens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		shut := s.Person("shut", models.RoleUser)
		deleted := s.Person("deleted", models.RoleUser)
		expired, expiredPersonal := s.signIn("ana", "me"), s.personal(shut, "me")
		s.Clock.Advance(10 * time.Minute)
		live, ended, disabled, ofDeleted := s.signIn("ana", "me"), s.signIn("ana", "me"), s.signIn("shut", "me"), s.signIn("deleted", "me")
		s.form("/revoke", "token", ended.Access).is(200)
		s.disable(shut)
		if err := s.Store.Users.Delete(t.Context(), deleted.ID); err != nil {
			t.Fatal(err)
		}
		s.call(live.Access, "GET", "/users/me", "").is(200)

		want := ""
		for _, test := range []struct{ name, token string }{
			{"malformed", "junk"},
			{"empty", ""},
			{"two words", "a b"},
			{"expired", expired.Access},
			{"revoked", ended.Access},
			{"disabled", disabled.Access},
			{"deleted", ofDeleted.Access},
			{"a refresh token", live.Refresh},
			{"a web token", s.webToken("ana")},
			{"not signed by us", live.Access[:len(live.Access)-2] + "AA"},
			{"an unknown personal token", "lk_" + strings.Repeat("a", 32)},
			{"the personal token of a disabled account", expiredPersonal},
		} {
			for _, route := range []string{"GET /users/me", "GET /users/me/", "GET /users", "POST /refresh-token", "POST /revoke-token"} {
				method, path, _ := strings.Cut(route, " ")
				r := s.request(method, path, "")
				r.Header.Set("Authorization", "Bearer "+test.token)
				got := comparable(s.do(r).problem(401))
				if want == "" {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s at %s (-want +got):\n%s", test.name, route, diff)
				}
			}
		}
		if !strings.Contains(want, badToken) || !strings.Contains(want, "Could not validate credentials") {
			t.Errorf("got %s", want)
		}
	})
}

// webToken returns the access token of a browser that signs in with the form.
func (s *site) webToken(name string) string {
	s.T.Helper()
	r := s.formRequest("/login", "username", name, "password", secretWord)
	r.Header.Set("Accept", "text/html")
	recorder := httptest.NewRecorder()
	s.Echo.ServeHTTP(recorder, r)
	for _, c := range recorder.Result().Cookies() {
		if c.Name == "access" {
			return c.Value
		}
	}
	s.T.Fatalf("signing in gave no cookie: %d", recorder.Code)
	return ""
}

// TestTransport checks where a token is accepted, and the response to a token in
// any other place (RFC 6750 §2, §3).
func TestTransport(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		token := s.signIn("ana", "me me:write").Access
		for _, test := range []struct {
			name      string
			change    func(r *http.Request)
			status    int
			challenge string
		}{
			{"nothing", func(*http.Request) {}, 401, nothingSent},
			{"bearer", func(r *http.Request) { r.Header.Set("Authorization", "bearer "+token) }, 200, ""},
			{"BEARER", func(r *http.Request) { r.Header.Set("Authorization", "BEARER "+token) }, 200, ""},
			{"two spaces", func(r *http.Request) { r.Header.Set("Authorization", "Bearer  "+token) }, 200, ""},
			{"another scheme", func(r *http.Request) { r.SetBasicAuth("ana", secretWord) }, 401, nothingSent},
			{"the token alone", func(r *http.Request) { r.Header.Set("Authorization", token) }, 401, nothingSent},
			{"twice", func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + token} }, 400, badRequest},
			{"in the query", func(r *http.Request) { r.URL.RawQuery = "access_token=" + token }, 400, badRequest},
			{"in the query, hidden", func(r *http.Request) { r.URL.RawQuery = "%61ccess_token=" + token }, 400, badRequest},
			{"in the query and the header", func(r *http.Request) {
				r.URL.RawQuery = "access_token=" + token
				r.Header.Set("Authorization", "Bearer "+token)
			}, 400, badRequest},
			{"in a cookie", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access", Value: token}) }, 401, nothingSent},
			{"a browser's cookie", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access", Value: s.webToken("ana")}) }, 401, nothingSent},
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := s.request(method, "/users/me", "")
				test.change(r)
				a := s.do(r).is(test.status)
				if got := a.header.Get("WWW-Authenticate"); got != test.challenge {
					t.Errorf("%s: got WWW-Authenticate %q, want %q", test.name, got, test.challenge)
				}
				if test.status >= 400 {
					a.problem(test.status)
				}
			}
		}
		for _, path := range []string{"/refresh-token", "/revoke-token", "/introspect"} {
			a := s.form(path, "access_token", token).problem(400)
			if got := a.header.Get("WWW-Authenticate"); got != badRequest {
				t.Errorf("%s with a token in the form: got WWW-Authenticate %q", path, got)
			}
		}
	})
}

// TestPagesReadNoBearer checks that, conversely, pages accept only cookies.
func TestPagesReadNoBearer(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleAdmin)
		token := s.signIn("ana", allScopes).Access
		for _, path := range []string{"/profile", "/admin"} {
			if a := s.call(token, "GET", path, "").is(303); a.header.Get("Location") != "/login?next="+url.QueryEscape(path) {
				t.Errorf("%s: got Location %q", path, a.header.Get("Location"))
			}
		}
	})
}

// TestScopes requests every route with a token for each single scope.
func TestScopes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		target := s.Person("target", models.RoleUser)
		form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
		routes := []struct {
			method, path, body, scope string
			change                    func(*http.Request)
		}{
			{"GET", "/users/me", "", "me", nil},
			{"GET", "/users/me/", "", "me", nil},
			{"PATCH", "/users/me", `{"full_name":"A"}`, "me:write", nil},
			{"PATCH", "/users/me/", `{"full_name":"A"}`, "me:write", nil},
			{"GET", "/users", "", "users", nil},
			{"HEAD", "/users", "", "users", nil},
			{"GET", "/users/" + target.ID, "", "users", nil},
			{"PATCH", "/users/" + target.ID, `{"full_name":"A"}`, "users:write", nil},
			{"GET", "/users/" + target.ID + "/sessions", "", "users", nil},
			{"DELETE", "/users/" + target.ID + "/sessions", "", "users:write", nil},
			{"POST", "/introspect", "token=x", "introspect", form},
		}
		ask := func(token string, i int) *answer {
			r := s.callRequest(token, routes[i].method, routes[i].path, routes[i].body)
			if routes[i].change != nil {
				routes[i].change(r)
			}
			return s.do(r)
		}
		for scope := range strings.FieldsSeq(allScopes) {
			token := s.signIn("boss", scope).Access
			for i, route := range routes {
				if route.scope == scope {
					ask(token, i).is(200)
					continue
				}
				a := ask(token, i).problem(403)
				want := `Bearer realm="Latchkey", error="insufficient_scope", scope="` + route.scope + `"`
				if got := a.header.Get("WWW-Authenticate"); got != want {
					t.Errorf("%s %s with %s: got WWW-Authenticate %q, want %q", route.method, route.path, scope, got, want)
				}
			}
		}
		// From the next request on, a new role limits the token, whatever its scopes.
		if _, err := s.Accounts.SetRole(t.Context(), s.actorOf("boss"), user.ID, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		promoted := s.signIn("ana", allScopes).Access
		s.call(promoted, "GET", "/users", "").is(200)
		if _, err := s.Accounts.SetRole(t.Context(), s.actorOf("boss"), user.ID, models.RoleUser); err != nil {
			t.Fatal(err)
		}
		for i, route := range routes {
			if want := map[string]int{"me": 200, "me:write": 200}[route.scope]; want != 0 {
				ask(promoted, i).is(want)
				continue
			}
			ask(promoted, i).problem(403)
		}
	})
}
