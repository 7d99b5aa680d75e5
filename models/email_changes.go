package models

import (
	"context"
	"time"
)

// KeepEmail is how long a change of an address can be undone. For as long, nobody
// else can take the old address.
const KeepEmail = 7 * 24 * time.Hour

// EmailChange is an address that an account had before.
type EmailChange struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	OldEmail  string
	OldFolded string
	Verified  Time // when the old address was verified; zero: it was not
	At        Time
}

// EmailChanges is the table of addresses that accounts had before.
type EmailChanges struct{ store *Store }

// keep records the address that the account of user still has, if user has another
// one.
func (t *EmailChanges) keep(ctx context.Context, user *User, now time.Time) error {
	_, err := t.store.exec(ctx, "keep the old address", `
		INSERT INTO email_changes (id, user_id, old_email, old_folded, verified, at)
		SELECT ?, id, email, email_folded, email_verified_at, ? FROM users WHERE id = ? AND email <> '' AND email_folded <> ?`,
		NewID(), At(now), user.ID, user.EmailFolded)
	return err
}

// Since returns the changes of an account's address at or after since, the oldest
// first.
func (t *EmailChanges) Since(ctx context.Context, userID string, since time.Time) ([]EmailChange, error) {
	var list []EmailChange
	err := t.store.db.WithContext(ctx).Where("user_id = ? AND at >= ?", userID, At(since)).Order("at, id").Limit(100).Find(&list).Error
	return list, translate("list changes of an address", err)
}

// Kept reports whether an account other than userID had the address within
// KeepEmail and can still get it back.
func (t *EmailChanges) Kept(ctx context.Context, email, userID string, now time.Time) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&EmailChange{}).
		Where("old_folded = ? AND at >= ? AND user_id <> ?", FoldEmail(email), At(now.Add(-KeepEmail)), userID).Count(&n).Error
	return n > 0, translate("look for an address that can come back", err)
}

// Purge removes at most limit changes from before the given instant.
func (t *EmailChanges) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge changes of addresses",
		"DELETE FROM email_changes WHERE id IN (SELECT id FROM email_changes WHERE at < ? LIMIT ?)", At(before), limit)
}
