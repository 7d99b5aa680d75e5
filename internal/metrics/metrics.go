// Package metrics holds the meters of a portal and serves them to Prometheus.
//
// It decides the names, labels and buckets of the metrics; docs/metrics.md describes
// them. What they mean is decided by the packages that report to it through plain
// functions: these do not import it. No label has a value that a client chose.
package metrics

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what New needs. Every function is called at each scrape, and returns at
// once.
type Options struct {
	Version, Commit, GoVersion string

	SignIns   map[string][]string // the results of each method of signing in
	Rotations []string            // the results of rotations
	Ops       []string            // the operations of the database
	Failures  []int               // the statuses of failures, 500 and above

	Pool        func() Pool      // the connections to the database
	NotYet      func() uint64    // how many tokens were refused because of a clock
	Backup      func() time.Time // the last backup; the zero time: none
	BackupEvery time.Duration    // the time between two backups; 0: the server makes none
}

// Pool has figures of the connections to the database.
type Pool struct {
	Max, InUse, Idle int
	Waits            int64
	Waited           time.Duration
}

// Metrics are the meters of a process. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests      *prometheus.HistogramVec
	active        prometheus.Gauge
	failures      map[int]prometheus.Counter
	slow          *prometheus.CounterVec
	acceptErrors  prometheus.Counter
	signIns       *prometheus.CounterVec
	rotations     *prometheus.CounterVec
	sessions      prometheus.Gauge
	hashWait      prometheus.Histogram
	queries       map[string]prometheus.Observer
	writerWait    prometheus.Histogram
	purged        prometheus.Gauge
	skew          prometheus.Gauge
	skewCheckedAt prometheus.Gauge
}

// The buckets of histograms, in seconds. Those of requests are advised by
// OpenTelemetry's semantic conventions for HTTP.
var (
	requestBuckets  = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	waitBuckets     = []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5}
	databaseBuckets = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}
)

// New returns meters that are all at zero, or an error when an option is missing.
func New(o Options) (*Metrics, error) {
	if o.Pool == nil || o.NotYet == nil || o.Backup == nil {
		return nil, errors.New("metrics: Pool, NotYet and Backup are required")
	}
	m := &Metrics{registry: prometheus.NewRegistry(), failures: map[int]prometheus.Counter{}, queries: map[string]prometheus.Observer{}}
	m.http(o)
	m.accounts(o)
	m.database(o)
	m.work(o)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m, nil
}

// http makes the meters of requests and connections.
func (m *Metrics) http(o Options) {
	m.requests = histograms("http_server_request_duration_seconds",
		"Time from the arrival of a request until its response was written, by route.", requestBuckets,
		"http_request_method", "http_route", "http_response_status_code")
	m.active = gauge("http_server_active_requests", "Requests that are being answered.")
	failures := counters("latchkey_failed_requests_total", "Responses that say that the portal failed.", "http_response_status_code")
	for _, status := range o.Failures {
		m.failures[status] = failures.WithLabelValues(strconv.Itoa(status))
	}
	m.slow = counters("latchkey_slow_connections_total",
		"Connections that were cut because the request arrived too slowly, or because the response was taken too slowly.", "side")
	m.slow.WithLabelValues(slowRead)
	m.slow.WithLabelValues(slowWrite)
	m.acceptErrors = counter("latchkey_accept_errors_total", "Connections that could not be accepted, usually because no file descriptor was left.")
	m.registry.MustRegister(m.requests, m.active, failures, m.slow, m.acceptErrors)
}

// accounts makes the meters of sign-ins and sessions.
func (m *Metrics) accounts(o Options) {
	m.signIns = counters("latchkey_sign_ins_total", "Attempts to sign in.", "method", "result")
	for method, results := range o.SignIns {
		for _, result := range results {
			m.signIns.WithLabelValues(method, result)
		}
	}
	m.rotations = counters("latchkey_rotations_total", "Refresh tokens presented, by outcome.", "result")
	for _, result := range o.Rotations {
		m.rotations.WithLabelValues(result)
	}
	m.sessions = gauge("latchkey_sessions_active", "Live sessions of browsers and programs, counted at most once a minute.")
	m.hashWait = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "latchkey_password_hash_wait_seconds", Help: "Time spent waiting to compute a password hash.", Buckets: waitBuckets,
	})
	notYet := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "latchkey_tokens_refused_for_skew_total", Help: "Genuine tokens that were refused because they begin in the future: a clock was wrong.",
	}, func() float64 { return float64(o.NotYet()) })
	m.registry.MustRegister(m.signIns, m.rotations, m.sessions, m.hashWait, notYet)
}

// database makes the meters of the database.
func (m *Metrics) database(o Options) {
	queries := histograms("latchkey_db_query_duration_seconds",
		"Time of a statement, the wait for a connection included, or of a commit.", databaseBuckets, "op")
	for _, op := range o.Ops {
		m.queries[op] = queries.WithLabelValues(op)
	}
	m.writerWait = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "latchkey_db_writer_wait_seconds", Help: "SQLite: wait for the turn to write.", Buckets: waitBuckets,
	})
	state := func(name string, value func(Pool) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "latchkey_db_pool_connections", Help: "Open connections to the database.", ConstLabels: prometheus.Labels{"state": name},
		}, func() float64 { return float64(value(o.Pool())) })
	}
	m.registry.MustRegister(queries, m.writerWait,
		state("idle", func(p Pool) int { return p.Idle }),
		state("in_use", func(p Pool) int { return p.InUse }),
		gaugeFunc("latchkey_db_pool_max_connections", "Maximum number of open connections to the database.",
			func() float64 { return float64(o.Pool().Max) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "latchkey_db_pool_waits_total", Help: "Requests for a connection to the database that had to wait.",
		}, func() float64 { return float64(o.Pool().Waits) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "latchkey_db_pool_wait_seconds_total", Help: "Time that requests for a connection to the database waited.",
		}, func() float64 { return o.Pool().Waited.Seconds() }),
	)
}

// work makes the meters of background work and of the program itself.
func (m *Metrics) work(o Options) {
	m.purged = gauge("latchkey_purge_last_success_timestamp_seconds", "When expired rows were last purged; 0: not since the start.")
	m.skew = gauge("latchkey_clock_skew_seconds", "How far this machine's clock is ahead of the database's.")
	m.skewCheckedAt = gauge("latchkey_clock_last_check_timestamp_seconds", "When the clocks were last compared; 0: not since the start.")
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "latchkey_build_info", Help: "Always 1; the labels say which program runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "commit": o.Commit, "goversion": o.GoVersion},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.purged, m.skew, m.skewCheckedAt, build,
		gaugeFunc("latchkey_backup_last_success_timestamp_seconds", "When the server last completed a backup; 0: never.",
			func() float64 { return seconds(o.Backup()) }),
		gaugeFunc("latchkey_backup_interval_seconds", "Time between two backups of the server; 0: it makes none.",
			func() float64 { return o.BackupEvery.Seconds() }),
	)
}

// Handler answers with every metric in Prometheus's text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func gaugeFunc(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// seconds returns the Unix time of t, 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
