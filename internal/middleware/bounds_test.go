package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/middleware"
)

func TestBounds(t *testing.T) {
	limits := middleware.Limits{
		Body: 100, SmallBody: 10, Small: map[string]bool{"/login": true}, BodyTime: time.Minute, Timeout: time.Minute, Concurrent: 5,
	}
	var got string
	s := newSite(func(c echo.Context) error {
		if _, set := c.Request().Context().Deadline(); !set {
			t.Error("the request has no deadline")
		}
		body, err := io.ReadAll(c.Request().Body)
		got = string(body)
		if err != nil || int64(len(body)) != c.Request().ContentLength {
			t.Errorf("read %d bytes of %d: %v", len(body), c.Request().ContentLength, err)
		}
		return ok(c)
	}, middleware.Bounds(limits))
	for _, test := range []struct {
		path string
		size int
		want int
	}{
		{"/profile", 0, http.StatusOK},
		{"/profile", 100, http.StatusOK},
		{"/profile", 101, http.StatusRequestEntityTooLarge},
		{"/profile", 10 << 20, http.StatusRequestEntityTooLarge},
		{"/login", 10, http.StatusOK},
		{"/login", 11, http.StatusRequestEntityTooLarge},
	} {
		body := strings.Repeat("x", test.size)
		declared := httptest.NewRequest(http.MethodPost, test.path, strings.NewReader(body))
		chunked := httptest.NewRequest(http.MethodPost, test.path, io.MultiReader(strings.NewReader(body)))
		chunked.ContentLength = -1
		for name, r := range map[string]*http.Request{"declared": declared, "chunked": chunked} {
			got = ""
			if w := s.serve(r); w.Code != test.want || test.want == http.StatusOK && got != body {
				t.Errorf("%d bytes to %s, %s: status %d and %d bytes read, want %d", test.size, test.path, name, w.Code, len(got), test.want)
			}
		}
	}
}

// TestSlowBodies sends many more half bodies than there are slots. Other requests
// are served in the meantime, and the half bodies are refused in time.
func TestSlowBodies(t *testing.T) {
	const slots = 3
	s := newSite(ok, middleware.Bounds(middleware.Limits{Body: 100, BodyTime: time.Second, Timeout: time.Minute, Concurrent: slots}))
	server := httptest.NewServer(s)
	defer server.Close()
	var slow []net.Conn
	for range 5 * slots {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, conn)
	}
	for range 2 * slots {
		response, err := http.Post(server.URL, "text/plain", strings.NewReader("whole"))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("another request: status %d", response.StatusCode)
		}
	}
	for _, conn := range slow {
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("a half body: %v", err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestTimeout || !response.Close {
			t.Errorf("a half body: status %d, connection closes: %t; want 408, true", response.StatusCode, response.Close)
		}
	}
}

// TestLongRequest checks that the time for the body does not end the request
// that follows: net/http reads on while a request is served.
func TestLongRequest(t *testing.T) {
	limits := middleware.Limits{Body: 100, BodyTime: 50 * time.Millisecond, Timeout: time.Minute, Concurrent: 8}
	s := newSite(func(c echo.Context) error {
		select {
		case <-c.Request().Context().Done():
			t.Error("the request was canceled")
		case <-time.After(3 * limits.BodyTime):
		}
		return ok(c)
	}, middleware.Bounds(limits))
	server := httptest.NewServer(s)
	defer server.Close()
	response, err := http.Post(server.URL, "text/plain", strings.NewReader("whole"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}

// TestConcurrent fills a network's share of the slots and then all of them.
func TestConcurrent(t *testing.T) {
	const most, share = 12, 3
	entered, leave := make(chan struct{}), make(chan struct{})
	s := newSite(func(c echo.Context) error {
		if c.Request().URL.Path == "/slow" {
			entered <- struct{}{}
			<-leave
		}
		return ok(c)
	}, middleware.Bounds(middleware.Limits{Body: 1, Timeout: time.Minute, Concurrent: most}))
	from := func(address, path string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = net.JoinHostPort(address, "4711")
		return s.serve(r).Code
	}
	want := func(address, path string, want int) {
		t.Helper()
		if got := from(address, path); got != want {
			t.Errorf("%s from %s: status %d, want %d", path, address, got, want)
		}
	}
	done := make(chan int)
	busy := 0
	occupy := func(address string) {
		go func() { done <- from(address, "/slow") }()
		<-entered
		busy++
	}

	for i := range share { // addresses of one IPv6 /56
		occupy(fmt.Sprintf("2001:db8:0:12%d::1", i))
	}
	want("2001:db8:0:1ff::1", "/", http.StatusServiceUnavailable)
	want("2001:db8:0:200::1", "/", http.StatusOK)
	for range share {
		occupy("192.0.2.1")
	}
	want("192.0.2.1", "/", http.StatusServiceUnavailable)
	want("192.0.2.2", "/", http.StatusOK)
	want("192.0.2.1", "/healthz", http.StatusOK)
	for busy < most {
		occupy("127.0.0.1") // has no share: others may be behind it
	}
	want("192.0.2.2", "/", http.StatusServiceUnavailable)
	want("127.0.0.1", "/", http.StatusServiceUnavailable)
	for _, health := range []string{"/healthz", "/readyz"} {
		want("127.0.0.1", health, http.StatusOK)
	}
	close(leave)
	for range busy {
		if got := <-done; got != http.StatusOK {
			t.Errorf("a slow request: status %d", got)
		}
	}
	for range 2 * share { // the slots are free again
		want("192.0.2.1", "/", http.StatusOK)
		want("2001:db8:0:120::1", "/", http.StatusOK)
	}
}
