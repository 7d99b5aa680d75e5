package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Denylist is the table of tokens that are refused before they expire: session
// ids and token ids, never a token's text.
type Denylist struct{ store *Store }

// denial is a row of the denylist.
type denial struct {
	TokenID   string
	UserID    string
	Reason    Reason
	ExpiresAt Time
}

// TableName tells GORM the table.
func (denial) TableName() string { return "denylist" }

// Deny refuses one token from now on. lives is when the token expires.
func (t *Denylist) Deny(ctx context.Context, tokenID, userID string, reason Reason, lives time.Time) error {
	return t.store.deny(ctx, denial{TokenID: tokenID, UserID: userID, Reason: reason, ExpiresAt: At(lives).Add(denySlack)})
}

// Spend uses something up that works once, by its id, and reports whether nobody did
// before. expires is when it stops working by itself.
func (t *Denylist) Spend(ctx context.Context, id, userID string, expires time.Time) (bool, error) {
	rows, err := t.store.run(ctx, "spend", func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.OnConflict{DoNothing: true}).
			Create(&denial{TokenID: id, UserID: userID, Reason: reasonSpent, ExpiresAt: At(expires).Add(denySlack)})
	})
	return rows == 1, err
}

// reasonSpent stands in the rows of Spend.
const reasonSpent Reason = "spent"

// deny inserts rows; the first reason for which a token is denied stays.
func (s *Store) deny(ctx context.Context, rows ...denial) error {
	_, err := s.run(ctx, "deny tokens", func(db *gorm.DB) *gorm.DB {
		return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows)
	})
	return err
}

// Purge removes at most limit denials of tokens that have expired at now.
func (t *Denylist) Purge(ctx context.Context, now time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge denylist", `
		DELETE FROM denylist WHERE token_id IN (SELECT token_id FROM denylist WHERE expires_at < ? LIMIT ?)`, At(now), limit)
}
