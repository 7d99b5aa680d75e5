package models

import (
	"context"
	"time"
)

// Devices is the table of browsers that a person has signed in with before,
// by the SHA-256 of their device cookie.
type Devices struct{ store *Store }

// Known reports whether the person has signed in with this device.
func (t *Devices) Known(ctx context.Context, deviceHash, userID string) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Table("known_devices").
		Where("device_hash = ? AND user_id = ?", deviceHash, userID).Count(&n).Error
	return n > 0, translate("look up device", err)
}

// Renew records a sign-in of the person with this device if they have signed in
// with it before, and reports whether they have.
func (t *Devices) Renew(ctx context.Context, deviceHash, userID string, now time.Time) (bool, error) {
	n, err := t.store.exec(ctx, "renew device",
		"UPDATE known_devices SET last_used_at = ? WHERE device_hash = ? AND user_id = ?", At(now), deviceHash, userID)
	return n > 0, err
}

// Remember records the person's first sign-in with this device.
func (t *Devices) Remember(ctx context.Context, deviceHash, userID string, now time.Time) error {
	_, err := t.store.exec(ctx, "remember device",
		"INSERT INTO known_devices (device_hash, user_id, created_at, last_used_at) VALUES (?, ?, ?, ?)",
		deviceHash, userID, At(now), At(now))
	return err
}

// Purge removes at most limit devices that were not used since before.
func (t *Devices) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge devices", `
		DELETE FROM known_devices WHERE (device_hash, user_id) IN
			(SELECT device_hash, user_id FROM known_devices WHERE last_used_at < ? LIMIT ?)`, At(before), limit)
}
