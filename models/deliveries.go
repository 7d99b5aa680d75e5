package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// DeliveryState is the state of a delivery.
type DeliveryState string

// The states.
const (
	DeliveryWaiting DeliveryState = "waiting"
	DeliverySent    DeliveryState = "sent"
	DeliveryFailed  DeliveryState = "failed"
)

// Delivery is something that has to reach another machine, such as a message. It
// is written in the transaction of its cause and delivered by a worker (package
// outbox).
type Delivery struct {
	ID        string `gorm:"primaryKey"`
	Kind      string // how it is delivered
	Topic     string // what it is about
	UserID    string // whose account it is about; empty: nobody's
	Ref       string // what it can be made from again: the id of an audit event or an invitation
	Recipient string
	State     DeliveryState
	Body      string `json:"-"` // sealed; empty once the delivery is over
	CreatedAt Time   `gorm:"autoCreateTime:false"`
	DueAt     Time   // when it is tried next; a worker that takes it moves this ahead
	UselessAt Time   // from then on it is not worth delivering
	Attempts  int
	TriedAt   Time   // the start of the latest attempt; zero: none yet
	HeldUntil Time   // a worker tries it until then; zero or past: none does
	OverAt    Time   // when it was sent or failed; zero: it waits
	AgainAt   Time   // when an admin had it made again; zero: not
	Answer    string // the latest one of the other side
}

// Deliveries is the outbox.
type Deliveries struct{ store *Store }

// Create inserts deliveries.
func (t *Deliveries) Create(ctx context.Context, list ...Delivery) error {
	return t.store.create(ctx, "create deliveries", &list)
}

// Take returns at most limit deliveries of these kinds that are due, the longest due
// first, and holds them until the given instant: then they are due again, so that a
// worker that dies loses its deliveries to the others. Each takes part in one attempt
// more. No two calls return the same delivery.
func (t *Deliveries) Take(ctx context.Context, kinds []string, limit int, now, until time.Time) ([]Delivery, error) {
	due, err := t.due(ctx, kinds, now)
	if err != nil || !due {
		return nil, err
	}
	lock := ""
	if t.store.dialect == dialectPostgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	var list []Delivery
	_, err = t.store.run(ctx, "take deliveries", func(db *gorm.DB) *gorm.DB {
		return db.Raw(`
			UPDATE deliveries SET due_at = @until, held_until = @until, tried_at = @now, attempts = attempts + 1 WHERE id IN
				(SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= @now AND kind IN @kinds ORDER BY due_at LIMIT @limit`+lock+`)
			RETURNING `+t.store.columns(&Delivery{}),
			map[string]any{"until": int64(At(until)), "now": int64(At(now)), "kinds": kinds, "limit": limit}).Scan(&list)
	})
	return list, err
}

// due reports whether any delivery is due. Take asks it first, because a write
// would wait for its turn.
func (t *Deliveries) due(ctx context.Context, kinds []string, now time.Time) (bool, error) {
	var ids []string
	err := t.store.db.WithContext(ctx).Model(&Delivery{}).
		Where("state = 'waiting' AND due_at <= ? AND kind IN ?", At(now), kinds).Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, translate("look for deliveries", err)
}

// Finish records the result of an attempt that Take began, and erases the body. It
// reports false when another worker has taken the delivery since.
func (t *Deliveries) Finish(ctx context.Context, d Delivery, state DeliveryState, answer string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "finish delivery", `
		UPDATE deliveries SET state = ?, body = '', held_until = 0, over_at = ?, answer = ?
		WHERE id = ? AND attempts = ? AND state = 'waiting'`, state, At(now), answer, d.ID, d.Attempts)
	return rows == 1, err
}

// Postpone makes a delivery due again after an attempt that Take began and that
// did not succeed. It reports false when another worker has taken the delivery
// since.
func (t *Deliveries) Postpone(ctx context.Context, d Delivery, answer string, due time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "postpone delivery", `
		UPDATE deliveries SET due_at = ?, held_until = 0, answer = ? WHERE id = ? AND attempts = ? AND state = 'waiting'`,
		At(due), answer, d.ID, d.Attempts)
	return rows == 1, err
}

// Hasten makes a waiting delivery due now. It reports false when a worker tries it
// at this moment, or when it is over.
func (t *Deliveries) Hasten(ctx context.Context, id string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "hasten delivery", "UPDATE deliveries SET due_at = ? WHERE id = ? AND state = 'waiting' AND held_until <= ?",
		At(now), id, At(now))
	return rows == 1, err
}

// MarkAgain records that a failed delivery was made again. It reports false when it
// was made again before, or has not failed.
func (t *Deliveries) MarkAgain(ctx context.Context, id string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "mark delivery as made again",
		"UPDATE deliveries SET again_at = ? WHERE id = ? AND state = 'failed' AND again_at = 0", At(now), id)
	return rows == 1, err
}

// Expire ends at most limit deliveries that have been useless since before the given
// instant and that no worker took, because no process delivers their kind.
func (t *Deliveries) Expire(ctx context.Context, before, now time.Time, answer string, limit int) (int64, error) {
	return t.store.exec(ctx, "expire deliveries", `
		UPDATE deliveries SET state = 'failed', body = '', over_at = ?, answer = ?
		WHERE id IN (SELECT id FROM deliveries WHERE state = 'waiting' AND useless_at < ? AND held_until <= ? ORDER BY due_at LIMIT ?)`,
		At(now), answer, At(before), At(now), limit)
}

// Purge removes at most limit deliveries that were over before the given instant.
func (t *Deliveries) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge deliveries", `
		DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE over_at <> 0 AND over_at < ? LIMIT ?)`, At(before), limit)
}
