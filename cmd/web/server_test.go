package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is the longest that a test waits for anything.
const patience = 30 * time.Second

// server is a running server process.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string // the address that it listens on
	out  *output
	done chan struct{} // closed when it has ended
}

// launch starts a server without waiting until it is ready.
func launch(t *testing.T, e environment) *server {
	t.Helper()
	out := newOutput()
	return launchInto(t, e, out, out)
}

// launchInto is launch for a server that writes to w. The server's output is
// out, for tests that read it.
func launchInto(t *testing.T, e environment, out *output, w io.Writer) *server {
	t.Helper()
	return launchProgram(t, os.Args[0], e, out, w)
}

// launchProgram is launchInto for another program than this one.
func launchProgram(t *testing.T, program string, e environment, out *output, w io.Writer) *server {
	t.Helper()
	s := &server{t: t, addr: e.get("LATCHKEY_ADDR"), out: out, done: make(chan struct{})}
	s.cmd = exec.Command(program, "serve")
	s.cmd.Env = append([]string{asMain + "=1"}, e...)
	s.cmd.Stdout, s.cmd.Stderr = w, w
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.done)
		_ = s.cmd.Wait() // the exit code is in its state
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		if strings.Contains(s.out.String(), "WARNING: DATA RACE") {
			t.Errorf("the server at %s has a data race", s.addr)
		}
		if t.Failed() {
			t.Logf("output of the server at %s:\n%s", s.addr, s.out)
		}
	})
	return s
}

// start starts a server and waits until it is ready.
func start(t *testing.T, e environment) *server {
	t.Helper()
	s := launch(t, e)
	s.waitReady(http.StatusOK)
	return s
}

// waitReady waits until /readyz returns the status want.
func (s *server) waitReady(want int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.answers("/readyz") == want {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("the server ended:\n%s", s.out)
		case <-ctx.Done():
			s.t.Fatalf("/readyz does not return %d:\n%s", want, s.out)
		case <-tick.C:
		}
	}
}

// answers returns the status of a path, or 0 if there is no response.
func (s *server) answers(path string) int {
	response, err := client.Get("http://" + s.addr + path)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// stop sends SIGTERM, as a container platform does, and returns the exit code.
func (s *server) stop() int {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	return s.wait()
}

// wait waits until the server has ended and returns its exit code.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.done:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		s.t.Fatalf("the server does not end:\n%s", s.out)
		return -1
	}
}

// output keeps the output of a process and lets tests wait for a text in it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

// Write appends to the output.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait waits until the output contains text.
func (o *output) wait(t *testing.T, text string) {
	t.Helper()
	limit := time.After(patience)
	for {
		o.mu.Lock()
		said, changed := strings.Contains(o.text.String(), text), o.changed
		o.mu.Unlock()
		if said {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("the output never contains %q:\n%s", text, o)
		}
	}
}

// client follows no redirects and keeps no cookies.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 50},
}

// browser is a person's browser on a portal with one public host and several
// servers.
type browser struct {
	t       *testing.T
	host    string
	cookies map[string]string
}

func newBrowser(t *testing.T, host string) *browser {
	return &browser{t: t, host: host, cookies: map[string]string{}}
}

func (b *browser) clone() *browser {
	return &browser{t: b.t, host: b.host, cookies: maps.Clone(b.cookies)}
}

// reply is the response of a server.
type reply struct {
	code     int
	location string
	header   http.Header
	body     string
	cookies  map[string]string // the cookies that it sets
}

// send makes a request to a server. It is safe for concurrent use as long as
// nothing changes the cookies; keep does, with the cookies of a reply.
func (b *browser) send(s *server, method, path string, form url.Values) (*reply, error) {
	request, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+s.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Host = b.host
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "http://"+b.host)
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return exchange(request)
}

// exchange sends a request and reads the reply.
func exchange(request *http.Request) (*reply, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	r := &reply{
		code: response.StatusCode, location: response.Header.Get("Location"), header: response.Header, body: string(body),
		cookies: map[string]string{},
	}
	for _, c := range response.Cookies() {
		r.cookies[c.Name] = c.Value
	}
	return r, nil
}

// keep stores the cookies of a reply.
func (b *browser) keep(r *reply) {
	for name, value := range r.cookies {
		if value == "" {
			delete(b.cookies, name)
			continue
		}
		b.cookies[name] = value
	}
}

// do sends a request, stores the cookies and checks the status.
func (b *browser) do(s *server, method, path string, want int, pairs ...string) *reply {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := b.send(s, method, path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	if r.code != want {
		b.t.Errorf("%s %s at %s: got status %d (Location %q), want %d\n%s", method, path, s.addr, r.code, r.location, want, r.body)
	}
	b.keep(r)
	return r
}

func (b *browser) get(s *server, path string, want int) *reply {
	b.t.Helper()
	return b.do(s, http.MethodGet, path, want)
}

// signUp creates an account and is signed in afterwards.
func (b *browser) signUp(s *server, name string) {
	b.t.Helper()
	b.do(s, http.MethodPost, "/signup", 303, "username", name, "email", name+"@example.org", "password", secretWord)
	b.get(s, "/profile", 200)
}

// signIn signs in with “Stay signed in”.
func (b *browser) signIn(s *server, name string) {
	b.t.Helper()
	b.do(s, http.MethodPost, "/login", 303, "username", name, "password", secretWord, "remember", "on")
	b.get(s, "/profile", 200)
}
