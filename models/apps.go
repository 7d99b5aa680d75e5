package models

import (
	"context"
	"time"
)

// Removal says why a factor is no longer in use.
type Removal string

// The reasons. They are stored: never change one.
const (
	RemovedReplaced Removal = "replaced" // another took its place
	RemovedBySelf   Removal = "self"     // its owner removed it, or switched two-step sign-in off
	RemovedByAdmin  Removal = "admin"    // an admin or the shell reset the second step
	RemovedSecured  Removal = "secured"  // its owner said "This wasn't me"
)

// AuthenticatorApp is the secret that a person's authenticator app shares with the
// portal. An account has at most one in use; those that were removed stay as a
// record, without their secret.
type AuthenticatorApp struct {
	ID         string `gorm:"primaryKey"`
	UserID     string
	Secret     string `json:"-"` // sealed
	LastStep   int64  // the time step of the last accepted code
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	LastUsedAt Time
	RemovedAt  Time // zero: in use
	RemovedBy  Removal
}

// Apps is the table of authenticator apps.
type Apps struct{ store *Store }

// Current returns the app in use of a person, or apperr.NotFound.
func (t *Apps) Current(ctx context.Context, userID string) (*AuthenticatorApp, error) {
	var row AuthenticatorApp
	if err := t.store.db.WithContext(ctx).Where("user_id = ? AND removed_at = 0", userID).Take(&row).Error; err != nil {
		return nil, translate("find authenticator app", err)
	}
	return &row, nil
}

// Create inserts an app. Remove the one in use first, in the same transaction.
func (t *Apps) Create(ctx context.Context, app *AuthenticatorApp) error {
	return t.store.create(ctx, "create authenticator app", app)
}

// Accept records that the code of a time step was accepted, and reports whether it
// is newer than every earlier one. Of parallel callers one wins.
func (t *Apps) Accept(ctx context.Context, id string, step int64, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "accept a code",
		"UPDATE authenticator_apps SET last_step = ?, last_used_at = ? WHERE id = ? AND last_step < ? AND removed_at = 0", step, At(now), id, step)
	return rows == 1, err
}

// Reseal replaces the sealed secret of an app, unless it has changed.
func (t *Apps) Reseal(ctx context.Context, id, before, after string) error {
	_, err := t.store.exec(ctx, "seal a secret again", "UPDATE authenticator_apps SET secret = ? WHERE id = ? AND secret = ?", after, id, before)
	return err
}

// InUse returns at most limit apps that are in use, with ids after the given one.
func (t *Apps) InUse(ctx context.Context, after string, limit int) ([]AuthenticatorApp, error) {
	var list []AuthenticatorApp
	err := t.store.db.WithContext(ctx).Where("removed_at = 0 AND id > ?", after).Order("id").Limit(limit).Find(&list).Error
	return list, translate("list authenticator apps", err)
}

// Remove takes the app of a person out of use, and reports whether there was one. It
// forgets the secret.
func (t *Apps) Remove(ctx context.Context, userID string, by Removal, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "remove authenticator app",
		"UPDATE authenticator_apps SET secret = '', removed_at = ?, removed_by = ? WHERE user_id = ? AND removed_at = 0", At(now), by, userID)
	return rows == 1, err
}

// History returns every app that a person has or had, the newest first.
func (t *Apps) History(ctx context.Context, userID string) ([]AuthenticatorApp, error) {
	var list []AuthenticatorApp
	err := t.store.db.WithContext(ctx).Where("user_id = ?", userID).Order("created_at DESC, id").Limit(maxFactors).Find(&list).Error
	return list, translate("list authenticator apps", err)
}

// maxFactors bounds the lists of factors.
const maxFactors = 1000
