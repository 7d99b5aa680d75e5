package api_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/models"
)

// TestIntrospect checks who may use the endpoint, and the response for each kind of
// token.
func TestIntrospect(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, ana := s.Person("boss", models.RoleAdmin), s.Person("ana", models.RoleUser)
		key := s.personal(boss, "introspect")
		ask := func(token string, hint ...string) *answer {
			r := s.formRequest("/introspect", "token", token, "token_type_hint", strings.Join(hint, ""))
			r.SetBasicAuth("my-service", key)
			return s.do(r)
		}
		var live grant
		s.form("/token", "username", "ana", "password", secretWord, "client_id", "reports").is(200).into(&live)
		var got map[string]any
		ask(live.Access).is(200).into(&got)
		for name, want := range map[string]any{
			"active": true, "scope": "me", "client_id": "reports", "username": "ana", "token_type": "Bearer", "sub": ana.ID,
			"iss": publicURL, "aud": "latchkey:api", "email": "ana@example.org", "role": "user",
			"exp": float64(s.Clock.Now().Unix() + 300), "iat": float64(s.Clock.Now().Unix()),
		} {
			if diff := cmp.Diff(want, got[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		ask(s.signIn("ana", "me").Access).is(200).has("client_id", "default")
		ask(live.Access, "refresh_token").is(200).has("token_type", "Bearer") // the token is found despite the wrong hint
		ask(live.Refresh, "refresh_token").is(200).has("token_type", "refresh_token").has("client_id", "reports").has("scope", "")
		ask(s.personal(ana, "me:write", "apps")).is(200).has("username", "ana").has("scope", "me:write apps").has("token_type", "Bearer")
		ask(key).is(200).has("username", "boss").has("scope", "introspect")

		ended, shut := s.signIn("ana", "me"), s.Person("shut", models.RoleUser)
		s.form("/revoke", "token", ended.Access).is(200)
		disabled := s.signIn("shut", "me")
		s.disable(shut)
		for name, token := range map[string]string{
			"a refresh token without the hint": live.Refresh,
			"junk":                             "junk", "ended": ended.Access, "ended refresh": ended.Refresh, "disabled": disabled.Access, "web": s.webToken("ana"),
		} {
			if a := ask(token).is(200); a.body != "{\"active\":false}\n" {
				t.Errorf("%s: got %s", name, a.body)
			}
		}

		const plain, basic = `Bearer realm="Latchkey"`, `Basic realm="Latchkey", charset="UTF-8"`
		admin := s.signIn("boss", "introspect").Access
		for _, test := range []struct {
			name, bearer, password string
			status                 int
			challenges             []string
		}{
			{"a bearer", admin, "", 200, nil},
			{"a personal token as bearer", key, "", 200, nil},
			{"no credentials", "", "", 401, []string{plain, basic}},
			{"without the scope", live.Access, "", 403, []string{`Bearer realm="Latchkey", error="insufficient_scope", scope="introspect"`}},
			{"junk", "junk", "", 401, []string{`Bearer realm="Latchkey", error="invalid_token"`, basic}},
			{"the account's password", "", secretWord, 401, []string{basic, plain}},
			{"an access token as the password", "", admin, 401, []string{basic, plain}},
			{"without the scope, as the password", "", s.personal(boss, "me"), 403, nil},
		} {
			r := s.formRequest("/introspect", "token", live.Access)
			if test.bearer != "" {
				r.Header.Set("Authorization", "Bearer "+test.bearer)
			}
			if test.password != "" {
				r.SetBasicAuth("boss", test.password)
			}
			a := s.do(r).is(test.status)
			switch {
			case test.status == 200:
			case test.password == "":
				a.problem(test.status)
			case test.status == 401:
				a.oauth(401, "invalid_client")
			default:
				a.oauth(test.status, "insufficient_scope")
			}
			if diff := cmp.Diff(test.challenges, a.header.Values("WWW-Authenticate")); diff != "" {
				t.Errorf("%s: WWW-Authenticate (-want +got):\n%s", test.name, diff)
			}
		}
		elsewhere := s.formRequest("/introspect", "token", live.Access, "access_token", admin)
		elsewhere.SetBasicAuth("my-service", key)
		s.do(elsewhere).oauth(400, "invalid_request")
		twice := s.formRequest("/introspect", "token", "a", "token", "b")
		twice.Header.Set("Authorization", "Bearer "+admin)
		s.do(twice).oauth(400, "invalid_request")
		json := s.callRequest(admin, "POST", "/introspect", `{"token":"x"}`)
		s.do(json).oauth(415, "invalid_request")
	})
}
