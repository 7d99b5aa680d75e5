package api_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/internal/portaltest"
	"latchkey/models"
)

// TestToken checks the response to a successful grant.
func TestToken(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		s.Person("root-of-all", models.RoleAdmin)
		for _, test := range []struct {
			name  string
			pairs []string
			scope string
		}{
			{"as the tutorials", nil, "me"},
			{"with the grant", []string{"grant_type", "password"}, "me"},
			{"scopes", []string{"scope", "me:write me"}, "me me:write"},
			{"space around scopes", []string{"scope", "  me  "}, "me"},
			{"an empty scope", []string{"scope", ""}, "me"},
			{"a client", []string{"client_id", "reports"}, "me"},
			{"an unknown parameter", []string{"audience", "x"}, "me"},
		} {
			a := s.form("/token", append([]string{"username", "ana", "password", secretWord}, test.pairs...)...).is(200)
			var got grant
			a.into(&got)
			if got.Access == "" || got.Refresh == "" || got.Type != "bearer" || got.ExpiresIn != 300 || got.Scope != test.scope {
				t.Errorf("%s: got %+v, want scope %q", test.name, got, test.scope)
			}
			if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
				t.Errorf("%s: may be cached: %v", test.name, a.header)
			}
			s.call(got.Access, "GET", "/users/me", "").is(200)
		}
		if got := s.signIn("root-of-all", allScopes).Scope; got != allScopes {
			t.Errorf("an admin got %q", got)
		}
	})
}

// TestNoToken checks the response to a refused grant.
func TestNoToken(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		s.disable(s.Person("gone", models.RoleUser))
		good := []string{"username", "ana", "password", secretWord}
		with := func(pairs ...string) []string { return append(append([]string{}, good...), pairs...) }
		for _, test := range []struct {
			name   string
			pairs  []string
			status int
			code   string
		}{
			{"wrong password", []string{"grant_type", "password", "username", "ana", "password", "wrong"}, 400, "invalid_grant"},
			{"unknown", []string{"grant_type", "password", "username", "nobody-here", "password", secretWord}, 400, "invalid_grant"},
			{"disabled", []string{"grant_type", "password", "username", "gone", "password", secretWord}, 400, "invalid_grant"},
			{"no password", []string{"grant_type", "password", "username", "ana"}, 400, "invalid_request"},
			{"empty password", []string{"grant_type", "password", "username", "ana", "password", ""}, 400, "invalid_request"},
			{"no username", []string{"grant_type", "password", "password", secretWord}, 400, "invalid_request"},
			{"nothing", []string{"grant_type", "password"}, 400, "invalid_request"},
			{"username twice", with("username", "ana"), 400, "invalid_request"},
			{"scope twice", with("scope", "me", "scope", "me"), 400, "invalid_request"},
			{"an unknown parameter twice", with("x", "1", "x", "2"), 400, "invalid_request"},
			{"unknown grant", with("grant_type", "client_credentials"), 400, "unsupported_grant_type"},
			{"grant in capitals", with("grant_type", "PASSWORD"), 400, "unsupported_grant_type"},
			{"unknown scope", with("scope", "me everything"), 400, "invalid_scope"},
			{"scope of admins", with("scope", "users"), 400, "invalid_scope"},
			{"a huge scope", with("scope", strings.Repeat("me ", 100)), 400, "invalid_scope"},
			{"a client secret", with("client_id", "x", "client_secret", "y"), 401, "invalid_client"},
			{"a client_id that is none", with("client_id", "caf\u00e9"), 400, "invalid_request"},
			{"NUL", []string{"username", "ana\x00", "password", secretWord}, 400, "invalid_request"},
			{"not UTF-8", []string{"username", "ana\xff", "password", secretWord}, 400, "invalid_request"},
			{"no refresh token", []string{"grant_type", "refresh_token"}, 400, "invalid_request"},
			{"junk for a refresh token", []string{"grant_type", "refresh_token", "refresh_token", "junk"}, 400, "invalid_grant"},
			{"too large", with("x", strings.Repeat("x", 9<<10)), 413, "invalid_request"},
		} {
			t.Run(test.name, func(t *testing.T) {
				s := &site{s.In(t)}
				a := s.form("/token", test.pairs...).oauth(test.status, test.code)
				if test.status == 401 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
					t.Errorf("got WWW-Authenticate %q", a.header.Get("WWW-Authenticate"))
				}
				if strings.Contains(a.body, secretWord) || strings.ContainsAny(a.member("error_description"), "\"\\") {
					t.Errorf("got %s", a.body)
				}
			})
		}
		// The response does not reveal whether the account exists.
		var bodies []string
		for _, name := range []string{"ana", "nobody-here", "gone"} {
			password := secretWord
			if name == "ana" {
				password = "wrong"
			}
			bodies = append(bodies, s.form("/token", "grant_type", "password", "username", name, "password", password).body)
		}
		if bodies[0] != bodies[1] || bodies[1] != bodies[2] {
			t.Errorf("wrong, unknown and disabled differ: %q", bodies)
		}
	})
}

