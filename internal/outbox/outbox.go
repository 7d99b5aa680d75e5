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
	"log/slog"
	"time"

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
	// keep is how long a delivery is kept after it is over.
	keep = 30 * 24 * time.Hour
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
	kinds    []string // of handlers

	pollEvery, markPause time.Duration
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
	return &Outbox{
		store: o.Store, sealer: o.Sealer, logger: o.Logger, now: o.Now, lease: o.Lease, handlers: map[string]Handler{}, pollEvery: pollEvery, markPause: markPause,
	}, nil
}

// Handle sets the handler of a kind. Call it before Run. Deliveries of a kind without
// a handler wait: another version, or another configuration, may deliver them.
func (o *Outbox) Handle(kind string, handler Handler) {
	if o.handlers[kind] == nil {
		o.kinds = append(o.kinds, kind)
	}
	o.handlers[kind] = handler
}

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

// Purge ends deliveries that no process delivered in time, removes those that were
// over long ago, and returns how many rows it changed.
func (o *Outbox) Purge(ctx context.Context) (int64, error) {
	now := o.now()
	var total int64
	for _, purge := range []func(limit int) (int64, error){
		func(limit int) (int64, error) {
			// Whoever delivers the kind has had a day to try it a last time.
			return o.store.Deliveries.Expire(ctx, now.Add(-maxAge), now, tooLate, limit)
		},
		func(limit int) (int64, error) { return o.store.Deliveries.Purge(ctx, now.Add(-keep), limit) },
	} {
		n, err := models.Paced(ctx, purge)
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}
