package models

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// Meter gets the figures of a store as they arise. Its functions are called by many
// goroutines at once. A nil function gets nothing.
type Meter struct {
	Query      func(op string, took time.Duration) // a statement or a commit; op is one of Ops
	WriterWait func(took time.Duration)            // SQLite: the wait for the turn to write
}

// The operations of Meter.Query.
const (
	opIdentify = "identify" // the one query of every signed-in request
	opRotate   = "rotate"   // a session's next generation; on SQLite of all sessions that share a commit
	opSelect   = "select"
	opInsert   = "insert"
	opUpdate   = "update"
	opDelete   = "delete"
	opCommit   = "commit" // of a transaction
	opOther    = "other"
)

// Ops returns every operation that Meter.Query gets.
func Ops() []string {
	return []string{opIdentify, opRotate, opSelect, opInsert, opUpdate, opDelete, opCommit, opOther}
}

// opOf returns the operation of a statement without a name of its own.
func opOf(query string) string {
	query = strings.TrimLeft(query, " \t\n")
	for _, op := range []string{opSelect, opUpdate, opInsert, opDelete} {
		if len(query) > len(op) && strings.EqualFold(query[:len(op)], op) {
			return op
		}
	}
	return opOther
}

// measuredQueries is a querier that reports how long each query took until its first
// row, the wait for a connection included.
type measuredQueries struct {
	querier
	report func(op string, took time.Duration)
}

// QueryContext runs a query that returns rows.
func (m measuredQueries) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	start := time.Now()
	rows, err := m.querier.QueryContext(ctx, query, args...)
	switch query {
	case identifyQuery:
		m.report(opIdentify, time.Since(start))
	case rotateQuery:
		m.report(opRotate, time.Since(start))
	default:
		m.report(opOf(query), time.Since(start))
	}
	return rows, err
}

// queried reports an operation that began at start.
func (m *Meter) queried(op string, start time.Time) {
	if m.Query != nil {
		m.Query(op, time.Since(start))
	}
}

// waited reports a wait for the turn to write, as queried does.
func (m *Meter) waited(start time.Time) {
	if m.WriterWait != nil {
		m.WriterWait(time.Since(start))
	}
}

// Pool has figures of the connections of a store.
type Pool struct {
	Max, InUse, Idle int           // connections
	Waits            int64         // how many requests for a connection had to wait
	Waited           time.Duration // how long they waited altogether
}

// Pool returns the figures of this moment.
func (s *Store) Pool() Pool {
	stats := s.sqlDB.Stats()
	return Pool{Max: stats.MaxOpenConnections, InUse: stats.InUse, Idle: stats.Idle, Waits: stats.WaitCount, Waited: stats.WaitDuration}
}