// TestTokenTransport checks that parameters are refused anywhere but in the form.
func TestTokenTransport(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		json := s.request(http.MethodPost, "/token", `{"username":"ana","password":"`+secretWord+`"}`)
		json.Header.Set("Content-Type", "application/json")
		s.do(json).oauth(415, "invalid_request")
		untyped := s.request(http.MethodPost, "/token", "username=ana&password=x")
		s.do(untyped).oauth(415, "invalid_request")

		query := url.Values{"username": {"ana"}, "password": {secretWord}}.Encode()
		s.form("/token?"+query).oauth(400, "invalid_request")
		s.form("/token?password=x", "username", "ana", "password", secretWord).oauth(400, "invalid_request")
		s.form("/token?%70assword=x", "username", "ana", "password", secretWord).oauth(400, "invalid_request")
		s.form("/token?lang=de", "username", "ana", "password", secretWord).is(200)
		s.form("/revoke?token=x", "token", "x").oauth(400, "invalid_request")
		s.form("/token", "username", "ana", "password", secretWord, "access_token", "x").oauth(400, "invalid_request")
		s.form("/revoke", "token", "x", "access_token", "x").oauth(400, "invalid_request")

		s.do(s.request(http.MethodGet, "/token?"+query, "")).problem(405)
		s.do(s.request(http.MethodGet, "/token/further", "")).problem(404)
		s.form("/token/", "username", "ana", "password", secretWord).is(200)
		s.form("/token/", "grant_type", "password", "username", "ana", "password", "wrong").oauth(400, "invalid_grant")
	})
}

// TestClients checks the two ways to name a client (RFC 6749 §2.3.1).
func TestClients(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		for _, test := range []struct {
			name, user, password, form string
			status                     int
			client                     string
		}{
			{"Basic", "reports", "", "", 200, "reports"},
			{"Basic without a name", "", "", "", 200, ""},
			{"Basic without a name beside the form", "", "", "reports", 200, "reports"},
			{"both alike", "reports", "", "reports", 200, "reports"},
			{"encoded", "a%3Ab+c", "", "", 200, "a:b c"},
			{"both, and different", "reports", "", "other", 400, ""},
			{"a secret", "reports", "secret", "", 401, ""},
			{"badly encoded", "%zz", "", "", 400, ""},
		} {
			r := s.formRequest("/token", "username", "ana", "password", secretWord, "client_id", test.form)
			r.SetBasicAuth(test.user, test.password)
			a := s.do(r).is(test.status)
			if test.status != 200 {
				continue
			}
			if a.member("refresh_token") == "" {
				t.Errorf("%s: got %s", test.name, a.body)
			}
			live, err := s.Auth.Sessions(t.Context(), user.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			newest := live[0]
			for _, session := range live {
				if session.SignedIn.After(newest.SignedIn) {
					newest = session
				}
			}
			if newest.ClientID != test.client {
				t.Errorf("%s: got client %q, want %q", test.name, newest.ClientID, test.client)
			}
			for _, token := range []string{a.member("access_token"), a.member("refresh_token")} {
				if got, want := claimsOf(t, token)["client_id"], cmp.Or(test.client, "default"); got != want {
					t.Errorf("%s: got the claim client_id %v, want %q", test.name, got, want)
				}
			}
			s.Clock.Advance(time.Second)
		}
		for _, header := range []string{"Basic", "Basic !!!", "Basic eA=="} { // the last has no colon
			r := s.formRequest("/token", "username", "ana", "password", secretWord)
			r.Header.Set("Authorization", header)
			s.do(r).oauth(400, "invalid_request")
		}
		twice := s.formRequest("/token", "username", "ana", "password", secretWord)
		twice.Header["Authorization"] = []string{"Basic Og==", "Basic Og=="}
		s.do(twice).oauth(400, "invalid_request")
		stale := s.formRequest("/token", "username", "ana", "password", secretWord)
		stale.Header.Set("Authorization", "Bearer of-the-session-before")
		s.do(stale).is(200)
	})
}

