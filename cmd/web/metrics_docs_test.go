package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"latchkey/internal/testdb"
)

// scrapeInProcess returns the metrics of a portal that serves nobody.
func scrapeInProcess(t *testing.T) *scrape {
	t.Helper()
	p := process{environ: newEnvironment(t, testdb.SQLiteURL(t)).measured(t), stdout: io.Discard, stderr: io.Discard}
	o, err := p.open(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.store.Close() })
	pages, err := o.handlers()
	if err != nil {
		t.Fatal(err)
	}
	handler, err := pages.Echo()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	o.metricsHandler(handler).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return parseScrape(t, w.Body.String())
}

// metricRow is a row of the table of metrics on docs/metrics.md.
var metricRow = regexp.MustCompile("(?m)^\\| `((?:http|latchkey)_\\w+)` \\| (counter|gauge|histogram) \\| ([^|]+) \\| .*\\.? \\|$")

// TestMetricsPage checks that docs/metrics.md has a row for each metric, with its type
// and labels, and names every alert; and that the alerts and the dashboard use only
// metrics that exist.
func TestMetricsPage(t *testing.T) {
	s := scrapeInProcess(t)
	page := read(t, "../../docs/metrics.md")
	var want, got []string
	for _, name := range s.ownFamilies() {
		family := s.families[name]
		var labels []string
		for label := range labelsOf(family.GetMetric()[0]) {
			labels = append(labels, "`"+label+"`")
		}
		slices.Sort(labels)
		text := strings.Join(labels, ", ")
		if text == "" {
			text = "none"
		}
		want = append(want, name+" "+strings.ToLower(family.GetType().String())+" "+text)
	}
	for _, row := range metricRow.FindAllStringSubmatch(page, -1) {
		got = append(got, strings.Join(row[1:], " "))
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of docs/metrics.md (-the metrics +the page):\n%s", diff)
	}
	for _, label := range []string{"method", "result", "op", "state", "side"} {
		for _, name := range s.ownFamilies() {
			for _, m := range s.families[name].GetMetric() {
				if value := labelsOf(m)[label]; value != "" && !strings.Contains(page, "`"+value+"`") {
					t.Errorf("docs/metrics.md does not explain %s %q of %s", label, value, name)
				}
			}
		}
	}
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, s, page) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, s) })
}

func checkAlerts(t *testing.T, s *scrape, page string) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert       string
				Expr        string
				For         string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../../docs/metrics/alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) != 10 {
		t.Fatalf("got %+v, want one group of ten alerts", file)
	}
	for _, rule := range file.Groups[0].Rules {
		s.knows(t, rule.Alert, rule.Expr)
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s lacks a severity, a summary or a description", rule.Alert)
		}
		if !strings.Contains(page, "| `"+rule.Alert+"` |") {
			t.Errorf("docs/metrics.md does not explain the alert %s", rule.Alert)
		}
	}
}

func checkDashboard(t *testing.T, s *scrape) {
	var file struct {
		Title  string
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../../docs/metrics/dashboard.json")), &file); err != nil {
		t.Fatal(err)
	}
	used := ""
	for _, panel := range file.Panels {
		if panel.Title == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d has no title or shows nothing", panel.ID)
		}
		for _, target := range panel.Targets {
			s.knows(t, panel.Title, target.Expr)
			used += target.Expr + "\n"
		}
	}
	for _, name := range s.ownFamilies() {
		if name != "latchkey_clock_last_check_timestamp_seconds" && !strings.Contains(used, name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

var (
	metricName = regexp.MustCompile(`\b(?:http|latchkey|process|go)_[a-z0-9_]+|\bup\b`)
	matcher    = regexp.MustCompile(`\{[^}]*\}|by \([^)]*\)`)
)

// knows checks that every metric of an expression exists. Labels are left out.
func (s *scrape) knows(t *testing.T, where, expr string) {
	t.Helper()
	names := metricName.FindAllString(matcher.ReplaceAllString(expr, ""), -1)
	if len(names) == 0 {
		t.Errorf("%s: %q uses no metric", where, expr)
	}
	for _, name := range names {
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			base = strings.TrimSuffix(base, suffix)
		}
		if s.families[name] == nil && s.families[base] == nil && name != "up" { // Prometheus makes up itself
			t.Errorf("%s uses %s, which does not exist", where, name)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
