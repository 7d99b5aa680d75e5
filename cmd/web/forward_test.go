package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// forwardRequest sends a request to a server behind a proxy, for the host
// id.example.org.
func forwardRequest(t *testing.T, s *server, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = "id.example.org"
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// TestForwardAuthWiring checks that the rules file and the cookie domain take
// effect, and that the server does not start with a faulty file.
func TestForwardAuthWiring(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "forward-auth.toml")
	if err := os.WriteFile(rules, []byte("[[origin]]\nurl = \"https://app.example.org\"\n[[origin.rule]]\npath = \"/\"\nallow = [\"user:ana\", \"user:zoe\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_PUBLIC_URL=https://id.example.org", "LATCHKEY_COOKIE_DOMAIN=example.org",
		"LATCHKEY_TRUSTED_PROXIES=127.0.0.1,::1", "LATCHKEY_FORWARD_AUTH_FILE="+rules)
	command(t, e, secretWord, "admin", "create", "--username=ana", "--email=ana@example.org", "--password-stdin").exits(exitDone)
	s := start(t, e)
	in := forwardRequest(t, s, http.MethodPost, "/login", "username=ana&password=violet+harbour+42+lanterns",
		"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://id.example.org")
	var cookies []string
	for _, c := range in.Cookies() {
		if c.Domain == "example.org" && c.Secure && c.HttpOnly {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	if len(cookies) != 2 {
		t.Fatalf("%s: got cookies %v", in.Status, in.Cookies())
	}
	for app, want := range map[string]int{"app.example.org": http.StatusOK, "other.example.org": http.StatusForbidden} {
		got := forwardRequest(t, s, http.MethodGet, "/forward-auth", "", "X-Forwarded-Method", "GET", "X-Forwarded-Proto", "https",
			"X-Forwarded-Host", app, "X-Forwarded-Uri", "/", "Cookie", strings.Join(cookies, "; "))
		if got.StatusCode != want || (got.Header.Get("Remote-Groups") == "admins,users") != (want == http.StatusOK) {
			t.Errorf("%s: got %s, headers %v", app, got.Status, got.Header)
		}
	}
	taken := forwardRequest(t, s, http.MethodPost, "/signup", "username=Zoe&email=zoe@example.org&password=violet+harbour+42+lanterns",
		"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://id.example.org")
	if taken.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("sign-up with a username that a rule names: got %s", taken.Status)
	}
	if err := os.WriteFile(rules, []byte("[[origin]]\nurl = \"app\"\nport = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, e.with("LATCHKEY_COOKIE_DOMAIN=org"), "", "serve").exits(exitFailed).
		complains("LATCHKEY_COOKIE_DOMAIN", "LATCHKEY_FORWARD_AUTH_FILE", "line 1", "origin.port")
}
