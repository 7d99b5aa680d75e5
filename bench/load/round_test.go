package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
	got, err := sum([]round{
		{took: time.Second, cpu: 300 * time.Millisecond, latencies: []time.Duration{1, 2}},
		{took: time.Second, cpu: 100 * time.Millisecond, latencies: []time.Duration{3, 4}},
	})
	want := figures{Requests: 4, PerSecond: 2, P50: 2, P99: 4, CPU10k: 1000, PerCPU: 10}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := sum([]round{{took: time.Second, latencies: []time.Duration{1}}}); err == nil {
		t.Error("no CPU time gave no error")
	}
}

// TestRun drives a server for a moment: every request is counted once, and an
// answer that is not what was asked for stops the round.
func TestRun(t *testing.T) {
	var answered atomic.Int64
	var status atomic.Int64
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answered.Add(1)
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	v, err := newVisitors(addr, slices.Repeat([]visit{page(get(addr, "/", ""))}, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	cpu := func() (time.Duration, error) { return 0, nil } // what it is, only Linux tells
	r, err := v.run(t.Context(), 50*time.Millisecond, cpu)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(r.latencies), int(answered.Load()); got != want || got == 0 {
		t.Errorf("%d latencies of %d answers", got, want)
	}
	status.Store(http.StatusServiceUnavailable)
	if _, err := v.run(t.Context(), time.Minute, cpu); err == nil {
		t.Error("503 was taken for the page")
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	table := table{w: &b}
	table.head("Empty", "a")
	table.head("Full", "a", "b")
	table.row("1", "2")
	table.row("3", "4")
	want := "\n### Full\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n"
	if got := b.String(); got != want {
		t.Errorf("got %s, want %s", strconv.Quote(got), strconv.Quote(want))
	}
}
