// Package audit writes the audit log. It has the texts of each event: the group
// in the filter, the sentence for admins, and the sentence for the person it is
// about.
//
// The packages that cause an event decide to record it. Rows belong to package
// models, pages to packages handlers and views.
package audit

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"latchkey/models"
)

// Log writes events to the audit log, in the transaction that causes them, and
// to the server's log. It is safe for concurrent use.
type Log struct {
	store  *models.Store
	logger *slog.Logger
	now    func() time.Time
	tell   func(ctx context.Context, tx *models.Store, events []models.Event) error
}

// New returns a log that writes to the store and to the server's log.
func New(store *models.Store, logger *slog.Logger, now func() time.Time) *Log {
	return &Log{store: store, logger: logger, now: now}
}

// Tell sets a function that is called with the events of every transaction, within
// it. Call it before the log is used.
func (l *Log) Tell(f func(ctx context.Context, tx *models.Store, events []models.Event) error) {
	l.tell = f
}

// InTx runs f in a transaction. The events that f records are part of the
// transaction; they reach the server's log once it is committed.
func (l *Log) InTx(ctx context.Context, f func(tx *models.Store, record func(models.Event)) error) error {
	var events []models.Event
	err := l.store.InTx(ctx, func(tx *models.Store) error {
		if err := f(tx, func(e models.Event) {
			e.At = models.At(l.now())
			events = append(events, e)
		}); err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		if err := tx.Audit.Append(ctx, events...); err != nil {
			return err
		}
		if l.tell == nil {
			return nil
		}
		return l.tell(ctx, tx, events)
	})
	if err != nil {
		return err
	}
	for _, e := range events {
		l.Note(ctx, e)
	}
	return nil
}

// Record writes events that belong to no other transaction.
func (l *Log) Record(ctx context.Context, events ...models.Event) error {
	return l.InTx(ctx, func(_ *models.Store, record func(models.Event)) error {
		for _, e := range events {
			record(e)
		}
		return nil
	})
}

// Note writes an event only to the server's log, for events that can occur
// thousands of times a minute.
func (l *Log) Note(ctx context.Context, e models.Event) {
	level := slog.LevelInfo
	if slices.Contains(loud, e.Action) {
		level = slog.LevelWarn
	}
	l.logger.LogAttrs(ctx, level, "security",
		slog.String("event", e.Action), slog.String("actor", e.ActorID), slog.String("subject", e.SubjectID),
		slog.String("detail", Detail(e)), slog.String("ip", e.IP), slog.String("session", ShortID(e.SessionID)),
		slog.String("request_id", e.RequestID))
}

// ShortID returns the start of a session's id: enough to find the session, too
// short to be used in its place.
func ShortID(id string) string { return id[:min(len(id), 6)] }
