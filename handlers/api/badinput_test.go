package api_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestIDs checks that any text in a path that is not an account's id gets 404.
func TestIDs(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		token := s.signIn("boss", allScopes).Access
		for _, id := range []string{"%00", "a%00b", "%ff", "junk", "'", models.NewID() + "%00", models.NewID()} {
			for _, route := range []string{"GET /users/" + id, "PATCH /users/" + id, "GET /users/" + id + "/sessions", "DELETE /users/" + id + "/sessions"} {
				method, path, _ := strings.Cut(route, " ")
				body := ""
				if method == http.MethodPatch {
					body = `{"disabled":true}`
				}
				s.call(token, method, path, body).problem(404).has("detail", "There is no account with this id.")
			}
		}
	})
}

// TestUnreadableText sends text that a database may refuse to every part of the
// API that accepts text.
func TestUnreadableText(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.Person("boss", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		token := s.signIn("boss", allScopes).Access
		for _, text := range []string{"\x00", "a\x00b", "\xff", "\xed\xa0\x80"} {
			quoted := url.QueryEscape(text)
			for _, parameter := range []string{"q", "after", "before", "status", "role", "sort", "limit", "x"} {
				s.call(token, "GET", "/users?"+parameter+"="+quoted, "").problem(400)
			}
			s.call(token, "GET", "/users?after="+base64.RawURLEncoding.EncodeToString([]byte("u\x00"+text+"\x00"+text)), "").problem(422)
			for _, parameter := range []string{"username", "password", "scope", "client_id", "grant_type", "refresh_token"} {
				s.form("/token", parameter, text).oauth(400, "invalid_request")
			}
			for _, path := range []string{"/revoke", "/introspect"} {
				r := s.formRequest(path, "token", text)
				r.Header.Set("Authorization", "Bearer "+token)
				s.do(r).oauth(400, "invalid_request")
			}
			basic := s.formRequest("/token", "username", "ana", "password", secretWord)
			basic.SetBasicAuth(quoted, "")
			s.do(basic).oauth(400, "invalid_request")
			basic = s.formRequest("/introspect", "token", token)
			basic.SetBasicAuth("x", quoted)
			s.do(basic).is(401)
			s.call(text, "GET", "/users/me", "").problem(401)
			s.call("lk_"+text+strings.Repeat("a", 52-len(text)), "GET", "/users/me", "").problem(401)
		}
		for _, text := range []string{`\u0000`, `a\u0000b`} {
			s.call(token, "PATCH", "/users/me", `{"username":"`+text+`"}`).problem(422)
			s.call(token, "PATCH", "/users/me", `{"full_name":"`+text+`"}`).problem(422)
			s.call(token, "PATCH", "/users/"+user.ID, `{"full_name":"`+text+`"}`).problem(422)
			s.call(token, "PATCH", "/users/"+user.ID, `{"disabled":true,"reason":"`+text+`"}`).problem(422)
			s.call(token, "PATCH", "/users/"+user.ID, `{"role":"`+text+`"}`).problem(422)
			s.call(token, "PATCH", "/users/"+user.ID, `{"`+text+`":"x"}`).problem(422)
		}
		if _, _, err := s.Accounts.CreatePersonalToken(t.Context(), account.PersonalTokenDraft{
			Identity: &auth.Identity{UserID: boss.ID}, Name: "a\x00b", Scopes: []string{"me"}, Days: 1, Current: secretWord,
		}); !errors.Is(err, apperr.Invalid) {
			t.Errorf("a token's name: got %v", err)
		}
	})
}

// TestRepeatedParameters checks that a repeated parameter or an unreadable query
// gets 400 everywhere.
func TestRepeatedParameters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		one := "/users/" + s.Person("ana", models.RoleUser).ID
		token := s.signIn("boss", allScopes).Access
		for _, query := range []string{"limit=1&limit=2", "q=a&q=a", "x=1&x=2", "q=%zz", "q=%ff", "q=%00", "a;b"} {
			for _, route := range []string{
				"GET /users", "GET /users/me", "PATCH /users/me", "GET " + one, "PATCH " + one, "GET " + one + "/sessions",
				"DELETE " + one + "/sessions", "POST /refresh-token", "POST /revoke-token",
			} {
				method, path, _ := strings.Cut(route, " ")
				body := ""
				if method == http.MethodPatch {
					body = `{"full_name":"A"}`
				}
				s.call(token, method, path+"?"+query, body).problem(400)
			}
			for _, path := range []string{"/token", "/revoke", "/introspect"} {
				r := s.formRequest(path+"?"+query, "token", token, "username", "ana", "password", secretWord)
				r.Header.Set("Authorization", "Bearer "+token)
				s.do(r).oauth(400, "invalid_request")
			}
		}
		s.call(token, "GET", "/users/me", "").is(200)
	})
}
