// Package outbox delivers what has to reach another machine: the transaction of an
// act also writes the delivery, and a worker in every process tries it until it
// succeeds or is no longer worth it.
//
// It decides when a delivery is tried, and by which process. How a kind is
// delivered is decided by its handler; rows belong to package models.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"latchkey/internal/seal"
	"latchkey/models"
)

const (
	// pollEvery is how often a worker looks for deliveries that are due.
	pollEvery = time.Second
	// maxAge is how long a delivery is tried at most.
	maxAge = 24 * time.Hour
	// parallel is how many deliveries a process tries at a time.
	parallel = 8
	// Lease is how long a worker may take for one attempt. When its process dies,
	// the delivery is due again after that time.
	Lease = 6 * time.Minute
)

// pauses are the waits after the first, second, … attempt; the last one repeats.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Options are what an Outbox needs.
type Options struct {
	Store  *models.Store
	Sealer seal.Sealer
	Logger *slog.Logger
	Now    func() time.Time
	Lease  time.Duration // 0: Lease
}

// Outbox writes deliveries and works on them. It is safe for concurrent use; its
// state is in the database.
type Outbox struct {
	store    *models.Store
	sealer   seal.Sealer
	logger   *slog.Logger
	now      func() time.Time
	lease    time.Duration
	handlers map[string]Handler
}

// Handler delivers one kind of delivery and returns the answer of the other side.
// An error means that it did not arrive; it is tried again, unless the error is
// Final.
type Handler func(ctx context.Context, d Delivery) (answer string, err error)

// Delivery is a delivery with its body.
type Delivery struct {
	models.Delivery
	Body []byte
}

// Final is an error after which a delivery is not tried again.
type Final struct{ Err error }

// Error returns the text of the error.
func (f Final) Error() string { return f.Err.Error() }

// Unwrap returns the error.
func (f Final) Unwrap() error { return f.Err }

// New returns an Outbox, or an error when an option is missing.
func New(o Options) (*Outbox, error) {
	if o.Store == nil || len(o.Sealer) == 0 || o.Logger == nil || o.Now == nil {
		return nil, errors.New("outbox: Store, Sealer, Logger and Now are required")
	}
	if o.Lease == 0 {
		o.Lease = Lease
	}
	return &Outbox{store: o.Store, sealer: o.Sealer, logger: o.Logger, now: o.Now, lease: o.Lease, handlers: map[string]Handler{}}, nil
}

// Handle sets the handler of a kind. Call it before Run.
func (o *Outbox) Handle(kind string, handler Handler) { o.handlers[kind] = handler }

// Item is something to be delivered.
type Item struct {
	Kind      string // of the handler
	Topic     string // what it is about
	UserID    string // whose account it is about; empty: nobody's
	Ref       string // what it can be made from again; may be empty
	Recipient string
	Body      []byte
	Useless   time.Duration // after how long it is not worth delivering
}

// Put writes a delivery in the transaction of its cause, and returns its id.
func (o *Outbox) Put(ctx context.Context, tx *models.Store, item Item) (string, error) {
	id, now := models.NewID(), models.At(o.now())
	return id, tx.Deliveries.Create(ctx, models.Delivery{
		ID: id, Kind: item.Kind, Topic: item.Topic, UserID: item.UserID, Ref: item.Ref, Recipient: item.Recipient,
		State: models.DeliveryWaiting, Body: o.sealer.Seal(item.Body, purpose(id)),
		CreatedAt: now, DueAt: now, UselessAt: now.Add(item.Useless),
	})
}

func purpose(id string) string { return "delivery\n" + id }

// Run works on deliveries until ctx is done. A failure of the database is logged.
func (o *Outbox) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing := false
	for {
		n, err := o.Work(ctx)
		switch {
		case err != nil && ctx.Err() == nil && !failing:
			o.logger.WarnContext(ctx, "work on deliveries", "error", err.Error())
			failing = true
		case err == nil:
			failing = false
		}
		if n == parallel && err == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Work tries the deliveries that are due, at most as many as fit at a time, and
// returns how many there were.
func (o *Outbox) Work(ctx context.Context) (int, error) {
	now := o.now()
	list, err := o.store.Deliveries.Take(ctx, parallel, now, now.Add(o.lease))
	if err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, row := range list {
		group.Go(func() error { return o.deliver(ctx, row) })
	}
	return len(list), group.Wait()
}

func (o *Outbox) deliver(ctx context.Context, row models.Delivery) error {
	now := o.now()
	if models.At(now) >= row.UselessAt {
		return o.finish(ctx, row, models.DeliveryFailed, "It was no longer worth sending. "+row.Answer)
	}
	answer, err := o.handle(ctx, row)
	if err == nil {
		return o.finish(ctx, row, models.DeliverySent, answer)
	}
	if _, final := errors.AsType[Final](err); final {
		return o.finish(ctx, row, models.DeliveryFailed, err.Error())
	}
	due := o.now().Add(pauses[min(row.Attempts, len(pauses))-1])
	if models.At(due) >= min(row.UselessAt, row.CreatedAt.Add(maxAge)) {
		return o.finish(ctx, row, models.DeliveryFailed, err.Error())
	}
	o.logger.WarnContext(ctx, "a delivery did not arrive", "id", row.ID, "kind", row.Kind, "topic", row.Topic, "attempt", row.Attempts, "again", due, "error", err.Error())
	_, err = o.store.Deliveries.Postpone(ctx, row, err.Error(), due)
	return err
}

func (o *Outbox) handle(ctx context.Context, row models.Delivery) (string, error) {
	handler := o.handlers[row.Kind]
	if handler == nil {
		return "", fmt.Errorf("this version cannot deliver the kind %q", row.Kind)
	}
	body, ok := o.sealer.Open(row.Body, purpose(row.ID))
	if !ok {
		return "", Final{errors.New("the body cannot be read: it was sealed with another master secret")}
	}
	return handler(ctx, Delivery{Delivery: row, Body: body})
}

func (o *Outbox) finish(ctx context.Context, row models.Delivery, state models.DeliveryState, answer string) error {
	level := slog.LevelInfo
	if state == models.DeliveryFailed {
		level = slog.LevelError
	}
	o.logger.Log(ctx, level, "delivery "+string(state), "id", row.ID, "kind", row.Kind, "topic", row.Topic, "user_id", row.UserID, "attempts", row.Attempts, "answer", answer)
	_, err := o.store.Deliveries.Finish(ctx, row, state, answer, o.now())
	return err
}
