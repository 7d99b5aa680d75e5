package metrics

import (
	"net/http"
	"strconv"
	"time"
)

// The sides of slow connections.
const (
	slowRead  = "read"
	slowWrite = "write"
)

// Route makes the series of a declared route, so that it is there before its first
// request: with the status 200 only. Other statuses appear with their first response.
func (m *Metrics) Route(method, route string) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(http.StatusOK))
}

// RequestBegan counts a request that has arrived.
func (m *Metrics) RequestBegan() { m.active.Inc() }

// RequestEnded counts a request that was answered. method and route are from a fixed
// list.
func (m *Metrics) RequestEnded(method, route string, status int, took time.Duration) {
	m.active.Dec()
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
	if failed, ok := m.failures[status]; ok {
		failed.Inc()
	}
}

// SlowRead counts a connection whose request arrived too slowly.
func (m *Metrics) SlowRead() { m.slow.WithLabelValues(slowRead).Inc() }

// SlowWrite counts a connection whose client took the response too slowly.
func (m *Metrics) SlowWrite() { m.slow.WithLabelValues(slowWrite).Inc() }

// AcceptFailed counts a connection that could not be accepted.
func (m *Metrics) AcceptFailed() { m.acceptErrors.Inc() }

// SignIn counts an attempt to sign in.
func (m *Metrics) SignIn(method, result string) { m.signIns.WithLabelValues(method, result).Inc() }

// Rotation counts an answer to a refresh token.
func (m *Metrics) Rotation(result string) { m.rotations.WithLabelValues(result).Inc() }

// Sessions sets how many sessions are live.
func (m *Metrics) Sessions(n int64) { m.sessions.Set(float64(n)) }

// HashWait counts a wait for a password hash.
func (m *Metrics) HashWait(took time.Duration) { m.hashWait.Observe(took.Seconds()) }

// Query counts an operation of the database, one of Options.Ops.
func (m *Metrics) Query(op string, took time.Duration) {
	if observer, ok := m.queries[op]; ok {
		observer.Observe(took.Seconds())
	}
}

// WriterWait counts a wait for the turn to write.
func (m *Metrics) WriterWait(took time.Duration) { m.writerWait.Observe(took.Seconds()) }

// Purged says when expired rows were purged.
func (m *Metrics) Purged(at time.Time) { m.purged.Set(seconds(at)) }

// Skew sets how far this machine's clock is ahead of the database's, and when that was
// found.
func (m *Metrics) Skew(ahead time.Duration, at time.Time) {
	m.skew.Set(ahead.Seconds())
	m.skewCheckedAt.Set(seconds(at))
}
