package main

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"latchkey/internal/auth"
	"latchkey/internal/testdb"
)

// measured returns the environment with an address for metrics.
func (e environment) measured(t *testing.T) environment {
	return e.with("LATCHKEY_METRICS_ADDR=localhost:" + strconv.Itoa(freePort(t)))
}

// scrape is one answer of /metrics.
type scrape struct {
	t        *testing.T
	text     string
	families map[string]*dto.MetricFamily
}

// scrapeOf reads the metrics of a server.
func scrapeOf(t *testing.T, e environment) *scrape {
	t.Helper()
	response, err := client.Get("http://" + e.get("LATCHKEY_METRICS_ADDR") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("got status %d (%v)", response.StatusCode, err)
	}
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4; charset=utf-8") {
		t.Errorf("got the content type %q, want that of Prometheus's text format", got)
	}
	if got := response.Header.Values("Set-Cookie"); got != nil {
		t.Errorf("/metrics sets the cookies %q", got)
	}
	return parseScrape(t, string(text))
}

// settled reads the metrics once no request is active: a client may have a whole
// response before the server has counted it.
func settled(t *testing.T, e environment) *scrape {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		s := scrapeOf(t, e)
		if s.value("http_server_active_requests") == 0 {
			return s
		}
		if time.Now().After(end) {
			t.Fatal("requests stay active after the last one")
		}
	}
}

func parseScrape(t *testing.T, text string) *scrape {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &scrape{t: t, text: text, families: families}
}

// value returns the value of a series, of a histogram the number of observations.
// labels are pairs of names and values. A series that does not exist is a failure.
func (s *scrape) value(name string, labels ...string) float64 {
	s.t.Helper()
	for _, m := range s.families[name].GetMetric() {
		if got := labelsOf(m); len(got) == len(labels)/2 && matches(got, labels) {
			return valueOf(m)
		}
	}
	s.t.Errorf("there is no series %s%q", name, labels)
	return math.NaN()
}

func labelsOf(m *dto.Metric) map[string]string {
	got := map[string]string{}
	for _, pair := range m.GetLabel() {
		got[pair.GetName()] = pair.GetValue()
	}
	return got
}

func matches(got map[string]string, want []string) bool {
	for i := 0; i+1 < len(want); i += 2 {
		if got[want[i]] != want[i+1] {
			return false
		}
	}
	return true
}

