package main

import (
	"bufio"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

var setupLink = regexp.MustCompile(`http://localhost:\d+(/setup\?token=[A-Za-z0-9_-]{43})`)

// TestServe starts a portal without a database: it creates the database and the
// secret, prints the setup link, serves and stops.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	e := newEnvironment(t, "sqlite:"+filepath.Join(dir, "data", "latchkey.db"), "LATCHKEY_SECRET=")
	s := start(t, e)
	s.out.wait(t, "Open this link within 1 hour to create the first one")
	found := setupLink.FindStringSubmatch(s.out.String())
	if found == nil {
		t.Fatalf("there is no setup link:\n%s", s.out)
	}
	b := newBrowser(t, s.addr)
	b.get(s, found[1], 200)
	_, token, _ := strings.Cut(found[1], "token=")
	b.do(s, http.MethodPost, "/setup", 303, "token", token, "username", "ana", "email", "ana@example.org", "password", secretWord)
	b.get(s, "/admin", 200)
	if got := strings.Count(s.out.String(), token); got != 1 {
		t.Errorf("the token is printed %d times, want once", got)
	}
	for _, secret := range []string{secretWord, b.cookies["access"], b.cookies["refresh"]} {
		if strings.Contains(s.out.String(), secret) {
			t.Errorf("the log has the secret %q", secret)
		}
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("got exit code %d after SIGTERM, want 0:\n%s", code, s.out)
	}

	if !strings.Contains(s.out.String(), "LATCHKEY_SUPPORT_EMAIL is not set") {
		t.Errorf("the log does not warn about the missing support address:\n%s", s.out)
	}

	// Once there is an admin, no link is printed. The admin is still signed in.
	again := start(t, e)
	b.get(again, "/admin", 200)
	if strings.Contains(again.out.String(), "/setup") {
		t.Errorf("prints a setup link although there is an admin:\n%s", again.out)
	}
}

// TestSetupLinkJSON checks that with a JSON log every line is JSON, also the one
// with the setup link.
func TestSetupLinkJSON(t *testing.T) {
	s := start(t, newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_LOG_FORMAT=json"))
	s.out.wait(t, "no admin exists yet")
	s.stop()
	if setupLink.FindString(s.out.String()) == "" {
		t.Error("there is no setup link")
	}
	for line := range strings.Lines(s.out.String()) {
		if !strings.HasPrefix(line, "{") || !strings.HasSuffix(line, "}\n") {
			t.Errorf("a line is not JSON: %q", line)
		}
	}
}

// TestGracefulStop checks that the server completes a request in flight, accepts
// no new one, and exits with 0.
func TestGracefulStop(t *testing.T) {
	s := start(t, newEnvironment(t, testdb.SQLiteURL(t)))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const form = "theme=dark&next=%2Fforgot"
	_, err = io.WriteString(conn, "POST /theme HTTP/1.1\r\nHost: "+s.addr+"\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: 25\r\nExpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	// The server asks for the body, so the handler is running.
	if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("got %q (%v), want 100 Continue", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan int, 1)
	go func() { stopped <- s.stop() }()
	s.out.wait(t, "stopping")
	if _, err := io.WriteString(conn, form); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 303 || response.Header.Get("Location") != "/forgot" {
		t.Errorf("got %s to %q, want 303 to /forgot", response.Status, response.Header.Get("Location"))
	}
	if code := <-stopped; code != exitDone {
		t.Errorf("got exit code %d, want 0", code)
	}
	if s.answers("/healthz") != 0 {
		t.Error("the server still responds")
	}
}

// TestPortInUse checks the error when the port is taken.
func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	e := newEnvironment(t, testdb.SQLiteURL(t)).with("LATCHKEY_ADDR=" + listener.Addr().String())
	command(t, e, "", "serve").exits(exitFailed).complains("LATCHKEY_ADDR", "in use")
}

// TestHealthcheck checks a running server, and that a missing server and a wrong
// address are failures.
func TestHealthcheck(t *testing.T) {
	e := newEnvironment(t, testdb.SQLiteURL(t))
	command(t, e, "", "healthcheck").exits(exitFailed).oneLine().complains("does not answer")
	s := start(t, e)
	command(t, e, "", "healthcheck").exits(exitDone)
	_, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	command(t, environment{"LATCHKEY_ADDR=nowhere"}, "", "healthcheck").exits(exitFailed).oneLine().complains("LATCHKEY_ADDR")
	s.stop()
	command(t, environment{"LATCHKEY_ADDR=:" + port}, "", "healthcheck").exits(exitFailed).oneLine()
}

// TestHealthcheckLoopback checks that the health check of a server that listens
// on every address uses a loopback address, IPv4 or IPv6.
func TestHealthcheckLoopback(t *testing.T) {
	for _, test := range []struct{ listen, host string }{
		{"127.0.0.1:0", ""},
		{"127.0.0.1:0", "0.0.0.0"},
		{"[::1]:0", ""},
		{"[::1]:0", "::"},
		{"[::1]:0", "::1"},
	} {
		listener, err := net.Listen("tcp", test.listen)
		if err != nil {
			t.Logf("cannot listen on %s: %v", test.listen, err)
			continue
		}
		serveReady(t, listener)
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		command(t, environment{"LATCHKEY_ADDR=" + net.JoinHostPort(test.host, port)}, "", "healthcheck").exits(exitDone)
	}
}

// TestHealthcheckNoProxy checks that the health check ignores HTTP_PROXY. It uses
// an address that is not loopback, because clients never use a proxy for loopback.
func TestHealthcheckNoProxy(t *testing.T) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.IsLinkLocalUnicast() {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(network.IP.String(), "0"))
		if err != nil {
			continue
		}
		serveReady(t, listener)
		// A separate process, because net/http reads the proxy variables only once.
		cmd := exec.CommandContext(t.Context(), os.Args[0], "healthcheck")
		cmd.Env = []string{asMain + "=1", "LATCHKEY_ADDR=" + listener.Addr().String(), "HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1"}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("healthcheck at %s: %v\n%s", listener.Addr(), err, out)
		}
		return
	}
	t.Log("not checked: this machine has only loopback addresses")
}

