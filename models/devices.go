package models

import (
	"context"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/apperr"
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

// Device is a browser that a person has signed in with.
type Device struct {
	DeviceHash string
	UserAgent  string // of the latest sign-in; empty when it was before migration 00006
	CreatedAt  Time
	LastUsedAt Time // the latest sign-in
	// TrustedUntil is until when the device skips the second step; zero: it does not.
	TrustedUntil Time
}

// ID identifies a device among those of a person. It is the start of the hash
// in the form of an id.
func (d Device) ID() string { return deviceID(d.DeviceHash) }

func deviceID(deviceHash string) string {
	raw, err := hex.DecodeString(deviceHash)
	if err != nil || len(raw) < 16 {
		return ""
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:16]))
}

// ByUser returns the devices of a person, the most recently used first.
func (t *Devices) ByUser(ctx context.Context, userID string) ([]Device, error) {
	var list []Device
	err := t.store.db.WithContext(ctx).Table("known_devices").Select("device_hash, user_agent, created_at, last_used_at, trusted_until").
		Where("user_id = ?", userID).Order("last_used_at DESC, device_hash").Limit(maxDevices).Find(&list).Error
	return list, translate("list devices", err)
}

// maxDevices is how many devices of a person are known.
const maxDevices = 100

// Renew records a sign-in of the person with this device if they have signed in
// with it before, and reports whether they have.
func (t *Devices) Renew(ctx context.Context, deviceHash, userID, userAgent string, now time.Time) (bool, error) {
	n, err := t.store.exec(ctx, "renew device",
		"UPDATE known_devices SET last_used_at = ?, user_agent = ? WHERE device_hash = ? AND user_id = ?", At(now), userAgent, deviceHash, userID)
	return n > 0, err
}

// Remember records the person's first sign-in with this device. Of their devices
// it keeps the 100 that were used last.
func (t *Devices) Remember(ctx context.Context, deviceHash, userID, userAgent string, now time.Time) error {
	_, err := t.store.exec(ctx, "remember device",
		"INSERT INTO known_devices (device_hash, user_id, user_agent, created_at, last_used_at) VALUES (?, ?, ?, ?, ?)",
		deviceHash, userID, userAgent, At(now), At(now))
	if err != nil {
		return err
	}
	_, err = t.store.exec(ctx, "trim devices", `
		DELETE FROM known_devices WHERE user_id = ? AND device_hash NOT IN
			(SELECT device_hash FROM known_devices WHERE user_id = ? ORDER BY last_used_at DESC, device_hash LIMIT ?)`,
		userID, userID, maxDevices)
	return err
}

// Forget removes one device of a person, by its id, and returns it. It returns
// apperr.NotFound when the person has no such device.
func (t *Devices) Forget(ctx context.Context, id, userID string) (Device, error) {
	device, err := t.byID(ctx, id, userID)
	if err != nil {
		return Device{}, err
	}
	_, err = t.store.exec(ctx, "forget device", "DELETE FROM known_devices WHERE device_hash = ? AND user_id = ?", device.DeviceHash, userID)
	return device, err
}

// byID returns a device of a person, or apperr.NotFound.
func (t *Devices) byID(ctx context.Context, id, userID string) (Device, error) {
	list, err := t.ByUser(ctx, userID)
	for _, device := range list {
		if device.ID() == id {
			return device, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("find device: %w", apperr.NotFound)
	}
	return Device{}, err
}

// Trusted reports whether a device skips the second step of a person at now.
func (t *Devices) Trusted(ctx context.Context, deviceHash, userID string, now time.Time) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Table("known_devices").
		Where("device_hash = ? AND user_id = ? AND trusted_until > ?", deviceHash, userID, At(now)).Count(&n).Error
	return n > 0, translate("look up a trusted device", err)
}

// Trust lets a known device of a person skip the second step until the given time.
func (t *Devices) Trust(ctx context.Context, deviceHash, userID string, until time.Time) error {
	_, err := t.store.exec(ctx, "trust a device", "UPDATE known_devices SET trusted_until = ? WHERE device_hash = ? AND user_id = ?", At(until), deviceHash, userID)
	return err
}

// Distrust makes one device of a person ask for the second step again, by its id, and
// returns it as it was. It returns apperr.NotFound when no such device is trusted.
func (t *Devices) Distrust(ctx context.Context, id, userID string) (Device, error) {
	device, err := t.byID(ctx, id, userID)
	if err != nil {
		return Device{}, err
	}
	rows, err := t.store.exec(ctx, "distrust a device",
		"UPDATE known_devices SET trusted_until = 0 WHERE device_hash = ? AND user_id = ? AND trusted_until <> 0", device.DeviceHash, userID)
	return device, oneRow("distrust a device", rows, err)
}

// DistrustAll makes every device of a person ask for the second step again.
func (t *Devices) DistrustAll(ctx context.Context, userID string) error {
	_, err := t.store.exec(ctx, "distrust devices", "UPDATE known_devices SET trusted_until = 0 WHERE user_id = ? AND trusted_until <> 0", userID)
	return err
}

// ForgetAll removes every device of a person.
func (t *Devices) ForgetAll(ctx context.Context, userID string) error {
	_, err := t.store.exec(ctx, "forget devices", "DELETE FROM known_devices WHERE user_id = ?", userID)
	return err
}

// Purge removes at most limit devices that were not used since before.
func (t *Devices) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge devices", `
		DELETE FROM known_devices WHERE (device_hash, user_id) IN
			(SELECT device_hash, user_id FROM known_devices WHERE last_used_at < ? LIMIT ?)`, At(before), limit)
}