// claimsOf reads the claims of a JWT without checking its signature.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	claims := map[string]any{}
	if err = errors.Join(err, json.Unmarshal(text, &claims)); err != nil {
		t.Errorf("%q: %v", token, err)
	}
	return claims
}

// TestRefresh checks over HTTP that each refresh token works only once.
func TestRefresh(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		first := s.signIn("ana", "me me:write")
		refresh := func(token string, pairs ...string) *answer {
			return s.form("/token", append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
		}
		refresh(first.Refresh, "scope", "users").oauth(400, "invalid_scope")
		var second, third grant
		refresh(first.Refresh, "scope", "me").is(200).into(&second)
		if second.Scope != "me" || second.Refresh == first.Refresh {
			t.Errorf("got %+v", second)
		}
		s.call(second.Access, "PATCH", "/users/me", `{"full_name":"Ana"}`).problem(403)
		refresh(second.Refresh).is(200).into(&third)
		if third.Scope != "me me:write" {
			t.Errorf("got %+v, want what the session was granted", third)
		}
		s.call(third.Access, "GET", "/users/me", "").is(200)

		refresh(first.Refresh).oauth(400, "invalid_grant") // already used, so this is a copy
		s.call(third.Access, "GET", "/users/me", "").problem(401)
		refresh(third.Refresh).oauth(400, "invalid_grant")
		if got := s.actions(); !slices.Contains(got, "refresh-replay") {
			t.Errorf("the audit log has no replay: %q", got)
		}
	})
}

// TestRenewalOff checks that without renewal the endpoint neither exists nor is
// documented.
func TestRenewalOff(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		token := s.signIn("ana", "me").Access
		s.call(token, "POST", "/refresh-token", "").problem(404)
		if document := s.call("", "GET", "/openapi.json", "").is(200).body; strings.Contains(document, `"/refresh-token"`) {
			t.Error("the document describes /refresh-token")
		}
	}, func(o *portaltest.Options) { o.RenewalOff = true })
}

// TestRenewalIsNoUse checks that renewing a token does not extend the idle limit.
func TestRenewalIsNoUse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		token := s.signIn("ana", "me").Access
		before := s.session(user.ID).LastSeenAt
		s.Clock.Advance(2 * time.Minute)
		s.call(token, "POST", "/refresh-token", "").is(200)
		if got := s.session(user.ID).LastSeenAt; got != before {
			t.Errorf("last seen %v, want %v", got.Time(), before.Time())
		}
	})
}

// session returns the only session of a person.
func (s *site) session(userID string) models.Session {
	s.T.Helper()
	live, err := s.Store.Sessions.Live(s.T.Context(), userID, s.Clock.Now())
	if err != nil || len(live) != 1 {
		s.T.Fatalf("got %d sessions (%v), want 1", len(live), err)
	}
	return live[0]
}

