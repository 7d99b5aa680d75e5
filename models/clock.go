package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Clock is the table of one row with the latest check of the servers' clock.
type Clock struct{ store *Store }

// Check records that the clock shows now, and returns since when it has been
// steady: the first check that found it more than jump before or after the check
// before. The zero time means that it never jumped. Where there was no check yet,
// the newest line of the audit log stands for it.
func (t *Clock) Check(ctx context.Context, now time.Time, jump time.Duration) (time.Time, error) {
	_, err := t.store.exec(ctx, "begin to check the clock", `
		INSERT INTO clock (id, checked_at, steady_since) SELECT 1, COALESCE(MAX(at), ?), 0 FROM audit_events WHERE true
		ON CONFLICT (id) DO NOTHING`, At(now))
	if err != nil {
		return time.Time{}, err
	}
	var since Time
	_, err = t.store.run(ctx, "check the clock", func(db *gorm.DB) *gorm.DB {
		return db.Raw(`
			UPDATE clock SET checked_at = @now, steady_since = CASE WHEN abs(@now - checked_at) <= @jump THEN steady_since ELSE @now END
			RETURNING steady_since`, map[string]any{"now": At(now), "jump": jump.Microseconds()}).Scan(&since)
	})
	return since.Time(), err
}