// serveReady answers /readyz until the test ends.
func serveReady(t *testing.T, listener net.Listener) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	_ = server.Listener.Close() // replaced by listener
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

// TestRestart checks that sessions survive restarts between rotations, and that
// replays are still detected.
func TestRestart(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		s := start(t, e)
		b := newBrowser(t, s.addr)
		b.signUp(s, "ana")
		old := b.clone()
		for range 3 {
			delete(b.cookies, "access")
			b.get(s, "/profile", 200)
			b.get(s, "/profile", 200)
			if code := s.stop(); code != exitDone {
				t.Fatalf("got exit code %d, want 0", code)
			}
			s = start(t, e)
		}
		b.get(s, "/profile", 200)
		delete(old.cookies, "access")
		old.get(s, "/profile", 303)
		b.get(s, "/profile", 303) // the replay ended the session
	})
}

// TestNewSecret checks that sessions survive a new master secret while
// LATCHKEY_SECRET_PREVIOUS has the old one, and that tokens signed with the old
// secret are refused afterwards.
func TestNewSecret(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		first := newEnvironment(t, databaseURL)
		second := newEnvironment(t, databaseURL).with("LATCHKEY_ADDR=" + first.get("LATCHKEY_ADDR"))
		s := start(t, first)
		b := newBrowser(t, s.addr)
		b.signUp(s, "ana")
		stale := b.clone()
		s.stop()
		s = start(t, second.with("LATCHKEY_SECRET_PREVIOUS="+first.get("LATCHKEY_SECRET")))
		b.get(s, "/profile", 200)
		delete(b.cookies, "access")
		b.get(s, "/profile", 200) // refreshed: from now on signed with the new secret
		s.stop()
		s = start(t, second)
		b.get(s, "/profile", 200)
		stale.get(s, "/profile", 303)
		b.get(s, "/profile", 200) // an unreadable token is not a replay
	})
}

