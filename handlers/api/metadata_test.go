package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
)

const metadataPath = "/.well-known/oauth-authorization-server"

// TestMetadata checks the whole document of RFC 8414, and that each endpoint in it
// exists and accepts the listed grants and methods.
func TestMetadata(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*portaltest.Options)
		url    string
		grants []any
	}{
		{"default", func(*portaltest.Options) {}, publicURL, []any{"password", "refresh_token"}},
		{"on https", func(o *portaltest.Options) { o.PublicURL = "https://id.example.org" }, "https://id.example.org", []any{"password", "refresh_token"}},
		{"without passwords", passwordsOff, publicURL, []any{"refresh_token"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testdb.SQLite(t), test.change)
			var got map[string]any
			a := s.do(s.request("GET", metadataPath, "")).is(200).into(&got)
			want := map[string]any{
				"issuer": test.url, "token_endpoint": test.url + "/token", "revocation_endpoint": test.url + "/revoke",
				"introspection_endpoint": test.url + "/introspect", "service_documentation": test.url + "/docs",
				"scopes_supported":      []any{"me", "me:write", "apps", "users", "users:write", "introspect"},
				"grant_types_supported": test.grants, "response_types_supported": []any{"none"},
				"token_endpoint_auth_methods_supported": []any{"none"}, "revocation_endpoint_auth_methods_supported": []any{"none"},
				"introspection_endpoint_auth_methods_supported": []any{"client_secret_basic", "Bearer"},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if kind := a.header.Get("Content-Type"); kind != "application/json" {
				t.Errorf("got Content-Type %q", kind)
			}
			for name, value := range got {
				if address, _ := value.(string); strings.HasSuffix(name, "_endpoint") {
					s.form(strings.TrimPrefix(address, test.url), "grant_type", "refresh_token").is(map[bool]int{true: 401, false: 400}[name == "introspection_endpoint"])
				}
			}
			if refused := s.form("/token", "grant_type", "password", "username", "nobody", "password", "x").member("error"); (refused == "unsupported_grant_type") == slices.Contains(test.grants, any("password")) {
				t.Errorf("a password at /token: %s, with the grants %v", refused, test.grants)
			}
		})
	}
}

// TestMetadataFromAnywhere checks that scripts of every origin may read the
// document, with or without a preflight, and no other part of the API.
func TestMetadataFromAnywhere(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), func(o *portaltest.Options) { o.APIOrigins = []string{"https://app.example.org"} })
	for _, origin := range []string{"", "https://app.example.org", "https://anybody.example"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
			r := s.request(method, metadataPath, "")
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
			want := 200
			if method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", "GET")
				r.Header.Set("Access-Control-Request-Headers", "mcp-protocol-version")
				want = 204
			}
			a := s.do(r).is(want)
			if got := a.header.Values("Access-Control-Allow-Origin"); !slices.Equal(got, []string{"*"}) {
				t.Errorf("%s from %q: got Access-Control-Allow-Origin %q", method, origin, got)
			}
			if a.header.Get("Access-Control-Allow-Credentials") != "" || a.header.Get("Vary") != "" {
				t.Errorf("%s from %q: got %v", method, origin, a.header)
			}
			if got := a.header.Get("Access-Control-Allow-Headers"); method == http.MethodOptions && got != "*" {
				t.Errorf("%s from %q: got Access-Control-Allow-Headers %q", method, origin, got)
			}
		}
	}
	s.form("/.well-known/oauth-authorization-server").problem(405)
	r := s.request("GET", "/users/me", "")
	r.Header.Set("Origin", "https://anybody.example")
	if got := s.do(r).header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("/users/me: got Access-Control-Allow-Origin %q", got)
	}
}
