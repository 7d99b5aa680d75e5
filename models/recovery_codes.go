package models

import (
	"context"
	"time"
)

// RecoveryCode is one code that takes the place of a code of the app, once.
type RecoveryCode struct {
	ID        string `gorm:"primaryKey"`
	UserID    string
	CodeHash  string `json:"-"` // a PHC string; the codes of a set share a salt
	CreatedAt Time   `gorm:"autoCreateTime:false"`
	UsedAt    Time   // zero: not used
	RemovedAt Time   // zero: of the current set
}

// RecoveryCodes is the table of recovery codes.
type RecoveryCodes struct{ store *Store }

// Replace makes codes the current set of a person.
func (t *RecoveryCodes) Replace(ctx context.Context, userID string, codes []RecoveryCode, now time.Time) error {
	if err := t.Remove(ctx, userID, now); err != nil {
		return err
	}
	return t.store.create(ctx, "create recovery codes", &codes)
}

// Remove takes the current set of a person out of use.
func (t *RecoveryCodes) Remove(ctx context.Context, userID string, now time.Time) error {
	_, err := t.store.exec(ctx, "remove recovery codes",
		"UPDATE recovery_codes SET removed_at = ?, code_hash = '' WHERE user_id = ? AND removed_at = 0", At(now), userID)
	return err
}

// Current returns the current set of a person, used codes too; empty if there is
// none.
func (t *RecoveryCodes) Current(ctx context.Context, userID string) ([]RecoveryCode, error) {
	var list []RecoveryCode
	err := t.store.db.WithContext(ctx).Where("user_id = ? AND removed_at = 0", userID).Order("id").Limit(maxFactors).Find(&list).Error
	return list, translate("list recovery codes", err)
}

// Use uses a code up, and reports whether it could still be used. Of parallel callers
// one wins.
func (t *RecoveryCodes) Use(ctx context.Context, id string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "use a recovery code",
		"UPDATE recovery_codes SET used_at = ? WHERE id = ? AND used_at = 0 AND removed_at = 0", At(now), id)
	return rows == 1, err
}

// History returns every code that a person has or had, the newest first.
func (t *RecoveryCodes) History(ctx context.Context, userID string) ([]RecoveryCode, error) {
	var list []RecoveryCode
	err := t.store.db.WithContext(ctx).Where("user_id = ?", userID).Order("created_at DESC, id").Limit(maxFactors).Find(&list).Error
	return list, translate("list recovery codes", err)
}
