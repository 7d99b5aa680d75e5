package models

import (
	"context"
	"time"
)

// Passkey is a WebAuthn credential. Those that were removed stay as a record,
// without their key.
type Passkey struct {
	ID             string `gorm:"primaryKey"`
	UserID         string
	CredentialID   string // base64url without padding
	RPID           string `gorm:"column:rp_id"`
	Name           string
	PublicKey      string `json:"-"` // COSE, base64url without padding
	AAGUID         string `gorm:"column:aaguid"`
	Transports     string // separated by spaces
	SignCount      int64
	BackupEligible bool // it can be synced
	BackedUp       bool // it is
	CreatedAt      Time `gorm:"autoCreateTime:false"`
	LastUsedAt     Time
	LastUsedAgent  string
	RemovedAt      Time // zero: in use
	RemovedBy      Removal
}

// Passkeys is the table of passkeys.
type Passkeys struct{ store *Store }

// InUse returns the passkeys in use of a person, the oldest first.
func (t *Passkeys) InUse(ctx context.Context, userID string) ([]Passkey, error) {
	var list []Passkey
	err := t.store.db.WithContext(ctx).Where("user_id = ? AND removed_at = 0", userID).Order("created_at, id").Limit(maxFactors).Find(&list).Error
	return list, translate("list passkeys", err)
}

// History returns every passkey that a person has or had, the newest first.
func (t *Passkeys) History(ctx context.Context, userID string) ([]Passkey, error) {
	var list []Passkey
	err := t.store.db.WithContext(ctx).Where("user_id = ?", userID).Order("created_at DESC, id").Limit(maxFactors).Find(&list).Error
	return list, translate("list passkeys", err)
}

// ByCredential returns the passkey in use with a credential id, whosever it is, or
// apperr.NotFound.
func (t *Passkeys) ByCredential(ctx context.Context, credentialID string) (*Passkey, error) {
	var row Passkey
	if err := t.store.db.WithContext(ctx).Where("credential_id = ? AND removed_at = 0", credentialID).Take(&row).Error; err != nil {
		return nil, translate("find passkey", err)
	}
	return &row, nil
}

// ByID returns a passkey in use of a person, or apperr.NotFound.
func (t *Passkeys) ByID(ctx context.Context, id, userID string) (*Passkey, error) {
	var row Passkey
	if err := t.store.db.WithContext(ctx).Where("id = ? AND user_id = ? AND removed_at = 0", id, userID).Take(&row).Error; err != nil {
		return nil, translate("find passkey", err)
	}
	return &row, nil
}

// Create inserts a passkey. A credential that is in use is apperr.Conflict.
func (t *Passkeys) Create(ctx context.Context, key *Passkey) error {
	return t.store.create(ctx, "create passkey", key)
}

// Rename names a passkey of a person, or returns apperr.NotFound.
func (t *Passkeys) Rename(ctx context.Context, id, userID, name string) error {
	rows, err := t.store.exec(ctx, "rename passkey", "UPDATE passkeys SET name = ? WHERE id = ? AND user_id = ? AND removed_at = 0", name, id, userID)
	return oneRow("rename passkey", rows, err)
}

// Used records a sign-in with a passkey, with the counter and the flags that the
// authenticator sent. It returns apperr.NotFound when the passkey was removed
// meanwhile.
func (t *Passkeys) Used(ctx context.Context, key *Passkey, userAgent string, now time.Time) error {
	rows, err := t.store.exec(ctx, "record the use of a passkey", `
		UPDATE passkeys SET sign_count = ?, backup_eligible = ?, backed_up = ?, last_used_at = ?, last_used_agent = ?
		WHERE id = ? AND removed_at = 0`, key.SignCount, key.BackupEligible, key.BackedUp, At(now), userAgent, key.ID)
	return oneRow("record the use of a passkey", rows, err)
}

// Remove takes a passkey of a person out of use, or returns apperr.NotFound.
func (t *Passkeys) Remove(ctx context.Context, id, userID string, by Removal, now time.Time) error {
	rows, err := t.store.exec(ctx, "remove passkey",
		"UPDATE passkeys SET public_key = '', removed_at = ?, removed_by = ? WHERE id = ? AND user_id = ? AND removed_at = 0", At(now), by, id, userID)
	return oneRow("remove passkey", rows, err)
}

// OtherHosts counts the passkeys in use that were made for another host than rpID.
// They cannot be used while the portal is on rpID.
func (t *Passkeys) OtherHosts(ctx context.Context, rpID string) (int64, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&Passkey{}).Where("removed_at = 0 AND rp_id <> ?", rpID).Count(&n).Error
	return n, translate("count passkeys of other hosts", err)
}
