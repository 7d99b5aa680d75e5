package models

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/internal/apperr"
)

// Event is one line of the audit log. Names are copies, so that a line can be
// read when the account is gone.
type Event struct {
	ID          string `gorm:"primaryKey"`
	At          Time
	Action      string
	ActorID     string // empty: not a signed-in person, or the system
	ActorName   string
	SubjectID   string
	SubjectName string
	Detail      string // the text of an old event without Details
	Details     string // JSON, see package audit
	IP          string `gorm:"column:ip"`
	UserAgent   string
	SessionID   string
	RequestID   string
}

// TableName tells GORM the table.
func (Event) TableName() string { return "audit_events" }

// Audit is the audit log. Its lines are purged only by age.
type Audit struct{ store *Store }

// Append adds lines.
func (t *Audit) Append(ctx context.Context, events ...Event) error {
	for i := range events {
		events[i].ID = NewID()
	}
	return t.store.create(ctx, "append to the audit log", &events)
}

// ByID returns a line, or apperr.NotFound.
func (t *Audit) ByID(ctx context.Context, id string) (*Event, error) {
	var e Event
	if err := t.store.db.WithContext(ctx).Where("id = ?", id).Take(&e).Error; err != nil {
		return nil, translate("find audit event", err)
	}
	return &e, nil
}

// AuditQuery chooses lines of the audit log, the newest first.
type AuditQuery struct {
	Actor   AuditPerson // who did it
	Subject AuditPerson // to whom
	Person  AuditPerson // either
	Actions []string
	From    time.Time // at or after
	To      time.Time // before
	After   string    // a page's Next
	Before  string    // a page's Prev
	Limit   int
}

// AuditPerson chooses lines by one of their persons. The zero value matches
// anyone.
type AuditPerson struct {
	IDs  []string // one of these accounts
	Name string   // when there are no IDs: a part of the name as it was then
}

func (p AuditPerson) anyone() bool { return len(p.IDs) == 0 && p.Name == "" }

// is returns the condition that the person in a role ("actor" or "subject") is
// p.
func (p AuditPerson) is(role string) clause.Expr {
	if len(p.IDs) > 0 {
		return gorm.Expr(role+"_id IN ?", p.IDs)
	}
	return contains("lower("+role+"_name)", strings.ToLower(p.Name))
}

// AuditPage is one page of the audit log.
type AuditPage struct {
	Events     []Event
	Next, Prev string // cursors; "" when there is nothing
}

// List returns a page. A cursor that is not ours is apperr.Malformed.
func (t *Audit) List(ctx context.Context, q AuditQuery) (AuditPage, error) {
	db := t.filter(t.store.db.WithContext(ctx), q)
	backwards := q.Before != ""
	if cursor := q.After + q.Before; cursor != "" {
		at, id, err := parseAuditCursor(cursor)
		if err != nil {
			return AuditPage{}, err
		}
		if backwards {
			db = db.Where("(at, id) > (?, ?)", at, id)
		} else {
			db = db.Where("(at, id) < (?, ?)", at, id)
		}
	}
	if backwards {
		db = db.Order("at, id")
	} else {
		db = db.Order("at DESC, id DESC")
	}
	var events []Event
	if err := db.Limit(q.Limit + 1).Find(&events).Error; err != nil {
		return AuditPage{}, translate("list audit events", err)
	}
	return auditPage(events, q, backwards), nil
}

func auditPage(events []Event, q AuditQuery, backwards bool) AuditPage {
	more := len(events) > q.Limit
	if more {
		events = events[:q.Limit]
	}
	if backwards {
		slices.Reverse(events)
	}
	page := AuditPage{Events: events}
	if len(events) == 0 {
		return page
	}
	if more || backwards {
		page.Next = auditCursor(events[len(events)-1])
	}
	if q.After != "" || backwards && more {
		page.Prev = auditCursor(events[0])
	}
	return page
}

func (t *Audit) filter(db *gorm.DB, q AuditQuery) *gorm.DB {
	for role, person := range map[string]AuditPerson{"actor": q.Actor, "subject": q.Subject} {
		if !person.anyone() {
			db = db.Where(person.is(role))
		}
	}
	if !q.Person.anyone() {
		db = db.Where("? OR ?", q.Person.is("actor"), q.Person.is("subject"))
	}
	if len(q.Actions) > 0 {
		db = db.Where("action IN ?", q.Actions)
	}
	if !q.From.IsZero() {
		db = db.Where("at >= ?", At(q.From))
	}
	if !q.To.IsZero() {
		db = db.Where("at < ?", At(q.To))
	}
	return db
}

