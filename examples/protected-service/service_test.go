package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// got is a response of the service.
type got struct {
	status    int
	challenge string
	body      string
}

// ask sends a request. fields lists header names and values in turn.
func ask(t *testing.T, service, method, path string, fields ...string) got {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, service+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Add(fields[i], fields[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got{response.StatusCode, response.Header.Get("WWW-Authenticate"), strings.TrimSpace(string(body))}
}

// want fails unless the service answered with the status and the challenge.
func want(t *testing.T, what string, g got, status int, challenge string) {
	t.Helper()
	if g.status != status || g.challenge != challenge {
		t.Errorf("%s: got %d with %q, want %d with %q; the body is %s", what, g.status, g.challenge, status, challenge, g.body)
	}
}

const (
	realm        = `Bearer realm="protected-service"`
	invalidToken = realm + `, error="invalid_token"`
	narrowToken  = realm + `, error="insufficient_scope", scope="me"`
)

func introspecting(t *testing.T, address, token string) string {
	t.Helper()
	portalURL, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewServer(routes(byIntrospection(newPortal(portalURL, token), "me", slog.New(slog.DiscardHandler))))
	t.Cleanup(service.Close)
	return service.URL
}

// TestIntrospection plays every response that Latchkey, or another server at its
// address, can give.
func TestIntrospection(t *testing.T) {
	tests := []struct {
		name      string
		status    int
		body      string
		want      int
		challenge string
	}{
		{"good", 200, `{"active":true,"token_type":"Bearer","scope":"users me","username":"ana"}`, 200, ""},
		{"ended", 200, `{"active":false}`, 401, invalidToken},
		{"refresh token", 200, `{"active":true,"token_type":"refresh_token","scope":"me"}`, 401, invalidToken},
		{"scope with the wanted one as a prefix", 200, `{"active":true,"token_type":"Bearer","scope":"me:write"}`, 403, narrowToken},
		{"our token refused", 401, `{"active":true,"token_type":"Bearer","scope":"me"}`, 503, ""},
		{"our token too narrow", 403, `{}`, 503, ""},
		{"down", 503, `{}`, 503, ""},
		{"another server", 200, `<html>`, 503, ""},
		{"redirect", 302, ``, 503, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/introspect" || r.Header.Get("Authorization") != "Bearer ours" || r.PostFormValue("token") != "theirs" {
					t.Errorf("got %s with %q for %q", r.URL, r.Header.Get("Authorization"), r.PostFormValue("token"))
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer portal.Close()
			service := introspecting(t, portal.URL, "ours")
			want(t, test.name, ask(t, service, "GET", "/secure-message", "Authorization", "bearer theirs"), test.want, test.challenge)
		})
	}
}

// TestSlowPortal checks that a request is refused in bounded time when Latchkey
// does not answer.
func TestSlowPortal(t *testing.T) {
	release := make(chan struct{})
	portal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer portal.Close()
	defer close(release)
	service := introspecting(t, portal.URL, "ours")
	want(t, "slow", ask(t, service, "GET", "/secure-message", "Authorization", "Bearer theirs"), 503, "")
}

// TestWithoutToken checks that Latchkey is not asked about a request without a
// usable bearer token.
func TestWithoutToken(t *testing.T) {
	portal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("Latchkey was asked") }))
	defer portal.Close()
	service := introspecting(t, portal.URL, "ours")
	tests := []struct {
		name      string
		fields    []string
		challenge string
	}{
		{"nothing", nil, realm},
		{"Basic", []string{"Authorization", "Basic YTpi"}, realm},
		{"two headers", []string{"Authorization", "Bearer a", "Authorization", "Bearer b"}, realm},
		{"no token", []string{"Authorization", "Bearer"}, invalidToken},
		{"two tokens", []string{"Authorization", "Bearer a, Bearer b"}, invalidToken},
		{"name from a header", []string{"Remote-User", "ana"}, realm},
	}
	for _, test := range tests {
		want(t, test.name, ask(t, service, "GET", "/secure-message", test.fields...), 401, test.challenge)
	}
	want(t, "not secret", ask(t, service, "GET", "/notsecret"), 200, "")
}

// TestByProxy checks that Remote-User is believed only from the proxy.
func TestByProxy(t *testing.T) {
	tests := []struct {
		name   string
		proxy  string
		fields []string
		want   int
	}{
		{"signed in", "127.0.0.0/8", []string{"Remote-User", "ana"}, 200},
		{"signed out", "127.0.0.0/8", nil, 401},
		{"empty", "127.0.0.0/8", []string{"Remote-User", ""}, 401},
		{"two names", "127.0.0.0/8", []string{"Remote-User", "ana", "Remote-User", "bo"}, 401},
		{"past the proxy", "192.0.2.1/32", []string{"Remote-User", "ana"}, 403},
	}
	for _, test := range tests {
		service := httptest.NewServer(routes(byProxy(netip.MustParsePrefix(test.proxy))))
		want(t, test.name, ask(t, service.URL, "POST", "/secret", test.fields...), test.want, "")
		want(t, test.name+", not secret", ask(t, service.URL, "GET", "/notsecret"), 200, "")
		service.Close()
	}
}

func TestGuardFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("lk_x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  map[string]string
		want string // in the error; "" for none
	}{
		{"introspection", map[string]string{"PORTAL_URL": "http://localhost:8080", "PORTAL_TOKEN": "lk_x"}, ""},
		{"token from a file", map[string]string{"PORTAL_URL": "http://localhost:8080", "PORTAL_TOKEN_FILE": file}, ""},
		{"proxy", map[string]string{"PROXY": "10.0.0.2/32"}, ""},
		{"nothing", nil, "PORTAL_URL"},
		{"both", map[string]string{"PORTAL_URL": "http://localhost:8080", "PROXY": "10.0.0.2/32"}, "not both"},
		{"no token", map[string]string{"PORTAL_URL": "http://localhost:8080"}, "PORTAL_TOKEN"},
		{"no file", map[string]string{"PORTAL_URL": "http://localhost:8080", "PORTAL_TOKEN_FILE": file + "x"}, "PORTAL_TOKEN_FILE"},
		{"not a network", map[string]string{"PROXY": "proxy"}, "PROXY"},
		{"not an address", map[string]string{"PORTAL_URL": "localhost"}, "PORTAL_URL"},
	}
	for _, test := range tests {
		_, err := guardFrom(func(name string) string { return test.env[name] }, slog.New(slog.DiscardHandler))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
	}
}