func valueOf(m *dto.Metric) float64 {
	switch {
	case m.GetHistogram() != nil:
		return float64(m.GetHistogram().GetSampleCount())
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

// ownFamilies returns the names of the metrics that are not about the Go runtime and
// the process.
func (s *scrape) ownFamilies() []string {
	var names []string
	for name := range s.families {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestMetricsCount signs people in and checks that each counter has risen by exactly
// that.
func TestMetricsCount(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL).measured(t)
		s := start(t, e)
		b := newBrowser(t, s.addr)
		b.signUp(s, "ada")
		before := settled(t, e)

		b.signIn(s, "ada")
		b.do(s, http.MethodPost, "/login", 422, "username", "ada", "password", "wrong horse battery 9")
		b.do(s, http.MethodPost, "/login", 422, "username", "nobody", "password", secretWord)
		p := &program{t: t, host: s.addr}
		g := p.signIn(s, "ada")
		p.do(s, "", http.MethodPost, "/token", 401, "username", "ada", "password", "wrong horse battery 9")
		last := p.refreshed(s, p.refreshed(s, g))
		p.refusedRefresh(s, g.Refresh) // a copy: ends the session
		p.refusedRefresh(s, last.Refresh)
		delete(b.cookies, "access")
		parallel := b.clone()
		b.get(s, "/profile", 200)
		parallel.get(s, "/profile", 200)

		after := settled(t, e)
		for _, test := range []struct {
			name string
			rise float64
			with []string
		}{
			{"latchkey_sign_ins_total", 1, []string{"method", "password", "result", "success"}},
			{"latchkey_sign_ins_total", 2, []string{"method", "password", "result", "wrong"}},
			{"latchkey_sign_ins_total", 0, []string{"method", "password", "result", "limited"}},
			{"latchkey_sign_ins_total", 1, []string{"method", "api", "result", "success"}},
			{"latchkey_sign_ins_total", 1, []string{"method", "api", "result", "wrong"}},
			{"latchkey_rotations_total", 3, []string{"result", "won"}},
			{"latchkey_rotations_total", 1, []string{"result", "overlap"}},
			{"latchkey_rotations_total", 0, []string{"result", "redelivered"}},
			{"latchkey_rotations_total", 1, []string{"result", "replay"}},
			{"latchkey_password_hash_wait_seconds", 5, nil},
			{"latchkey_failed_requests_total", 0, []string{"http_response_status_code", "500"}},
			{"http_server_request_duration_seconds", 3, series("GET", "/profile", 200)}, // one is of signIn
		} {
			if rise := after.value(test.name, test.with...) - before.value(test.name, test.with...); rise != test.rise {
				t.Errorf("%s%q rose by %v, want %v", test.name, test.with, rise, test.rise)
			}
		}
		if got := after.value("http_server_request_duration_seconds", series("POST", "/login", 422)...); got != 2 {
			t.Errorf("%v answers of POST /login with 422, want 2", got)
		}
		for _, op := range []string{"identify", "rotate", "select", "insert", "update", "commit"} {
			if got := after.value("latchkey_db_query_duration_seconds", "op", op); got == 0 {
				t.Errorf("no operation %q was counted", op)
			}
		}
		if got, sqlite := after.value("latchkey_db_writer_wait_seconds") > 0, strings.HasPrefix(databaseURL, "sqlite:"); got != sqlite {
			t.Errorf("waits for the writer: %t, want %t", got, sqlite)
		}
	})
}

// series are the labels of requests.
func series(method, route string, status int) []string {
	return []string{"http_request_method", method, "http_route", route, "http_response_status_code", strconv.Itoa(status)}
}

// TestMetricsAtStart checks that every series is there at zero before the first
// request, that the two listeners serve nothing of each other, and that requests whose
// method and path clients make up add no series of their own.
func TestMetricsAtStart(t *testing.T) {
	e := newEnvironment(t, testdb.SQLiteURL(t)).measured(t)
	s := launch(t, e)
	s.out.wait(t, "Latchkey is running")
	first := scrapeOf(t, e)
	for name := range auth.SignInResults() {
		for _, result := range auth.SignInResults()[name] {
			if got := first.value("latchkey_sign_ins_total", "method", string(name), "result", string(result)); got != 0 {
				t.Errorf("%v sign-ins with %s and %s, want 0", got, name, result)
			}
		}
	}
	for _, name := range first.ownFamilies() {
		switch name {
		case "latchkey_build_info", "latchkey_db_pool_connections", "latchkey_db_pool_max_connections", "latchkey_db_query_duration_seconds",
			"latchkey_db_writer_wait_seconds", "latchkey_clock_last_check_timestamp_seconds", "latchkey_purge_last_success_timestamp_seconds":
			continue // the start itself needs the database
		}
		for _, m := range first.families[name].GetMetric() {
			if valueOf(m) != 0 {
				t.Errorf("%s%v is not zero at the start: %v", name, labelsOf(m), valueOf(m))
			}
		}
	}
	first.value("http_server_request_duration_seconds", series("POST", "/login", 200)...)
	first.value("http_server_request_duration_seconds", series("GET", "/users/:id", 200)...)
	first.value("latchkey_build_info", "version", version, "commit", sourceCommit(), "goversion", runtime.Version())

	if got := s.answers("/metrics"); got != http.StatusNotFound {
		t.Errorf("/metrics of the portal returns %d, want 404", got)
	}
	for _, path := range []string{"/", "/login", "/healthz", "/metrics/", "/metrics/x", "/static/css/app.css"} {
		response, err := client.Get("http://" + e.get("LATCHKEY_METRICS_ADDR") + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s beside the metrics returns %d, want 404", path, response.StatusCode)
		}
	}
	checkBounded(t, e, s)
	if code := s.stop(); code != exitDone {
		t.Errorf("got exit code %d, want 0", code)
	}
}

// checkBounded sends requests whose methods and paths nobody else has.
func checkBounded(t *testing.T, e environment, s *server) {
	t.Helper()
	var routes []string
	for _, m := range scrapeOf(t, e).families["http_server_request_duration_seconds"].GetMetric() {
		routes = append(routes, labelsOf(m)["http_route"])
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
	paths := []string{"/xq%d", "/profile/xq%d", "/users/xq%d", "/admin/users/xq%d", "/static/xq%d/x.css", "/profile/tokens/xq%d/end/x", "/.well-known/xq%d", "/login?xq%d"}
	for i := range 1000 {
		method := methods[i%len(methods)]
		if i%3 == 0 {
			method = fmt.Sprintf("XQ%d", i)
		}
		request, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("http://"+s.addr+paths[i%len(paths)], i), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := exchange(request); err != nil {
			t.Fatal(err)
		}
	}
	after := scrapeOf(t, e)
	if strings.Contains(strings.ToLower(after.text), "xq") {
		t.Error("a label has a value that a client made up")
	}
	for _, m := range after.families["http_server_request_duration_seconds"].GetMetric() {
		got := labelsOf(m)
		if !slices.Contains(append(routes, "none"), got["http_route"]) {
			t.Errorf("unknown route %q", got["http_route"])
		}
		if !slices.Contains(append(methods, "_OTHER"), got["http_request_method"]) {
			t.Errorf("unknown method %q", got["http_request_method"])
		}
	}
	for _, m := range after.families["http_server_request_duration_seconds"].GetMetric() {
		if got := labelsOf(m); got["http_response_status_code"] == "405" && got["http_route"] != "none" {
			t.Errorf("a client added a series with a method that the route %s does not have", got["http_route"])
		}
	}
	if got := after.value("http_server_request_duration_seconds", series("_OTHER", "none", 404)...); got < 10 {
		t.Errorf("%v requests with other methods and without a route, want more", got)
	}
}

// TestMetricsPortInUse checks that an address that is in use is a start error, and that
// without an address nothing is measured.
func TestMetricsPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	e := newEnvironment(t, testdb.SQLiteURL(t))
	command(t, e.with("LATCHKEY_METRICS_ADDR="+listener.Addr().String()), "", "serve").exits(exitFailed).complains("LATCHKEY_METRICS_ADDR", "in use")

	p := process{environ: e, stdout: io.Discard, stderr: io.Discard}
	o, err := p.open(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.store.Close() }()
	if o.metrics != nil || o.storeMeter().Query != nil || o.authMeter().SignIn != nil || o.requestMeter().End != nil || o.hashWait() != nil {
		t.Error("something is measured without LATCHKEY_METRICS_ADDR")
	}
}
