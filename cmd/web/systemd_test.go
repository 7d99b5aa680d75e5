package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"latchkey/internal/testdb"
)

// TestSystemd plays the service manager: the server says that it is ready once it
// listens, goes on saying that it answers, and says that it stops.
func TestSystemd(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	next := func() string {
		t.Helper()
		message := make([]byte, 1<<10)
		_ = socket.SetReadDeadline(time.Now().Add(patience))
		n, err := socket.Read(message)
		if err != nil {
			t.Fatalf("the server says nothing: %v", err)
		}
		return string(message[:n])
	}
	s := launch(t, newEnvironment(t, testdb.SQLiteURL(t), "NOTIFY_SOCKET="+socket.LocalAddr().String(), "WATCHDOG_USEC=150000"))
	if got := next(); got != "READY=1" {
		t.Fatalf("got %q first, want READY=1", got)
	}
	if status := s.answers("/healthz"); status != http.StatusOK {
		t.Errorf("ready, and /healthz returned %d", status)
	}
	for range 2 {
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("got %q, want WATCHDOG=1", got)
		}
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("got exit code %d", code)
	}
	var rest []string
	for !slices.Contains(rest, "STOPPING=1") && len(rest) < 100 {
		rest = append(rest, next())
	}
	if !slices.Contains(rest, "STOPPING=1") {
		t.Errorf("the server did not say that it stops: %q", rest)
	}
}

// TestAnswers checks which servers count as alive.
func TestAnswers(t *testing.T) {
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer stuck.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	client := &http.Client{Timeout: 100 * time.Millisecond}
	for _, test := range []struct {
		name, url string
		want      bool
	}{{"busy", busy.URL, true}, {"stuck", stuck.URL, false}, {"gone", gone.URL, false}} {
		if got := answers(t.Context(), client, test.url); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
	}
}
