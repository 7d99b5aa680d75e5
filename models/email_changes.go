package models

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
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
// one, and reports whether it has. It does not record the address of a sign-up that
// was neither verified nor used: it may be a typing mistake, and someone else's.
func (t *EmailChanges) keep(ctx context.Context, user *User, now time.Time) (changed bool, err error) {
	var n int64
	err = t.store.db.WithContext(ctx).Model(&User{}).Where("id = ? AND email_folded <> ?", user.ID, user.EmailFolded).Count(&n).Error
	if err != nil || n == 0 {
		return false, translate("compare the old address", err)
	}
	_, err = t.store.exec(ctx, "keep the old address", `
		INSERT INTO email_changes (id, user_id, old_email, old_folded, verified, at)
		SELECT ?, id, email, email_folded, email_verified_at, ? FROM users
		WHERE id = ? AND email <> '' AND (email_verified_at <> 0 OR last_sign_in_at <> 0)`,
		NewID(), At(now), user.ID)
	return true, err
}

// notKept returns apperr.Conflict for an address that another account can get back.
func (t *EmailChanges) notKept(ctx context.Context, user *User, now time.Time) error {
	if user.Email == "" {
		return nil
	}
	kept, err := t.Kept(ctx, user.Email, user.ID, now)
	if err == nil && kept {
		failure := apperr.New(apperr.Conflict, "", errors.New("name user: another account can get the address back"))
		failure.Field = "email"
		return failure
	}
	return err
}

// Since returns the changes of an account's address at or after since, the oldest
// first.
func (t *EmailChanges) Since(ctx context.Context, userID string, since time.Time) ([]EmailChange, error) {
	var list []EmailChange
	err := t.store.db.WithContext(ctx).Where("user_id = ? AND at >= ?", userID, At(since)).Order("at, id").Limit(100).Find(&list).Error
	return list, translate("list changes of an address", err)
}

// Undo gives an account the address that it had before a change, and forgets this
// change and the later ones. Call it in a transaction. It returns apperr.Conflict
// when another account has the address.
func (t *EmailChanges) Undo(ctx context.Context, user *User, change EmailChange, now time.Time) error {
	err := t.store.Users.update(ctx, "undo the change of an address", user.ID, map[string]any{
		"email": change.OldEmail, "email_folded": change.OldFolded, "email_verified_at": change.Verified,
		"search": SearchText(user.Username, change.OldEmail, user.FullName), "updated_at": At(now),
	})
	if err != nil {
		return err
	}
	_, err = t.store.exec(ctx, "forget changes of an address", "DELETE FROM email_changes WHERE user_id = ? AND at >= ?", user.ID, change.At)
	return err
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
