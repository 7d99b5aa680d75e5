package models

import (
	"context"
	"time"
)

// PersonalToken is a personal access token. Only the hash of its secret is
// kept.
type PersonalToken struct {
	ID         string `gorm:"primaryKey"`
	UserID     string
	Name       string
	TokenHash  string `json:"-"` // HashToken of the secret
	Hint       string // the secret's last characters
	Scope      string // separated by spaces
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	ExpiresAt  Time
	LastUsedAt Time   // to the minute
	LastUsedIP string `gorm:"column:last_used_ip"`
	EndedAt    Time
	EndReason  Reason
}

// TableName tells GORM the table.
func (PersonalToken) TableName() string { return "personal_access_tokens" }

// Works reports whether the token is neither removed nor expired at now. It
// does not consider the state of the account.
func (p *PersonalToken) Works(now Time) bool { return p.EndedAt.IsZero() && now < p.ExpiresAt }

const workingToken = "ended_at = 0 AND expires_at > @now"

// PersonalTokens is the table of personal access tokens.
type PersonalTokens struct{ store *Store }

// Create inserts a token.
func (t *PersonalTokens) Create(ctx context.Context, token *PersonalToken) error {
	return t.store.create(ctx, "create personal token", token)
}

// Bearer is a personal access token and its person, read in one query.
type Bearer struct {
	Token           PersonalToken // without its hash
	Username        string
	Email           string
	EmailVerifiedAt Time // zero: not verified
	FullName        string
	Role            Role
	DisabledAt      Time
}

const bearerQuery = `
	SELECT p.id, p.user_id, p.name, p.hint, p.scope, p.created_at, p.expires_at, p.last_used_at, p.last_used_ip,
		p.ended_at, p.end_reason, u.username, u.email, u.email_verified_at, u.full_name, u.role, u.disabled_at
	FROM personal_access_tokens p JOIN users u ON u.id = p.user_id WHERE p.token_hash = $1`

// Identify returns the token and the person of a secret, even if the token no
// longer works or the account is disabled. It returns apperr.NotFound when
// there is no such token.
func (t *PersonalTokens) Identify(ctx context.Context, secret string) (*Bearer, error) {
	var b Bearer
	p := &b.Token
	rows, err := t.store.hot.QueryContext(ctx, bearerQuery, HashToken(secret))
	err = scanOne(rows, err,
		&p.ID, &p.UserID, &p.Name, &p.Hint, &p.Scope, &p.CreatedAt, &p.ExpiresAt, &p.LastUsedAt, &p.LastUsedIP,
		&p.EndedAt, &p.EndReason, &b.Username, &b.Email, &b.EmailVerifiedAt, &b.FullName, &b.Role, &b.DisabledAt)
	if err != nil {
		return nil, translate("identify personal token", err)
	}
	return &b, nil
}

// ByID returns a token of a person, working or not, or apperr.NotFound.
func (t *PersonalTokens) ByID(ctx context.Context, id, userID string) (*PersonalToken, error) {
	var token PersonalToken
	err := t.store.db.WithContext(ctx).Where("id = ? AND user_id = ?", id, userID).Take(&token).Error
	if err != nil {
		return nil, translate("find personal token", err)
	}
	return &token, nil
}

// ByUser returns a person's tokens that work, or that were removed or expired
// since the given instant, the newest first.
func (t *PersonalTokens) ByUser(ctx context.Context, userID string, since time.Time) ([]PersonalToken, error) {
	var list []PersonalToken
	err := t.store.db.WithContext(ctx).
		Where("user_id = ? AND expires_at >= ? AND (ended_at = 0 OR ended_at >= ?)", userID, At(since), At(since)).
		Order("created_at DESC, id").Limit(200).Find(&list).Error
	return list, translate("list personal tokens", err)
}

// CountWorking counts the tokens of a person that work at now.
func (t *PersonalTokens) CountWorking(ctx context.Context, userID string, now time.Time) (int, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&PersonalToken{}).
		Where("user_id = @user AND "+workingToken, map[string]any{"user": userID, "now": At(now)}).Count(&n).Error
	return int(n), translate("count personal tokens", err)
}

// IsWorking reports whether a token of a person works at now.
func (t *PersonalTokens) IsWorking(ctx context.Context, id, userID string, now time.Time) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&PersonalToken{}).
		Where("id = @id AND user_id = @user AND "+workingToken, map[string]any{"id": id, "user": userID, "now": At(now)}).Count(&n).Error
	return n == 1, translate("look whether a personal token works", err)
}

// Used records a use, unless one was already recorded after before.
func (t *PersonalTokens) Used(ctx context.Context, id, ip string, now, before time.Time) error {
	_, err := t.store.exec(ctx, "mark personal token used", `
		UPDATE personal_access_tokens SET last_used_at = ?, last_used_ip = ?
		WHERE id = ? AND ended_at = 0 AND last_used_at <= ?`, At(now), ip, id, At(before))
	return err
}

// Remove removes one working token of a person. The row stays, so that it can
// be listed. It returns apperr.NotFound when the person has no such working
// token.
func (t *PersonalTokens) Remove(ctx context.Context, id, userID string, reason Reason, now time.Time) error {
	rows, err := t.store.exec(ctx, "remove personal token",
		"UPDATE personal_access_tokens SET ended_at = @now, end_reason = @reason WHERE id = @id AND user_id = @user AND "+workingToken,
		map[string]any{"now": int64(At(now)), "reason": string(reason), "id": id, "user": userID})
	return oneRow("remove personal token", rows, err)
}

// RemoveAll removes every working token of a person and returns how many there
// were.
func (t *PersonalTokens) RemoveAll(ctx context.Context, userID string, reason Reason, now time.Time) (int, error) {
	rows, err := t.store.exec(ctx, "remove personal tokens",
		"UPDATE personal_access_tokens SET ended_at = @now, end_reason = @reason WHERE user_id = @user AND "+workingToken,
		map[string]any{"now": int64(At(now)), "reason": string(reason), "user": userID})
	return int(rows), err
}

// Purge removes at most limit tokens that expired before the given instant.
// Removed ones are kept as long, because the list shows them.
func (t *PersonalTokens) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge personal tokens", `
		DELETE FROM personal_access_tokens WHERE id IN
			(SELECT id FROM personal_access_tokens WHERE expires_at < ? LIMIT ?)`, At(before), limit)
}
