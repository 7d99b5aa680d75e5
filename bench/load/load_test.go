package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	tests := []struct {
		name   string
		values []time.Duration
		p      int
		want   time.Duration
	}{
		{"none", nil, 50, 0},
		{"one", []time.Duration{7}, 99, 7},
		{"median of two", []time.Duration{9, 1}, 50, 1},
		{"median", hundred, 50, 50},
		{"p99", hundred, 99, 99},
		{"max", hundred, 100, 100},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := percentile(slices.Clone(test.values), test.p); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestSum(t *testing.T) {
	got, err := sum(
		round{took: time.Second, cpu: 300 * time.Millisecond, latencies: []time.Duration{1, 2}},
		round{took: time.Second, cpu: 100 * time.Millisecond, latencies: []time.Duration{3, 4}},
	)
	want := figures{perSecond: 2, p50: 2, p99: 4, cpu10k: 1000, perCPU: 10}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := sum(round{took: time.Second, latencies: []time.Duration{1}}); err == nil {
		t.Error("no CPU time gave no error")
	}
}

// TestDrive drives a server briefly and checks that every response is counted once
// and that an unexpected response stops the round.
func TestDrive(t *testing.T) {
	var answered, status atomic.Int64
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answered.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	people := []*browser{newBrowser(server.Listener.Addr().String()), newBrowser(server.Listener.Addr().String())}
	cpu := func() (time.Duration, error) { return 0, nil } // only Linux reports the real time
	r, err := drive(t.Context(), people, work{path: "/"}.visit, 0, 50*time.Millisecond, cpu)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(r.latencies), int(answered.Load()); got != want || got == 0 {
		t.Errorf("got %d latencies for %d responses", got, want)
	}
	status.Store(http.StatusServiceUnavailable)
	if _, err := drive(t.Context(), people, work{path: "/"}.visit, 0, time.Minute, cpu); err == nil {
		t.Error("503 was taken for the page")
	}
}

// TestBrowser checks that net/http understands a browser's requests.
func TestBrowser(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = fmt.Sprint(r.Method, " ", r.URL, " ", r.Header["Cookie"], " ", r.Header["Authorization"], " ", r.PostFormValue("a"))
		switch r.URL.Path {
		case "/set":
			http.SetCookie(w, &http.Cookie{Name: "access", Value: "1"})
			http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
		case "/forget":
			http.SetCookie(w, &http.Cookie{Name: "access", MaxAge: -1})
		}
	}))
	defer server.Close()
	b := newBrowser(server.Listener.Addr().String())
	b.header.Set("Authorization", "Bearer t")
	for _, test := range []struct {
		path   string
		form   map[string][]string
		want   string
		status int
	}{
		{"/set?b=c", nil, "GET /set?b=c [] [Bearer t] ", 303},
		{"/form", map[string][]string{"a": {"x y"}}, "POST /form [access=1] [Bearer t] x y", 200},
		{"/forget", nil, "GET /forget [access=1] [Bearer t] ", 200},
		{"/after", nil, "GET /after [] [Bearer t] ", 200},
	} {
		a, err := b.do(test.path, test.form)
		if err != nil {
			t.Fatal(err)
		}
		if got != test.want || a.StatusCode != test.status {
			t.Errorf("%s: %q, status %d; want %q, %d", test.path, got, a.StatusCode, test.want, test.status)
		}
	}
}

// TestChecks checks that an unexpected response is an error.
func TestChecks(t *testing.T) {
	pair := func(refresh string) string { return `{"access_token":"a2","refresh_token":"` + refresh + `"}` }
	tests := []struct {
		name   string
		status int
		set    []string // cookies of the answer
		body   string
		good   []string // the works that accept it
	}{
		{"a page", 200, nil, "", []string{"page"}},
		{"a page with a new pair", 200, []string{"access=a2", "refresh=r2"}, "", []string{"rotation"}},
		{"a page with the same pair", 200, []string{"access=a2", "refresh=r1"}, "", nil},
		{"a redirect", 303, nil, "", nil},
		{"an error with a pair", 500, []string{"access=a2", "refresh=r2"}, pair("r2"), nil},
		{"a token that works", 200, nil, `{"active":true,"scope":"me"}`, []string{"page", "introspection"}},
		{"a token that does not", 200, nil, `{"active":false}`, []string{"page"}},
		{"a new pair of a program", 200, nil, pair("r2"), []string{"page", "refreshing"}},
		{"the same refresh token", 200, nil, pair("r1"), []string{"page"}},
		{"an access token alone", 200, nil, `{"access_token":"a2"}`, []string{"page"}},
	}
	works := map[string]work{"page": {path: "/profile"}, "rotation": rotation(), "introspection": introspection(), "refreshing": refreshing()}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Set-Cookie"] = test.set
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			for name, w := range works {
				b := newBrowser(server.Listener.Addr().String())
				b.cookies["access"], b.cookies["refresh"] = "a1", "r1"
				if err := w.visit(b); (err == nil) != slices.Contains(test.good, name) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	var r report
	check(&r, "page", "share", share(0.03), least, 0.02)
	check(&r, "page", "p99", 70*time.Millisecond, most, 60*time.Millisecond)
	r.add("Sizes", "a | b", "x", size(3<<20))
	r.add("Sizes", "a | b", 7, size(1<<19))
	var b strings.Builder
	r.print(&b)
	want := "\n### Sizes\n\n| a | b |\n| --- | --- |\n| x | 3.0 MB |\n| 7 | 0.5 MB |\n" +
		"\n### Targets\n\n| work | figure | measured | target |  |\n| --- | --- | --- | --- | --- |\n" +
		"| page | share | 3.0 % | ≥ 2.0 % | met |\n| page | p99 | 70.00 ms | ≤ 60.00 ms | **not met** |\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestProc(t *testing.T) {
	self := os.Getpid()
	before, err := cpuTime(self, false)
	if err != nil {
		t.Skip(err) // no /proc here
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for after := before; after < before+2*tick; {
		if after, err = cpuTime(self, false); err != nil || ctx.Err() != nil {
			t.Fatalf("CPU time stays at %v: %v", after, err)
		}
	}
	family, err := cpuTime(self, true)
	if err != nil || family < before+2*tick {
		t.Errorf("the family used %v, this process alone more than %v: %v", family, before, err)
	}
	resident, peak, err := memory(self)
	if err != nil || resident < 1<<20 || peak < resident/2 {
		t.Errorf("memory: %d and %d bytes, %v", resident, peak, err)
	}
}
