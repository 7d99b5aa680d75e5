package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClient lets net/http understand our requests and us its answers.
func TestClient(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := r.Method + " " + r.URL.String() + " " + r.Header.Get("Cookie") + " " + string(body)
		http.SetCookie(w, &http.Cookie{Name: "access", Value: "a1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "refresh", Value: "r1", MaxAge: 60})
		w.Header().Set("Location", "/profile")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.WriteHeader(http.StatusSeeOther)
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	c, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()

	long := strings.Repeat("x", 100_000)
	tests := []struct {
		name    string
		request []byte
		want    string
	}{
		{"get", get(addr, "/a?b=c", ""), "GET /a?b=c  "},
		{"get with cookies", get(addr, "/a", "access=1; refresh=2"), "GET /a access=1; refresh=2 "},
		{"post", post(addr, "/login", "", "a=b"), "POST /login  a=b"},
		{"longer than every buffer", post(addr, "/login", "", long), "POST /login  " + long},
		{"after that", get(addr, "/", ""), "GET /  "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := c.do(test.request); err != nil {
				t.Fatal(err)
			}
			if got := string(c.body); got != test.want {
				t.Errorf("body %.80q, want %.80q", got, test.want)
			}
			got := []string{strconv.Itoa(c.status), c.cookie("access"), c.cookie("refresh"), c.cookie("flash"), string(c.place)}
			if diff := cmp.Diff([]string{"303", "a1", "r1", "", "/profile"}, got); diff != "" {
				t.Errorf("status, cookies and place (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVisits shows that an answer that is not what is measured is an error.
func TestVisits(t *testing.T) {
	tests := []struct {
		name   string
		status int
		set    []string // cookies of the answer
		page   bool     // good for page
		rotate bool     // good for rotating
	}{
		{"a page", 200, nil, true, false},
		{"a page with a new pair", 200, []string{"access=a2", "refresh=r2"}, false, true},
		{"a page with the same pair", 200, []string{"access=a2", "refresh=r1"}, false, false},
		{"a redirect", 303, nil, false, false},
		{"an error with a pair", 500, []string{"access=a2", "refresh=r2"}, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Set-Cookie"] = test.set
				w.Header().Set("Content-Length", "0")
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			addr := strings.TrimPrefix(server.URL, "http://")
			c, err := dial(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			if err := page(get(addr, "/profile", ""))(c); (err == nil) != test.page {
				t.Errorf("page: %v", err)
			}
			if err := rotating(addr, "/profile", "r1")(c); (err == nil) != test.rotate {
				t.Errorf("rotating: %v", err)
			}
		})
	}
}

func TestChunkedIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	c, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.do(get(addr, "/", "")); !errors.Is(err, errChunked) {
		t.Errorf("got %v, want %v", err, errChunked)
	}
}
