package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// eachServer runs f against a portal behind a real listener on each database.
func eachServer(t *testing.T, f func(t *testing.T, s *site, base string)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		server := httptest.NewUnstartedServer(nil)
		base := "http://" + server.Listener.Addr().String()
		s := newSite(t, store, func(set *portaltest.Options) { set.PublicURL = base })
		server.Config.Handler = s.Echo
		server.Start()
		t.Cleanup(server.Close)
		f(t, s, base)
	})
}

// tutorial is a client like those of the FastAPI tutorials: it sends a form with
// only username and password, keeps one token, and reads detail after a failure.
type tutorial struct {
	t     *testing.T
	base  string
	token string
}

func (c *tutorial) login(username, password string) (int, map[string]any) {
	c.t.Helper()
	response, err := http.PostForm(c.base+"/token", url.Values{"username": {username}, "password": {password}})
	if err != nil {
		c.t.Fatal(err)
	}
	status, body := c.read(response)
	c.token, _ = body["access_token"].(string)
	return status, body
}

func (c *tutorial) call(method, path string) (int, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.read(response)
}

func (c *tutorial) read(response *http.Response) (int, map[string]any) {
	c.t.Helper()
	defer func() { _ = response.Body.Close() }()
	body := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, body
}

// TestTutorialClient makes the requests of the tutorials, with only the address
// changed.
func TestTutorialClient(t *testing.T) {
	eachServer(t, func(t *testing.T, s *site, base string) {
		user := s.Person("johndoe", models.RoleUser)
		c := &tutorial{t: t, base: base}

		if status, body := c.call("GET", "/users/me/"); status != 401 || body["detail"] != "Not authenticated" {
			t.Errorf("without a token: got %d %v", status, body)
		}
		if status, body := c.login("johndoe", "wrong"); status != 401 || body["detail"] != "Incorrect username or password" {
			t.Errorf("wrong password: got %d %v", status, body)
		}
		if status, body := c.login("johndoe", secretWord); status != 200 || body["token_type"] != "bearer" {
			t.Fatalf("login: got %d %v", status, body)
		}
		want := map[string]any{
			"id": user.ID, "sub": user.ID, "exp": float64(s.Clock.Now().Add(5 * time.Minute).Unix()), "username": "johndoe", "email": "johndoe@example.org", "full_name": "", "disabled": false, "email_verified": false,
		}
		for _, path := range []string{"/users/me/", "/users/me"} {
			status, got := c.call("GET", path)
			if diff := cmp.Diff(want, got); status != 200 || diff != "" {
				t.Errorf("%s: got %d (-want +got):\n%s", path, status, diff)
			}
		}
		first := c.token
		status, body := c.call("POST", "/refresh-token")
		fresh, _ := body["access_token"].(string)
		if status != 200 || fresh == "" || fresh == first || body["token_type"] != "bearer" {
			t.Errorf("refresh-token: got %d %v", status, body)
		}
		c.token = fresh
		if status, body := c.call("POST", "/revoke-token"); status != 200 || body["message"] != "Token revoked successfully" {
			t.Errorf("revoke-token: got %d %v", status, body)
		}
		for _, token := range []string{first, fresh} {
			c.token = token
			if status, body := c.call("GET", "/users/me/"); status != 401 || body["detail"] != "Could not validate credentials" {
				t.Errorf("a revoked token: got %d %v", status, body)
			}
		}
	})
}

// TestOAuth2Library runs golang.org/x/oauth2 with its defaults: it first tries HTTP
// Basic for the client.
func TestOAuth2Library(t *testing.T) {
	for _, test := range []struct {
		name   string
		config oauth2.Config
	}{
		{"no client", oauth2.Config{}},
		{"a client", oauth2.Config{ClientID: "reports"}},
		{"a client in the form", oauth2.Config{ClientID: "reports", Endpoint: oauth2.Endpoint{AuthStyle: oauth2.AuthStyleInParams}}},
		{"a client that needs encoding", oauth2.Config{ClientID: "reports:2026", Scopes: []string{"me", "me:write"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachServer(t, func(t *testing.T, s *site, base string) {
				s.Person("ana", models.RoleUser)
				config := test.config
				config.Endpoint.TokenURL = base + "/token"
				token, err := config.PasswordCredentialsToken(t.Context(), "ana", secretWord)
				if err != nil {
					t.Fatal(err)
				}
				if got := token.Type(); got != "Bearer" {
					t.Errorf("got type %q", got)
				}
				checkClient(t, config.Client(t.Context(), token), base)

				// Its access token has expired, so the source gets the next one by itself.
				old := *token
				token.Expiry = time.Now().Add(-time.Minute)
				source := config.TokenSource(context.Background(), token)
				for range 3 {
					fresh, err := source.Token()
					if err != nil {
						t.Fatal(err)
					}
					if fresh.AccessToken == old.AccessToken || fresh.RefreshToken == old.RefreshToken {
						t.Error("the token was not refreshed")
					}
					checkClient(t, oauth2.NewClient(t.Context(), source), base)
				}

				if _, err := config.PasswordCredentialsToken(t.Context(), "ana", "wrong"); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
					t.Errorf("got %v, want invalid_grant", err)
				}
			})
		})
	}
}

func checkClient(t *testing.T, client *http.Client, base string) {
	t.Helper()
	response, err := client.Get(base + "/users/me")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got status %d", response.StatusCode)
	}
}
