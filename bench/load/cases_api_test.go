package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// TestCall lets net/http understand the requests of a program.
func TestCall(t *testing.T) {
	form := url.Values{"token": {"a+b"}}
	tests := []struct {
		name                 string
		method, bearer, form string
		request              []byte
	}{
		{"get with a token", "GET", "Bearer t", "", call("GET", "host", "/users/me", "t", nil)},
		{"post with a token", "POST", "Bearer t", "a+b", call("POST", "host", "/users/me", "t", form)},
		{"post without", "POST", "", "a+b", call("POST", "host", "/users/me", "", form)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text := r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + r.PostFormValue("token")
				w.Header().Set("Content-Length", strconv.Itoa(len(text)))
				_, _ = io.WriteString(w, text)
			}))
			defer server.Close()
			c := dialTest(t, server)
			if err := c.do(test.request); err != nil {
				t.Fatal(err)
			}
			if got, want := string(c.body), test.method+" /users/me "+test.bearer+" "+test.form; got != want {
				t.Errorf("the server understood %q, want %q", got, want)
			}
		})
	}
}

// TestCalls shows that an answer that is not what is measured is an error.
func TestCalls(t *testing.T) {
	pair := func(refresh string) string {
		return `{"access_token":"a2","token_type":"bearer","expires_in":300,"refresh_token":"` + refresh + `","scope":"me"}`
	}
	tests := []struct {
		name    string
		status  int
		body    string
		active  bool // good for active
		refresh bool // good for refreshing
	}{
		{"a token that works", 200, `{"active":true,"scope":"me"}`, true, false},
		{"a token that does not", 200, `{"active":false}`, false, false},
		{"a new pair", 200, pair("r2"), false, true},
		{"the same refresh token", 200, pair("r1"), false, false},
		{"an access token alone", 200, `{"access_token":"a2"}`, false, false},
		{"an error with a pair", 400, pair("r2"), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(test.body)))
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			c := dialTest(t, server)
			if err := active(call("POST", "host", "/introspect", "t", nil))(c); (err == nil) != test.active {
				t.Errorf("active: %v", err)
			}
			if err := refreshing("host", "r1")(c); (err == nil) != test.refresh {
				t.Errorf("refreshing: %v", err)
			}
		})
	}
}

// TestRefreshingFollows shows that each request brings the token of the answer
// before.
func TestRefreshingFollows(t *testing.T) {
	n := 1
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.PostFormValue("refresh_token"), "r"+strconv.Itoa(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		n++
		body := `{"access_token":"a","refresh_token":"r` + strconv.Itoa(n) + `"}`
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	c, visit := dialTest(t, server), refreshing("host", "r1")
	for range 3 {
		if err := visit(c); err != nil {
			t.Fatal(err)
		}
	}
}

func dialTest(t *testing.T, server *httptest.Server) *client {
	t.Helper()
	c, err := dial(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}
