package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const password = "seven calm herons wade"

// latchkey is a running portal with its own database.
type latchkey struct {
	t      *testing.T
	url    string
	binary string
	env    []string
	stop   func()
}

// startLatchkey builds the portal of this repository and starts it with the
// variables in more added to its environment.
func startLatchkey(t *testing.T, more ...string) *latchkey {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "latchkey")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/web")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the portal: %v\n%s", err, out)
	}
	port := freePort(t)
	l := &latchkey{t: t, url: "http://localhost:" + port, binary: binary, env: append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LATCHKEY_ADDR=localhost:" + port,
		"LATCHKEY_DATABASE_URL=sqlite:" + filepath.Join(dir, "latchkey.db"), "LATCHKEY_LOG_LEVEL=warn",
	}, more...)}
	l.run("admin", "create", "--username", "boss", "--email", "boss@example.org", "--password-stdin")
	server := exec.Command(binary)
	server.Env, server.Dir = l.env, dir
	l.stop = start(t, server)
	waitUntilReady(t, l.url+"/readyz")
	return l
}

// start starts a server that runs until stop is called or the test ends.
func start(t *testing.T, server *exec.Cmd) (stop func()) {
	t.Helper()
	server.Stderr = t.Output()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// waitUntilReady waits until an address answers 200.
func waitUntilReady(t *testing.T, address string) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get(address); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is not ready after 30 seconds", address)
		}
	}
}

// freePort returns a port that is not in use.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// run runs a latchkey command with the password on standard input.
func (l *latchkey) run(args ...string) {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), l.binary, args...)
	cmd.Env, cmd.Stdin = l.env, strings.NewReader(password+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("latchkey %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// person is a browser at the portal.
type person struct {
	*latchkey
	client http.Client
}

// browser returns a new browser without cookies.
func (l *latchkey) browser() *person {
	l.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return &person{l, http.Client{Jar: jar}}
}

// post submits a form, follows redirects and returns the last page.
func (p *person) post(path string, pairs ...string) string {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.url)
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("POST %s: got %s, %v\n%s", path, response.Status, err, page)
	}
	return string(page)
}

var (
	secrets   = regexp.MustCompile(`lk_[0-9A-Za-z_-]{20,}`)
	endForms  = regexp.MustCompile(`/profile/tokens/[a-z2-7]{26}/end`)
	tokenForm = []string{"name", "protected service", "days", "7", "current_password", password}
)

// accessToken creates a personal access token on its page. It returns the token
// and the path of the form that removes it.
func (p *person) accessToken(scope string) (secret, end string) {
	p.t.Helper()
	secret = secrets.FindString(p.post("/profile/tokens", append(tokenForm, "scope."+scope, "on")...))
	response, err := p.client.Get(p.url + "/profile/tokens")
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if end = endForms.FindString(string(page)); secret == "" || end == "" {
		p.t.Fatalf("got token %q with the form %q", secret, end)
	}
	return secret, end
}

// tokenOf gets an access token for the user as an API client does.
func (l *latchkey) tokenOf(username, scope string) string {
	l.t.Helper()
	response, err := http.PostForm(l.url+"/token", url.Values{
		"username": {username}, "password": {password}, "scope": {scope}, "client_id": {"test"},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&token); err != nil || token.AccessToken == "" {
		l.t.Fatalf("POST /token: got %s, %v", response.Status, err)
	}
	return token.AccessToken
}

// TestWithLatchkey tests the service with a real portal: each token gives access
// until it ends and is refused from that moment on.
func TestWithLatchkey(t *testing.T) {
	l := startLatchkey(t)
	boss, ana := l.browser(), l.browser()
	boss.post("/login", "username", "boss", "password", password)
	ours, endOurs := boss.accessToken("introspect")
	ana.post("/signup", "username", "ana", "email", "ana@example.org", "password", password)
	service := introspecting(t, l.url, ours)

	// calls requests every route with a token.
	calls := func(what, token string, status int, challenge string) {
		t.Helper()
		want(t, what+": GET /secure-message", ask(t, service, "GET", "/secure-message", "Authorization", "Bearer "+token), status, challenge)
		want(t, what+": POST /secret", ask(t, service, "POST", "/secret", "Authorization", "Bearer "+token), status, challenge)
		want(t, what+": GET /notsecret", ask(t, service, "GET", "/notsecret"), http.StatusOK, "")
	}
	token := l.tokenOf("ana", "me")
	calls("token of a session", token, 200, "")
	if g := ask(t, service, "GET", "/secure-message", "Authorization", "Bearer "+token); g.body != `{"message":"This is a secured message"}` {
		t.Errorf("got %s", g.body)
	}
	calls("made up", "lk_"+strings.Repeat("a", 32), 401, invalidToken)
	calls("without the scope", l.tokenOf("ana", "me:write"), 403, narrowToken)

	response, err := http.PostForm(l.url+"/revoke", url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	calls("ended session", token, 401, invalidToken)

	personal, end := ana.accessToken("me")
	calls("access token", personal, 200, "")
	ana.post(end)
	calls("ended access token", personal, 401, invalidToken)

	token = l.tokenOf("ana", "me")
	calls("before the account is disabled", token, 200, "")
	l.run("user", "disable", "ana")
	calls("disabled account", token, 401, invalidToken)

	l.run("user", "enable", "ana")
	token = l.tokenOf("ana", "me")
	boss.post(endOurs)
	calls("our own token ended", token, 503, "")
	l.stop()
	calls("Latchkey is down", token, 503, "")
}
