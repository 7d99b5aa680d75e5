package models

import (
	"context"
	"time"
)

// Denylist is the table of tokens that are refused before they expire: session
// ids and token ids, never a token's text.
type Denylist struct{ store *Store }

// Deny refuses one token from now on. lives is when the token dies by itself.
func (t *Denylist) Deny(ctx context.Context, tokenID, userID string, reason Reason, lives time.Time) error {
	_, err := t.store.exec(ctx, "deny token", `
		INSERT INTO denylist (token_id, user_id, reason, expires_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (token_id) DO NOTHING`, tokenID, userID, string(reason), At(lives).Add(denySlack))
	return err
}

// Purge removes at most limit denials of tokens that are dead at now.
func (t *Denylist) Purge(ctx context.Context, now time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge denylist", `
		DELETE FROM denylist WHERE token_id IN (SELECT token_id FROM denylist WHERE expires_at < ? LIMIT ?)`, At(now), limit)
}
