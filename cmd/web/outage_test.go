package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/testdb"
)

// wire is a TCP proxy in front of a database. Cutting it makes the database
// unreachable.
type wire struct {
	t      *testing.T
	addr   string // where the portal connects
	target string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
}

// newWire returns a wire to the database at databaseURL and the URL of the
// database through the wire.
func newWire(t *testing.T, databaseURL string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, addr: "127.0.0.1:0", target: u.Host, conns: map[net.Conn]bool{}}
	w.mend()
	t.Cleanup(w.cut)
	u.Host = w.addr
	return w, u.String()
}

// mend starts the proxy, at the same address as before.
func (w *wire) mend() {
	w.t.Helper()
	listener, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.addr = listener, listener.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // cut
			}
			go w.pass(conn)
		}
	}()
}

func (w *wire) pass(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	database, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer func() { _ = database.Close() }()
	w.mu.Lock()
	w.conns[conn] = true
	w.mu.Unlock()
	go func() { _, _ = io.Copy(database, conn); _ = database.Close() }()
	_, _ = io.Copy(conn, database)
}

// cut closes every connection and refuses new ones, like a database that stops.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.listener.Close()
	for conn := range w.conns {
		_ = conn.Close()
	}
	clear(w.conns)
}

// TestDatabaseOutage disconnects the database from a running server: every
// request gets 503 and no cookie changes. When the database is back, everything
// works again without a restart.
func TestDatabaseOutage(t *testing.T) {
	w, databaseURL := newWire(t, testdb.PostgresURL(t))
	e := newEnvironment(t, databaseURL)
	s := start(t, e)
	b := newBrowser(t, s.addr)
	b.signUp(s, "ana")
	refreshing := b.clone()
	delete(refreshing.cookies, "access")

	w.cut()
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

	w.mend()
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
	w, databaseURL := newWire(t, testdb.PostgresURL(t))
	w.cut()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	command(t, newEnvironment(t, databaseURL), "", "serve").exits(exitFailed).hides(password)
}
