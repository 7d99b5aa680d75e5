package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/metrics"
)

// fullListener has no file descriptor left while full is true.
type fullListener struct {
	net.Listener
	full bool
}

func (l *fullListener) Accept() (net.Conn, error) {
	if !l.full {
		return nil, nil //nolint:nilnil // nobody uses the connection
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

// TestAcceptWarns checks that connections that cannot be accepted are one warning a
// minute, with their number.
func TestAcceptWarns(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m, full := newTestMetrics(t), &fullListener{full: true}
	a := &acceptor{Listener: full, logger: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }, metrics: m}
	for range 130 {
		if _, err := a.Accept(); !errors.Is(err, syscall.EMFILE) {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
	}
	full.full = false
	for range 2 { // the rest is told once, after a minute
		now = now.Add(time.Minute)
		_, _ = a.Accept()
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("got %d lines, want 4:\n%s", len(lines), log.String())
	}
	for i, want := range []string{"failures=1 ", "failures=60 ", "failures=60 ", "failures=9 "} {
		if !strings.Contains(lines[i], "level=WARN") || !strings.Contains(lines[i], "no file descriptor is left") || !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want a warning with %s", i, lines[i], want)
		}
	}
	if got := scrapeHandler(t, m.Handler()).value("latchkey_accept_errors_total"); got != 130 {
		t.Errorf("%v failures are counted, want 130", got)
	}
}

func newTestMetrics(t *testing.T) *metrics.Metrics {
	t.Helper()
	m, err := metrics.New(metrics.Options{
		Pool: func() metrics.Pool { return metrics.Pool{} }, NotYet: func() uint64 { return 0 }, Backup: func() time.Time { return time.Time{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func scrapeHandler(t *testing.T, handler http.Handler) *scrape {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return parseScrape(t, w.Body.String())
}

// TestSlowClients checks which connections count as slow.
func TestSlowClients(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	tests := []struct {
		name        string
		send        string
		then        string // is sent after the responses
		read, write float64
		answers     int // responses to read before the connection ends
	}{
		{"idle after a request", get, "", 0, 0, 1},
		{"two requests, then idle", get + get, "", 0, 0, 2},
		{"nothing", "", "", 0, 0, 0},
		{"half of the headers", "GET / HTTP/1.1\r\nHo", "", 1, 0, 0},
		{"a request, then half of another", get, "GET / HT", 1, 0, 1},
		{"half of the body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", "", 1, 0, 0},
		{"no body after 100 Continue", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n", "", 1, 0, 0},
		{"the response is not taken", "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", "", 0, 1, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newTestMetrics(t)
			listener, err := net.Listen("tcp", "localhost:0")
			if err != nil {
				t.Fatal(err)
			}
			closed := make(chan struct{})
			server := &http.Server{
				ReadHeaderTimeout: 200 * time.Millisecond, ReadTimeout: 200 * time.Millisecond, WriteTimeout: 400 * time.Millisecond, IdleTimeout: 200 * time.Millisecond,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					size := 10
					if r.URL.Path == "/large" {
						size = 64 << 20
					}
					_, _ = w.Write(make([]byte, size))
				}),
				ConnState: func(_ net.Conn, state http.ConnState) {
					if state == http.StateClosed {
						close(closed)
					}
				},
			}
			go func() {
				_ = server.Serve(&acceptor{Listener: listener, logger: slog.New(slog.DiscardHandler), now: time.Now, metrics: m})
			}()
			defer func() { _ = server.Close() }()
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, test.send); err != nil {
				t.Fatal(err)
			}
			reader := bufio.NewReader(conn)
			for range test.answers {
				response, err := http.ReadResponse(reader, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
			}
			if _, err := io.WriteString(conn, test.then); err != nil {
				t.Fatal(err)
			}
			select {
			case <-closed:
			case <-time.After(patience):
				t.Fatal("the server does not close the connection")
			}
			s := scrapeHandler(t, m.Handler())
			if read, write := s.value("latchkey_slow_connections_total", "side", "read"), s.value("latchkey_slow_connections_total", "side", "write"); read != test.read || write != test.write {
				t.Errorf("slow to read %v and to write %v, want %v and %v", read, write, test.read, test.write)
			}
		})
	}
}
