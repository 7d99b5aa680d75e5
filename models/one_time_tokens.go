package models

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"gorm.io/gorm/clause"
)

// Purpose is the purpose of a one-time token.
type Purpose string

// The purposes.
const (
	PurposeSetup       Purpose = "setup"        // create the first admin
	PurposeSetPassword Purpose = "set-password" // choose a password
	PurposeVerifyEmail Purpose = "verify-email" // prove that an address is one's own
	PurposeSecure      Purpose = "secure"       // "This wasn't me": take an account back
)

// OneTimeToken is a link that works once. Only the hash of its secret is kept.
type OneTimeToken struct {
	TokenHash  string `gorm:"primaryKey"`
	Purpose    Purpose
	UserID     *string // nil for setup
	CreatedAt  Time    `gorm:"autoCreateTime:false"`
	ExpiresAt  Time
	UsedAt     Time
	ReplacedAt Time   // a newer link was created
	Email      string // the address that the link was mailed to; empty: it was not mailed
	CodeHash   string `json:"-"` // of the code in the same message; empty: none
}

// NewToken returns the secret of a link: 256 random bits in 43 characters of
// base64url.
func NewToken() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(bits)
}

// HashToken returns the form in which a random secret is stored and looked up.
// A plain SHA-256 without salt is enough, because the secret has at least 130
// random bits.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// OneTimeTokens is the table of links that work once.
type OneTimeTokens struct{ store *Store }

// Create inserts a token.
func (t *OneTimeTokens) Create(ctx context.Context, token *OneTimeToken) error {
	return t.store.create(ctx, "create one-time token", token)
}

// ByToken returns the row of a token, even of one that was used or no longer
// works, or apperr.NotFound.
func (t *OneTimeTokens) ByToken(ctx context.Context, token string, purpose Purpose) (*OneTimeToken, error) {
	var row OneTimeToken
	err := t.store.db.WithContext(ctx).Where("token_hash = ? AND purpose = ?", HashToken(token), purpose).Take(&row).Error
	if err != nil {
		return nil, translate("find one-time token", err)
	}
	return &row, nil
}

// Pending returns the newest token of a person with a purpose that still works, or
// apperr.NotFound.
func (t *OneTimeTokens) Pending(ctx context.Context, userID string, purpose Purpose, now time.Time) (*OneTimeToken, error) {
	var row OneTimeToken
	err := t.store.db.WithContext(ctx).
		Where("user_id = ? AND purpose = ? AND used_at = 0 AND replaced_at = 0 AND expires_at > ?", userID, purpose, At(now)).
		Order("created_at DESC, token_hash").Take(&row).Error
	if err != nil {
		return nil, translate("find pending token", err)
	}
	return &row, nil
}

// Use uses a token and reports whether it still worked. Of several parallel
// calls only one succeeds.
func (t *OneTimeTokens) Use(ctx context.Context, token string, purpose Purpose, now time.Time) (bool, error) {
	return t.use(ctx, HashToken(token), purpose, now)
}

// UseRow is Use for a row that Pending returned.
func (t *OneTimeTokens) UseRow(ctx context.Context, row *OneTimeToken, now time.Time) (bool, error) {
	return t.use(ctx, row.TokenHash, row.Purpose, now)
}

func (t *OneTimeTokens) use(ctx context.Context, hash string, purpose Purpose, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "use one-time token", `
		UPDATE one_time_tokens SET used_at = @now
		WHERE token_hash = @hash AND purpose = @purpose AND used_at = 0 AND replaced_at = 0 AND expires_at > @now`,
		map[string]any{"now": int64(At(now)), "hash": hash, "purpose": string(purpose)})
	return rows == 1, err
}

// ReplaceFor marks the unused links of a person with a purpose as replaced.
func (t *OneTimeTokens) ReplaceFor(ctx context.Context, userID string, purpose Purpose, now time.Time) error {
	_, err := t.store.exec(ctx, "replace one-time tokens",
		"UPDATE one_time_tokens SET replaced_at = ? WHERE user_id = ? AND purpose = ? AND used_at = 0 AND replaced_at = 0", At(now), userID, purpose)
	return err
}

// ExpireFor makes the unused links of a person with one of the purposes expire
// now.
func (t *OneTimeTokens) ExpireFor(ctx context.Context, userID string, now time.Time, purposes ...Purpose) error {
	_, err := t.store.exec(ctx, "expire one-time tokens",
		"UPDATE one_time_tokens SET expires_at = ? WHERE user_id = ? AND purpose IN ? AND used_at = 0 AND expires_at > ?",
		At(now), userID, purposes, At(now))
	return err
}

// ExpireSince makes the unused links of a person with a purpose expire now that were
// created at or after since.
func (t *OneTimeTokens) ExpireSince(ctx context.Context, userID string, purpose Purpose, since, now time.Time) error {
	_, err := t.store.exec(ctx, "expire later one-time tokens",
		"UPDATE one_time_tokens SET expires_at = ? WHERE user_id = ? AND purpose = ? AND used_at = 0 AND expires_at > ? AND created_at >= ?",
		At(now), userID, purpose, At(now), At(since))
	return err
}

// EndSetup marks every unused setup link as replaced.
func (t *OneTimeTokens) EndSetup(ctx context.Context, now time.Time) error {
	_, err := t.store.exec(ctx, "end setup",
		"UPDATE one_time_tokens SET replaced_at = ? WHERE purpose = 'setup' AND used_at = 0 AND replaced_at = 0", At(now))
	return err
}

// Purge removes at most limit tokens that expired before the given instant.
func (t *OneTimeTokens) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge one-time tokens", `
		DELETE FROM one_time_tokens WHERE token_hash IN
			(SELECT token_hash FROM one_time_tokens WHERE expires_at < ? LIMIT ?)`, At(before), limit)
}

// LockSetup locks every setup link until the transaction ends, so that two
// links cannot create two first admins.
func (t *OneTimeTokens) LockSetup(ctx context.Context) error {
	var hashes []string
	err := t.store.db.WithContext(ctx).Model(&OneTimeToken{}).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("purpose = 'setup'").Order("token_hash").Pluck("token_hash", &hashes).Error
	return translate("lock setup links", err)
}