// TestConfigurationTakesEffect checks that settings reach the pages and cookies.
func TestConfigurationTakesEffect(t *testing.T) {
	logo := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(logo, []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>`), 0o600); err != nil {
		t.Fatal(err)
	}
	e := newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_BRAND_NAME=Acme Accounts", "LATCHKEY_BRAND_ACCENT=#aa3300", "LATCHKEY_BRAND_LOGO="+logo,
		"LATCHKEY_SUPPORT_EMAIL=help@example.org", "LATCHKEY_SIGNUP=closed", "LATCHKEY_PASSWORD_MIN=20", "LATCHKEY_ACCESS_TTL=90s",
		"LATCHKEY_REFRESH_TTL=2h", "LATCHKEY_SESSION_TTL=3h")
	command(t, e, secretWord, "admin", "create", "--username=ana", "--email=ana@example.org", "--password-stdin").exits(exitDone)
	s := start(t, e)
	b := newBrowser(t, s.addr)
	page := b.get(s, "/login", 200).body
	for _, want := range []string{"Acme Accounts", "mailto:help@example.org", "/brand"} {
		if !strings.Contains(page, want) {
			t.Errorf("the sign-in page does not contain %q:\n%s", want, page)
		}
	}
	b.get(s, "/signup", 403)
	before := time.Now()
	r := b.do(s, http.MethodPost, "/login", 303, "username", "ana", "password", secretWord, "remember", "on")
	after := time.Now()
	cookies := (&http.Response{Header: r.header}).Cookies()
	for name, want := range map[string]time.Duration{"access": 90 * time.Second, "refresh": 3 * time.Hour} {
		claims := claimsOf(t, b.cookies[name])
		expires := claims["exp"].(float64)
		if got := expires - claims["iat"].(float64); got != want.Seconds() {
			t.Errorf("the %s token lives %v s, want %v", name, got, want)
		}
		at := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == name })
		if at < 0 {
			t.Fatalf("got cookies %q, none is %s", r.header.Values("Set-Cookie"), name)
		}
		// The cookie lives as long as the token, which expires on a whole second.
		left := func(now time.Time) int { return int(math.Ceil(expires - float64(now.UnixMicro())/1e6)) }
		if got := cookies[at].MaxAge; got > left(before) || got < left(after) {
			t.Errorf("the %s cookie lives %d s, want %d to %d", name, got, left(after), left(before))
		}
	}
	if page := b.get(s, "/profile/password", 200).body; !strings.Contains(page, "At least 20 characters") {
		t.Error("the page does not show the minimum length of a password")
	}
	// A password may not contain the name of the site.
	r = b.do(s, http.MethodPost, "/profile/password", 422, "current_password", secretWord, "new_password", "about acme accounts, really")
	if !strings.Contains(r.body, "Password must not contain the name of this site.") {
		t.Errorf("got\n%s", r.body)
	}
	if strings.Contains(s.out.String(), "LATCHKEY_SUPPORT_EMAIL") {
		t.Errorf("warns about the support address although it is set:\n%s", s.out)
	}
	command(t, e.with("LATCHKEY_BRAND_LOGO="+logo+"x"), "", "serve").exits(exitFailed).complains("LATCHKEY_BRAND_LOGO")
}

// TestOtherHost checks that a start says how many passkeys another host made useless.
func TestOtherHost(t *testing.T) {
	database := testdb.SQLiteURL(t)
	e := newEnvironment(t, database)
	store, err := models.Open(t.Context(), models.Options{URL: database, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, host := range []string{"id.old.example", "id.old.example", "localhost"} {
		err := store.Passkeys.Create(t.Context(), &models.Passkey{
			ID: models.NewID(), UserID: models.NewID(), CredentialID: strconv.Itoa(i), RPID: host, Name: "Passkey", PublicKey: "AA", AAGUID: "00",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t, e)
	s.stop()
	if line := s.out.String(); !strings.Contains(line, "passkeys do not work on this host") || !strings.Contains(line, "passkeys=2 host=localhost") {
		t.Errorf("no warning about two passkeys:\n%s", line)
	}
}
