package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"latchkey/internal/testdb"
)

// TestDrain checks the order of a stop: first /readyz says so, while requests on new
// and on kept connections are served and told to close; then the server ends.
func TestDrain(t *testing.T) {
	s := start(t, newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_DRAIN=1s"))
	kept, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	reader := bufio.NewReader(kept)
	ask := func(request string, want int) *http.Response {
		t.Helper()
		if _, err := io.WriteString(kept, request); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("got %s, want %d", response.Status, want)
		}
		return response
	}
	if ask("GET /healthz HTTP/1.1\r\nHost: "+s.addr+"\r\n\r\n", 200).Close {
		t.Error("a running server closes the connection")
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.out.wait(t, "draining")
	if got := s.answers("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz: got %d, want 503", got)
	}
	for path, want := range map[string]int{"/healthz": 200, "/login": 200} {
		if got := s.answers(path); got != want {
			t.Errorf("%s on a new connection: got %d, want %d", path, got, want)
		}
	}
	const form = "theme=dark&next=%2Fforgot"
	response := ask("POST /theme HTTP/1.1\r\nHost: "+s.addr+"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 25\r\n\r\n"+form, 303)
	if !response.Close {
		t.Error("a POST on a kept connection is not told to close it")
	}
	<-s.done
	if code := s.cmd.ProcessState.ExitCode(); code != exitDone {
		t.Errorf("got exit code %d, want 0", code)
	}
	if s.answers("/healthz") != 0 {
		t.Error("the server still responds")
	}
}