func auditCursor(e Event) string { return placeCursor(e.At, e.ID) }

func parseAuditCursor(cursor string) (Time, string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, id, found := strings.Cut(string(text), " ")
	n, numberErr := strconv.ParseInt(at, 10, 64)
	if err != nil || numberErr != nil || !found || !IsID(id) {
		return 0, "", apperr.New(apperr.Malformed, "This page of the list does not exist.", nil)
	}
	return Time(n), id, nil
}

// SubjectsNamed returns the ids of at most limit subjects of an action whose
// name at that time contained part, without regard to case.
func (t *Audit) SubjectsNamed(ctx context.Context, action, part string, limit int) ([]string, error) {
	var ids []string
	err := t.store.db.WithContext(ctx).Model(&Event{}).Distinct().Where("action = ?", action).Where(AuditPerson{Name: part}.is("subject")).
		Limit(limit).Pluck("subject_id", &ids).Error
	return ids, translate("look for subjects in the audit log", err)
}

// About returns the latest lines with the person as actor or subject.
func (t *Audit) About(ctx context.Context, userID string, limit int) ([]Event, error) {
	var events []Event
	columns := t.store.columns(&Event{})
	err := t.store.db.WithContext(ctx).Raw(`
		SELECT `+columns+` FROM (
			SELECT `+columns+` FROM (SELECT `+columns+` FROM audit_events WHERE subject_id = @id ORDER BY at DESC, id DESC LIMIT @limit) AS happened
			UNION
			SELECT `+columns+` FROM (SELECT `+columns+` FROM audit_events WHERE actor_id = @id ORDER BY at DESC, id DESC LIMIT @limit) AS did
		) AS both_ways ORDER BY at DESC, id DESC LIMIT @limit`,
		map[string]any{"id": userID, "limit": limit}).Scan(&events).Error
	return events, translate("list recent events", err)
}

// LastAbout returns the latest line of an action about a person, or
// apperr.NotFound.
func (t *Audit) LastAbout(ctx context.Context, userID, action string) (*Event, error) {
	var e Event
	err := t.store.db.WithContext(ctx).Where("subject_id = ? AND action = ?", userID, action).Order("at DESC, id DESC").Take(&e).Error
	if err != nil {
		return nil, translate("find the latest audit event", err)
	}
	return &e, nil
}

// CountSince counts the lines of an action at or after since.
func (t *Audit) CountSince(ctx context.Context, action string, since time.Time) (int64, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&Event{}).Where("action = ? AND at >= ?", action, At(since)).Count(&n).Error
	return n, translate("count audit events", err)
}

// PerDay counts the lines of each of the actions for each of the days from the
// one that starts at first, in UTC.
func (t *Audit) PerDay(ctx context.Context, first time.Time, days int, actions ...string) (map[string][]int64, error) {
	const day = int64(24 * time.Hour / time.Microsecond)
	var rows []struct {
		Action string
		Day, N int64
	}
	start := int64(At(first))
	err := t.store.db.WithContext(ctx).Raw(`
		SELECT action, (at - @start) / @day AS day, COUNT(*) AS n FROM audit_events
		WHERE action IN @actions AND at >= @start AND at < @end GROUP BY 1, 2`,
		map[string]any{"start": start, "day": day, "end": start + int64(days)*day, "actions": actions}).Scan(&rows).Error
	if err != nil {
		return nil, translate("count events per day", err)
	}
	counts := make(map[string][]int64, len(actions))
	for _, action := range actions {
		counts[action] = make([]int64, days)
	}
	for _, row := range rows {
		counts[row.Action][row.Day] = row.N
	}
	return counts, nil
}

// PurgeAction removes at most limit lines of one action older than before.
func (t *Audit) PurgeAction(ctx context.Context, action string, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge audit log",
		"DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE action = ? AND at < ? ORDER BY at LIMIT ?)",
		action, At(before), limit)
}

// Purge removes at most limit lines older than before.
func (t *Audit) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge audit log",
		"DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < ? ORDER BY at LIMIT ?)", At(before), limit)
}
