package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
)

// DeliveryQuery chooses deliveries of one kind, the newest first.
type DeliveryQuery struct {
	Kind      string
	State     DeliveryState // empty: any
	Topic     string        // empty: any
	UserIDs   []string      // about one of these accounts, or
	Recipient string        // to this address, without regard to case; both empty: any
	After     string        // a page's Next
	Before    string        // a page's Prev
	Limit     int
}

// DeliveryPage is one page of deliveries, without their bodies.
type DeliveryPage struct {
	Deliveries []Delivery
	Next, Prev string // cursors; "" when there is nothing
}

// ByID returns a delivery of a kind, or apperr.NotFound.
func (t *Deliveries) ByID(ctx context.Context, kind, id string) (*Delivery, error) {
	var d Delivery
	if err := t.store.db.WithContext(ctx).Where("id = ? AND kind = ?", id, kind).Take(&d).Error; err != nil {
		return nil, translate("find delivery", err)
	}
	return &d, nil
}

// List returns a page. A cursor that is not ours is apperr.Malformed.
func (t *Deliveries) List(ctx context.Context, q DeliveryQuery) (DeliveryPage, error) {
	db := t.filter(t.store.db.WithContext(ctx), q)
	backwards := q.Before != ""
	if cursor := q.After + q.Before; cursor != "" {
		at, id, err := parseAuditCursor(cursor)
		if err != nil {
			return DeliveryPage{}, err
		}
		if backwards {
			db = db.Where("(created_at, id) > (?, ?)", at, id)
		} else {
			db = db.Where("(created_at, id) < (?, ?)", at, id)
		}
	}
	order := "created_at DESC, id DESC"
	if backwards {
		order = "created_at, id"
	}
	var list []Delivery
	if err := db.Omit("body").Order(order).Limit(q.Limit + 1).Find(&list).Error; err != nil {
		return DeliveryPage{}, translate("list deliveries", err)
	}
	return deliveryPage(list, q, backwards), nil
}

func (t *Deliveries) filter(db *gorm.DB, q DeliveryQuery) *gorm.DB {
	db = db.Where("kind = ?", q.Kind)
	if q.State != "" {
		db = db.Where("state = ?", q.State)
	}
	if q.Topic != "" {
		db = db.Where("topic = ?", q.Topic)
	}
	switch {
	case len(q.UserIDs) > 0:
		db = db.Where("(user_id IN ? OR lower(recipient) = lower(?))", q.UserIDs, q.Recipient)
	case q.Recipient != "":
		db = db.Where("lower(recipient) = lower(?)", q.Recipient)
	}
	return db
}

func deliveryPage(list []Delivery, q DeliveryQuery, backwards bool) DeliveryPage {
	more := len(list) > q.Limit
	if more {
		list = list[:q.Limit]
	}
	if backwards {
		slices.Reverse(list)
	}
	page := DeliveryPage{Deliveries: list}
	if len(list) == 0 {
		return page
	}
	cursor := func(d Delivery) string { return auditCursor(Event{At: d.CreatedAt, ID: d.ID}) }
	if more || backwards {
		page.Next = cursor(list[len(list)-1])
	}
	if q.After != "" || backwards && more {
		page.Prev = cursor(list[0])
	}
	return page
}

// About returns the latest deliveries of a kind about an account.
func (t *Deliveries) About(ctx context.Context, kind, userID string, limit int) ([]Delivery, error) {
	var list []Delivery
	err := t.store.db.WithContext(ctx).Omit("body").Where("user_id = ? AND kind = ?", userID, kind).
		Order("created_at DESC, id DESC").Limit(limit).Find(&list).Error
	return list, translate("list deliveries about an account", err)
}

// Count counts the deliveries of a kind by state.
func (t *Deliveries) Count(ctx context.Context, kind string) (map[DeliveryState]int, error) {
	var rows []struct {
		State DeliveryState
		N     int
	}
	err := t.store.db.WithContext(ctx).Raw("SELECT state, COUNT(*) AS n FROM deliveries WHERE kind = ? GROUP BY state", kind).Scan(&rows).Error
	counts := map[DeliveryState]int{}
	for _, row := range rows {
		counts[row.State] = row.N
	}
	return counts, translate("count deliveries", err)
}

// Trouble says that deliveries do not arrive. The zero value: they do.
type Trouble struct {
	Since  Time   // when the first one without success was written
	Answer string // the latest one of the other side
	Next   Time   // when a waiting one is tried next; zero: none waits
}

// Trouble returns what keeps deliveries of a kind from arriving: attempts without
// success within the last day, after the last success.
func (t *Deliveries) Trouble(ctx context.Context, kind string, now time.Time) (trouble Trouble, err error) {
	var rows []Delivery
	err = t.store.db.WithContext(ctx).Raw(`
		SELECT state, created_at, due_at, answer FROM deliveries
		WHERE kind = @kind AND created_at > @lately AND attempts > 0 AND answer <> '' AND state <> 'sent'
			AND tried_at > (SELECT COALESCE(MAX(over_at), 0) FROM deliveries WHERE kind = @kind AND created_at > @lately AND state = 'sent')
			AND (state = 'waiting' OR over_at > @day)
		ORDER BY tried_at DESC, id LIMIT 1000`, map[string]any{
		// A delivery waits a day at most, and a little longer for its last attempt.
		"kind": kind, "lately": int64(At(now.Add(-48 * time.Hour))), "day": int64(At(now.Add(-24 * time.Hour))),
	}).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return trouble, translate("look for trouble with deliveries", err)
	}
	trouble = Trouble{Since: rows[0].CreatedAt, Answer: rows[0].Answer}
	for _, d := range rows {
		trouble.Since = min(trouble.Since, d.CreatedAt)
		if d.State == DeliveryWaiting && (trouble.Next.IsZero() || d.DueAt < trouble.Next) {
			trouble.Next = d.DueAt
		}
	}
	return trouble, nil
}