// TestPasswordGrantOff checks the messages of a portal without the password grant.
func TestPasswordGrantOff(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		a := s.form("/token", "username", "ana", "password", secretWord).oauth(400, "unsupported_grant_type")
		if !strings.Contains(a.member("detail"), publicURL+"/profile/tokens") {
			t.Errorf("got detail %q, want the page that creates tokens", a.member("detail"))
		}
	}, passwordsOff)
}

// TestThrottled checks that the response to guessing is the same for every name and
// states the time to wait.
func TestThrottled(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		var bodies []string
		for _, name := range []string{"ana", "nobody-here"} {
			for range 5 {
				s.form("/token", "username", name, "password", "wrong").oauth(401, "invalid_grant")
			}
			a := s.form("/token", "username", name, "password", secretWord).oauth(429, "slow_down")
			if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 {
				t.Errorf("got Retry-After %q", a.header.Get("Retry-After"))
			}
			bodies = append(bodies, a.has("detail", "There were too many attempts. Try again in 30 seconds.").body)
		}
		if bodies[0] != bodies[1] {
			t.Errorf("known and unknown differ: %q", bodies)
		}
	}, withLimits)
}

// TestRefreshedTooOften checks the limit on the refreshes of one session.
func TestRefreshedTooOften(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		g := s.signIn("ana", "me")
		for range 60 {
			s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).is(200).into(&g)
		}
		s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).oauth(429, "slow_down").saysWhen()
		s.Clock.Advance(time.Minute)
		s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).is(200)
	}, withLimits)
}

// TestRevokeForeign checks that a client cannot end the session of another client.
func TestRevokeForeign(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		for _, test := range []struct {
			client, revokes string
			ends            bool
		}{
			{"reports", "", true},
			{"reports", "reports", true},
			{"reports", "other", false},
			{"reports", "default", false},
			{"", "", true},
			{"", "default", true},
			{"", "other", false},
		} {
			var g grant
			s.form("/token", "username", "ana", "password", secretWord, "client_id", test.client).is(200).into(&g)
			for _, token := range []string{g.Refresh, g.Access} {
				if a := s.form("/revoke", "token", token, "client_id", test.revokes).is(200); a.body != "{}\n" {
					t.Errorf("got body %q", a.body)
				}
			}
			if got := s.call(g.Access, "GET", "/users/me", "").code == 401; got != test.ends {
				t.Errorf("of the client %q, revoked by %q: ended %t, want %t", test.client, test.revokes, got, test.ends)
			}
		}
		personal := s.personal(user, "me") // belongs to no client
		s.form("/revoke", "token", personal, "client_id", "other").is(200)
		s.call(personal, "GET", "/users/me", "").problem(401)
	})
}

// TestRevoke checks that every kind of token can be revoked, and that the response
// never reveals whether it was valid.
func TestRevoke(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		silent := func(token string) {
			t.Helper()
			if a := s.form("/revoke", "token", token, "token_type_hint", "whatever").is(200); a.body != "{}\n" {
				t.Errorf("got body %q", a.body)
			}
		}
		for _, which := range []string{"access", "refresh"} {
			g := s.signIn("ana", "me")
			silent(map[string]string{"access": g.Access, "refresh": g.Refresh}[which])
			s.call(g.Access, "GET", "/users/me", "").problem(401)
			s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).oauth(400, "invalid_grant")
			silent(g.Access)
		}
		personal := s.personal(user, "me")
		s.call(personal, "GET", "/users/me", "").is(200)
		silent(personal)
		s.call(personal, "GET", "/users/me", "").problem(401)

		silent("junk")
		s.form("/revoke").oauth(400, "invalid_request")
		s.form("/revoke", "token", "").oauth(400, "invalid_request")
		s.form("/revoke", "token", "a", "token", "b").oauth(400, "invalid_request")
		s.form("/revoke", "token", "a", "client_secret", "b").oauth(401, "invalid_client")
	})
}
