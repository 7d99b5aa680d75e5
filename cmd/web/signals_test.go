package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/testdb"
)

// TestLogReaderGone ends the reader of the server's output, as "latchkey | head"
// does, before the server has written everything, and then sends SIGHUP, as a
// closing terminal does. The server keeps running until SIGTERM.
func TestLogReaderGone(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			e := newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_LOG_FORMAT="+format)
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			s := launchInto(t, e, newOutput(), writer)
			_ = writer.Close()
			if _, err := bufio.NewReader(reader).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			_ = reader.Close()

			s.waitReady(http.StatusOK)
			for range 20 { // each writes a line
				if got := s.answers("/login"); got != http.StatusOK {
					t.Fatalf("/login: got status %d", got)
				}
			}
			if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if got := s.answers("/login"); got != http.StatusOK {
					t.Fatalf("/login after SIGHUP: got status %d", got)
				}
			}
			if code := s.stop(); code != exitDone {
				t.Errorf("got exit code %d after SIGTERM, want 0", code)
			}
		})
	}
}

// TestSmuggling sends a request with both Content-Length and Transfer-Encoding,
// and another one behind it that a proxy would count to the body of the first.
// The server ends the connection after the first (RFC 9112 §6.1).
func TestSmuggling(t *testing.T) {
	s := start(t, newEnvironment(t, testdb.SQLiteURL(t)))
	for _, path := range []string{"/login", "/token", "/healthz", "/nowhere"} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		second := "GET /healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
			"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", path, s.addr, len("0\r\n\r\n"+second), second)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := io.ReadAll(conn) // ends when the server closes the connection
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if got := strings.Count(string(answers), "HTTP/1.1 "); got != 1 || !strings.Contains(string(answers), "\r\nConnection: close\r\n") {
			t.Errorf("%s: got %d responses, want one that closes the connection:\n%s", path, got, answers)
		}
		_ = conn.Close()
	}
}
