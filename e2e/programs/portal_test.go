package programs

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// portal is a running portal with a database of its own.
type portal struct {
	url          string
	binary       string
	env          []string
	serviceToken string // a personal access token with the scope introspect
	people       atomic.Int64
}

// startPortal builds the portal of this repository and starts it without limits
// on sign-ins: all programs sign in from one address.
func startPortal(t *testing.T) *portal {
	t.Helper()
	dir := t.TempDir()
	p := &portal{binary: filepath.Join(dir, "latchkey")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", p.binary, "./cmd/web")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the portal: %v\n%s", err, out)
	}
	port := freePort(t)
	p.url = "http://localhost:" + port
	p.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LATCHKEY_ADDR=localhost:" + port, "LATCHKEY_LIMITS=off", "LATCHKEY_LOG_LEVEL=warn",
		"LATCHKEY_DATABASE_URL=sqlite:" + filepath.Join(dir, "latchkey.db"),
	}
	p.command(t, "admin", "create", "--username", "boss", "--email", "boss@example.org", "--password-stdin")
	server := exec.Command(p.binary)
	server.Env, server.Dir, server.Stderr = p.env, dir, t.Output()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	})
	p.waitUntilReady(t)
	p.serviceToken = p.createServiceToken(t)
	return p
}

// command runs a command of the portal with the password on standard input.
func (p *portal) command(t *testing.T, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), p.binary, args...)
	command.Env, command.Stdin = p.env, strings.NewReader(password+"\n")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("latchkey %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (p *portal) waitUntilReady(t *testing.T) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if response, err := http.Get(p.url + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the portal is not ready after 30 seconds")
		}
	}
}

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

// browser returns a client that keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// post sends a form as a browser does, follows redirects and returns the last
// page.
func (p *portal) post(t *testing.T, client *http.Client, path string, pairs ...string) string {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", p.url)
	request.Header.Set("Accept", "text/html")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: got %s, %v\n%s", path, response.Status, err, page)
	}
	return string(page)
}

// person creates an account for one program and returns its username.
func (p *portal) person(t *testing.T) string {
	t.Helper()
	username := "person" + strconv.FormatInt(p.people.Add(1), 10)
	p.post(t, browser(t), "/signup", "username", username, "email", username+"@example.org", "password", password)
	return username
}

var secrets = regexp.MustCompile(`lk_[a-z2-7]{52}`)

func (p *portal) createServiceToken(t *testing.T) string {
	t.Helper()
	boss := browser(t)
	p.post(t, boss, "/login", "username", "boss", "password", password)
	page := p.post(t, boss, "/profile/tokens", "name", "a service", "days", "7", "current_password", password, "scope.introspect", "on")
	secret := secrets.FindString(page)
	if secret == "" {
		t.Fatalf("the page of the new access token does not show it:\n%s", page)
	}
	return secret
}
