package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// TestDatabaseOutage disconnects the database from a running server: every
// request gets 503 and no cookie changes. When the database is back, everything
// works again without a restart.
func TestDatabaseOutage(t *testing.T) {
	w, databaseURL := testdb.NewWire(t, testdb.PostgresURL(t))
	e := newEnvironment(t, databaseURL)
	s := start(t, e)
	b := newBrowser(t, s.addr)
	b.signUp(s, "ana")
	refreshing := b.clone()
	delete(refreshing.cookies, "access")

	w.Cut()
	for range 3 { // also after the pool has noticed
		for _, test := range []struct {
			b            *browser
			method, path string
		}{
			{b, http.MethodGet, "/profile"},
			{refreshing, http.MethodGet, "/profile"},
			{refreshing, http.MethodPost, "/profile"},
			{b, http.MethodPost, "/logout"},
			{newBrowser(t, s.addr), http.MethodPost, "/login"},
		} {
			r := test.b.do(s, test.method, test.path, http.StatusServiceUnavailable, "username", "ana", "password", secretWord)
			if r.header.Get("Retry-After") == "" || len(r.cookies) > 0 {
				t.Errorf("%s %s: got Retry-After %q and cookies %v", test.method, test.path, r.header.Get("Retry-After"), r.cookies)
			}
			if strings.Contains(r.body, "connect") || strings.Contains(r.body, "127.0.0.1:") {
				t.Errorf("%s %s: the page shows the cause:\n%s", test.method, test.path, r.body)
			}
		}
	}
	s.waitReady(http.StatusServiceUnavailable)
	command(t, e, "", "healthcheck").exits(exitFailed).oneLine().complains("not ready")
	if got := s.answers("/healthz"); got != http.StatusOK {
		t.Errorf("/healthz: got %d, want 200", got)
	}
	newBrowser(t, s.addr).get(s, "/login", 200)

	w.Mend()
	s.waitReady(http.StatusOK)
	b.get(s, "/profile", 200)
	refreshing.get(s, "/profile", 200)
	newBrowser(t, s.addr).signIn(s, "ana")
	b.do(s, http.MethodPost, "/logout", 303)
	if code := s.stop(); code != exitDone {
		t.Errorf("got exit code %d, want 0", code)
	}
}

// TestStartWithoutDatabase checks that a server without its database exits with
// an error that does not contain the password.
func TestStartWithoutDatabase(t *testing.T) {
	w, databaseURL := testdb.NewWire(t, testdb.PostgresURL(t))
	w.Cut()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	command(t, newEnvironment(t, databaseURL), "", "serve").exits(exitFailed).hides(password)
}
