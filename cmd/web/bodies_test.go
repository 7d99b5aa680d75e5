package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/testdb"
)

// TestHalfSentBodies sends more request bodies than the server has places for
// requests, none of them to its end. Each is refused in time; until the last one
// is, everyone else is served, those at the same address too.
func TestHalfSentBodies(t *testing.T) {
	const bodies, attacker, other = 515, "198.51.100.7", "203.0.113.9"
	for _, test := range []struct {
		name string
		from func(i int) string
	}{
		{"one address", func(int) string { return attacker }},
		{"many addresses", func(i int) string { return fmt.Sprintf("198.51.%d.%d", 100+i/250, 1+i%250) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_TRUSTED_PROXIES=127.0.0.1,::1"))
			b := newBrowser(t, s.addr)
			b.signUp(s, "ana")

			var refused sync.WaitGroup
			for i := range bodies {
				conn := s.sendHalf(test.from(i), i%2 == 0)
				sent := time.Now()
				refused.Go(func() {
					response, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Errorf("half a body: %v", err)
						return
					}
					page, _ := io.ReadAll(response.Body)
					took := time.Since(sent).Round(time.Millisecond)
					if response.StatusCode != http.StatusRequestTimeout || !response.Close || !strings.Contains(string(page), "took too long") {
						t.Errorf("half a body: status %d, connection closes: %t; want 408, true\n%s", response.StatusCode, response.Close, page)
					}
					if took < 4*time.Second || took > 15*time.Second {
						t.Errorf("half a body was refused after %s, want about 5s", took)
					}
				})
			}
			ended := make(chan struct{})
			go func() { refused.Wait(); close(ended) }()

			served, tick := 0, time.NewTicker(50*time.Millisecond)
			defer tick.Stop()
			for waiting := true; waiting; {
				for _, address := range []string{attacker, other} {
					for _, path := range []string{"/profile", "/logout"} {
						if got := b.statusFrom(s, address, path); got != http.StatusOK {
							t.Errorf("%s from %s: got status %d", path, address, got)
						}
						served++
					}
				}
				select {
				case <-ended:
					waiting = false
				case <-tick.C:
				}
			}
			t.Logf("%d requests were served meanwhile", served)
		})
	}
}

// sendHalf sends a request and half of its body, of a declared length or in
// chunks, as a trusted proxy passes it on for a client.
func (s *server) sendHalf(client string, declared bool) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	body := "Content-Length: 100\r\n\r\nusername=ana"
	if !declared {
		body = "Transfer-Encoding: chunked\r\n\r\nc\r\nusername=ana"
	}
	_, err = fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nX-Forwarded-For: %s\r\nAccept: text/html\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\n%s", s.addr, s.addr, client, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// statusFrom gets a page as a trusted proxy does for a client, and returns the
// status.
func (b *browser) statusFrom(s *server, client, path string) int {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+s.addr+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("X-Forwarded-For", client)
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r, err := exchange(request)
	if err != nil {
		b.t.Errorf("%s: %v", path, err)
		return 0
	}
	return r.code
}
