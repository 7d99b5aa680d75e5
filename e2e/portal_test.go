package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/testdb"
)

// patience is the longest that a test waits for anything.
const patience = 30 * time.Second

// portal is a running server with an empty database of its own.
type portal struct {
	t        *testing.T
	url      string
	database string // the URL of its database
	env      []string
	dir      string
	output   *output
}

// output collects the output of a process. It can be read while the process runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startPortal starts the built portal on a free port and stops it at the end
// of the test. Sign-in limits are off unless env says otherwise.
func startPortal(t *testing.T, env ...string) *portal {
	t.Helper()
	if suite.missing != "" {
		t.Skip(suite.missing)
	}
	port := freePort(t)
	p := &portal{t: t, url: "http://localhost:" + port, database: suite.database(t), dir: t.TempDir(), output: &output{}}
	p.env = append(quietEnvironment(),
		"LATCHKEY_ADDR=localhost:"+port,
		"LATCHKEY_DATABASE_URL="+p.database,
		"LATCHKEY_LIMITS=off",
		"LATCHKEY_SUPPORT_EMAIL=help@example.org",
	)
	if _, isSQLite := p.sqliteFile(); !isSQLite { // on SQLite the portal generates a secret beside the file
		p.env = append(p.env, "LATCHKEY_SECRET="+hex.EncodeToString([]byte(rand.Text()+rand.Text())))
	}
	p.env = append(p.env, env...)

	server := exec.Command(suite.binary)
	server.Env, server.Dir = p.env, p.dir
	server.Stdout, server.Stderr = p.output, p.output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Errorf("stop the portal: %v", err)
		}
		if t.Failed() {
			t.Logf("output of the portal:\n%s", p.output)
		}
	})
	waitFor(t, "the portal to be ready", func() bool {
		response, err := http.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// quietEnvironment returns the environment of this process without the
// portal's variables.
func quietEnvironment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "LATCHKEY_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := testdb.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

// waitFor polls a condition until it holds, and fails the test after patience.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v without success for %s", patience, what)
		}
	}
}

var setupLinks = regexp.MustCompile(`http://\S+/setup\?token=\S+`)

// setupPath returns the path of the setup link that the server printed.
func (p *portal) setupPath() string {
	p.t.Helper()
	link := setupLinks.FindString(p.output.String())
	if link == "" {
		p.t.Fatal("the server printed no setup link")
	}
	return strings.TrimPrefix(link, p.url)
}

// command runs the portal's binary on the same database, beside the running
// server, and returns its output.
func (p *portal) command(args ...string) string {
	p.t.Helper()
	return p.commandWith("", args...)
}

// commandWith is command with stdin as its standard input.
func (p *portal) commandWith(stdin string, args ...string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, suite.binary, args...)
	cmd.Env, cmd.Dir, cmd.Stdin = p.env, p.dir, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("latchkey %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// account is the account of a person, whether it exists yet or not.
type account struct {
	username, email, name, password string
}

// newAccount returns an account without creating it.
func newAccount(username, name string) account {
	return account{
		username: username, email: username + "@example.org", name: name,
		password: "seven calm herons wade",
	}
}

// signUp creates the account without a browser.
func (p *portal) signUp(a account) account {
	p.t.Helper()
	p.post(newVisitor(p.t), "/signup", "/profile", url.Values{
		"username": {a.username}, "email": {a.email}, "full_name": {a.name}, "password": {a.password},
	})
	return a
}

// admin creates an admin account with a command.
func (p *portal) admin(a account) account {
	p.t.Helper()
	p.commandWith(a.password+"\n", "admin", "create", "--email", a.email, "--username", a.username, "--name", a.name, "--password-stdin")
	return a
}

// signInFrom signs the account in on another device with the user agent agent.
func (p *portal) signInFrom(a account, agent string) {
	p.t.Helper()
	visitor := newVisitor(p.t)
	visitor.agent = agent
	p.post(visitor, "/login", "/profile", url.Values{"username": {a.username}, "password": {a.password}, "remember": {"on"}})
}

// lockOut tries wrong passwords until sign-in is paused on unknown devices.
// Limits must be on.
func (p *portal) lockOut(a account) {
	p.t.Helper()
	for range 5 {
		p.post(newVisitor(p.t), "/login", "", url.Values{"username": {a.username}, "password": {"not the password"}})
	}
}

// visitor is an HTTP client that keeps cookies like a browser.
type visitor struct {
	http.Client
	agent string
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{
		agent: firefox,
		Client: http.Client{
			Jar:           jar,
			Timeout:       patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// post sends a form and fails unless the response redirects to next; with "" for
// next, any response will do.
func (p *portal) post(v *visitor, path, next string, form url.Values) {
	p.t.Helper()
	request, err := http.NewRequest(http.MethodPost, p.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.url)
	request.Header.Set("User-Agent", v.agent)
	response, err := v.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := response.Header.Get("Location"); next != "" && got != next {
		p.t.Fatalf("POST %s: got %s and location %q, want location %q", path, response.Status, got, next)
	}
}
