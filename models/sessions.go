package models

import (
	"context"
	"fmt"
	"time"

	"latchkey/internal/apperr"
)

// Reason says why a session is over. Package audit has the texts.
type Reason string

// Why sessions end.
const (
	ReasonLogout         Reason = "logout"           // signed out here
	ReasonEndedElsewhere Reason = "ended-elsewhere"  // signed out from another device
	ReasonAdmin          Reason = "ended-by-admin"   // an admin or the shell signed the person out
	ReasonDisabled       Reason = "disabled"         // the account was disabled
	ReasonDeleted        Reason = "deleted"          // the account was deleted
	ReasonPassword       Reason = "password-changed" // a new password ends every session
	ReasonEmail          Reason = "email-changed"    // a new address ends every session
	ReasonSecured        Reason = "secured"          // its owner said "This wasn't me"
	ReasonReplaced       Reason = "replaced"         // the same browser signed in again
	ReasonLimit          Reason = "too-many"         // the least recently used of too many
	ReasonReplay         Reason = "replay"           // a used refresh token came back
	ReasonRestored       Reason = "restored"         // the database is older than the token
	ReasonIdle           Reason = "idle"             // not used for longer than the idle limit
	ReasonExpired        Reason = "expired"          // older than the absolute limit
	ReasonTwoStep        Reason = "two-step"         // two-step sign-in was switched on or off, or reset
	ReasonPasskey        Reason = "passkey-removed"  // a passkey was removed
)

// denySlack is how long a denial is kept after the last token it denies has
// expired: twice the leeway for the expiry of tokens.
const denySlack = 10 * time.Second

// SessionKind is the kind of client that has a session's tokens.
type SessionKind string

// The kinds.
const (
	KindWeb SessionKind = "web" // a browser, in cookies
	KindAPI SessionKind = "api" // a client of the API
)

// ACR is how sure the portal is of who has a session: an authentication context class
// (OpenID Connect Core 1.0 §2). It is stored: never change one.
type ACR string

// The classes, from the weakest to the strongest.
const (
	ACR1          ACR = "urn:latchkey:1" // a password
	ACR2          ACR = "urn:latchkey:2" // a password and a second step, or a device that passed one lately
	PhishingProof ACR = "phr"            // a passkey (OpenID Connect EAP ACR Values 1.0)
)

// Above reports whether a class is stronger than another.
func (a ACR) Above(b ACR) bool { return a.rank() > b.rank() }

func (a ACR) rank() int {
	switch a {
	case PhishingProof:
		return 3
	case ACR2:
		return 2
	}
	return 1
}

// Session is a browser or a client of the API that is, or was, signed in.
type Session struct {
	ID                  string `gorm:"primaryKey"` // the sid claim
	UserID              string
	Kind                SessionKind
	Scope               string // of an API session: the granted scopes, separated by spaces
	ClientID            string // of an API session: the client's name for itself
	Remember            bool   // "Stay signed in"
	Method              string // how it was opened: password, sign-up, setup
	NewDevice           bool   // by password, on a device that the person had not signed in with before
	Generation          int64  // counts rotations; orders refresh tokens
	Delivery            int64  // how often the generation was delivered again
	PreviousDelivery    int64  // the delivery of the generation before that was rotated
	DeliveredAt         Time   // when the current refresh token was issued
	DeliveredTo         string // address and browser that got it
	ConfirmedGeneration int64  // with ConfirmedDelivery: the newest tokens seen in use
	ConfirmedDelivery   int64
	RotationMinute      Time // start of the minute that Rotations counts
	Rotations           int64
	IdleTTL             int64  `gorm:"column:idle_ttl"` // microseconds
	AuthTime            Time   // when the person last proved who they are
	FullAuthTime        Time   // when they last did with every step that the account had; zero: never
	AMR                 string `gorm:"column:amr"` // the methods of the session (RFC 8176), separated by spaces
	ACR                 ACR    `gorm:"column:acr"` // the highest level of the session
	CreatedAt           Time   `gorm:"autoCreateTime:false"`
	LastSeenAt          Time
	ExpiresAt           Time
	EndedAt             Time
	EndReason           Reason
	IP                  string `gorm:"column:ip"`
	UserAgent           string
}

// Idle returns how long the session may be unused.
func (s *Session) Idle() time.Duration { return time.Duration(s.IdleTTL) * time.Microsecond }

// Over returns when and why a session ended that is no longer live: the
// recorded end, or the limit that it reached first.
func (s *Session) Over() (Time, Reason) {
	if !s.EndedAt.IsZero() {
		return s.EndedAt, s.EndReason
	}
	if idle := s.LastSeenAt.Add(s.Idle()); idle < s.ExpiresAt {
		return idle, ReasonIdle
	}
	return s.ExpiresAt, ReasonExpired
}

// sessionOver is the instant of Over.
const sessionOver = `CASE WHEN ended_at > 0 THEN ended_at
	WHEN last_seen_at + idle_ttl < expires_at THEN last_seen_at + idle_ttl ELSE expires_at END`

const liveSession = "ended_at = 0 AND expires_at > @now AND last_seen_at + idle_ttl > @now"

// Sessions is the table of sessions.
type Sessions struct{ store *Store }

// Create inserts a session.
func (t *Sessions) Create(ctx context.Context, session *Session) error {
	return t.store.create(ctx, "create session", session)
}

// ByID returns a session, or apperr.NotFound.
func (t *Sessions) ByID(ctx context.Context, id string) (*Session, error) {
	var session Session
	if err := t.store.db.WithContext(ctx).Where("id = ?", id).Take(&session).Error; err != nil {
		return nil, translate("find session", err)
	}
	return &session, nil
}

// IsLive reports whether a session of a person lives and is not denied.
func (t *Sessions) IsLive(ctx context.Context, id, userID string, now time.Time) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&Session{}).
		Where("id = @sid AND user_id = @user AND "+liveSession+" AND NOT EXISTS (SELECT 1 FROM denylist WHERE token_id = @sid)",
			map[string]any{"sid": id, "user": userID, "now": At(now)}).Count(&n).Error
	return n == 1, translate("look whether a session lives", err)
}

// Confirm records that the tokens of a delivery are in use, and that the
// session was used. A delivery older than the confirmed one changes nothing, and
// neither does the confirmed one when the session was last seen after before:
// of parallel requests one writes.
func (t *Sessions) Confirm(ctx context.Context, id string, generation, delivery int64, now, before time.Time) error {
	_, err := t.store.exec(ctx, "confirm session", `
		UPDATE sessions SET last_seen_at = CASE WHEN last_seen_at < @now THEN @now ELSE last_seen_at END,
			confirmed_generation = @generation, confirmed_delivery = @delivery
		WHERE id = @id AND ended_at = 0 AND ((confirmed_generation, confirmed_delivery) < (@generation, @delivery)
			OR (confirmed_generation, confirmed_delivery) = (@generation, @delivery) AND last_seen_at <= @before)`,
		map[string]any{
			"now": int64(At(now)), "before": int64(At(before)), "generation": generation, "delivery": delivery, "id": id,
		})
	return err
}

// Prove records that the person of a live session proved who they are: methods are
// all methods of the session, acr its highest level, full says that no step of the
// account was left out. It returns apperr.NotFound when the session has ended.
func (t *Sessions) Prove(ctx context.Context, id, methods string, acr ACR, full bool, now time.Time) error {
	rows, err := t.store.exec(ctx, "record a proof", `
		UPDATE sessions SET auth_time = @now, amr = @amr, acr = @acr, full_auth_time = CASE WHEN @full THEN @now ELSE full_auth_time END
		WHERE id = @id AND `+liveSession, map[string]any{"now": int64(At(now)), "amr": methods, "acr": string(acr), "full": full, "id": id})
	return oneRow("record a proof", rows, err)
}

// Seen records that a session was used, unless it was last seen after before:
// of parallel requests one writes.
func (t *Sessions) Seen(ctx context.Context, id string, now, before time.Time) error {
	_, err := t.store.exec(ctx, "record the use of a session", `
		UPDATE sessions SET last_seen_at = @now WHERE id = @id AND ended_at = 0 AND last_seen_at <= @before`,
		map[string]any{"now": int64(At(now)), "before": int64(At(before)), "id": id})
	return err
}

// Live returns a person's live sessions, the most recently used first.
func (t *Sessions) Live(ctx context.Context, userID string, now time.Time) ([]Session, error) {
	var list []Session
	err := t.store.db.WithContext(ctx).
		Where("user_id = @user AND "+liveSession, map[string]any{"user": userID, "now": At(now)}).
		Order("last_seen_at DESC, id").Limit(100).Find(&list).Error
	return list, translate("list live sessions", err)
}

// Ended returns the sessions of a person that ended between since and now, the
// latest first.
func (t *Sessions) Ended(ctx context.Context, userID string, since, now time.Time, limit int) ([]Session, error) {
	var list []Session
	err := t.store.db.WithContext(ctx).
		Where("user_id = ? AND "+sessionOver+" BETWEEN ? AND ?", userID, At(since), At(now)).
		Order(sessionOver + " DESC, id").Limit(limit).Find(&list).Error
	return list, translate("list ended sessions", err)
}

// End ends one live session of a person and denies its tokens. It returns
// apperr.NotFound when the person has no such live session. Call it in a
// transaction.
func (t *Sessions) End(ctx context.Context, id, userID string, reason Reason, now time.Time) error {
	n, err := t.end(ctx, "id = @sid AND user_id = @user", map[string]any{"sid": id, "user": userID}, reason, now)
	if err == nil && n == 0 {
		return fmt.Errorf("end session: %w", apperr.NotFound)
	}
	return err
}

// EndAll ends every session of a person but the one named by except, denies
// their tokens and returns how many of them were live. Call it in a
// transaction.
func (t *Sessions) EndAll(ctx context.Context, userID, except string, reason Reason, now time.Time) (int, error) {
	return t.end(ctx, "user_id = @user AND id <> @except", map[string]any{"user": userID, "except": except}, reason, now)
}

// Trim limits the live sessions of a person of the kind of fresh, which was
// just opened: when there are more than keep, the least recently used one ends.
// It counts each kind separately, so that a script does not sign out a browser.
// Call it in a transaction, after each session that is opened. It ends only one
// session, so a release that lowers the limit needs a migration that ends the
// others.
func (t *Sessions) Trim(ctx context.Context, fresh *Session, keep int, now time.Time) error {
	// LIMIT 1: the search stops there and skips the ended sessions behind it in
	// the index.
	where := `id = (
		SELECT id FROM sessions WHERE user_id = @user AND id <> @fresh AND kind = @kind AND ` + liveSession + `
		ORDER BY last_seen_at DESC LIMIT 1 OFFSET @keep)`
	args := map[string]any{"user": fresh.UserID, "fresh": fresh.ID, "kind": string(fresh.Kind), "keep": keep - 1}
	_, err := t.end(ctx, where, args, ReasonLimit, now)
	return err
}

// end ends the matching sessions that have no recorded end, and puts them on
// the denylist. It returns how many of them were live.
func (t *Sessions) end(ctx context.Context, where string, args map[string]any, reason Reason, now time.Time) (int, error) {
	var ended []struct {
		ID, UserID string
		ExpiresAt  Time
		Live       bool
	}
	args["now"], args["reason"] = int64(At(now)), string(reason)
	err := t.store.write(ctx, func() error {
		return t.store.db.WithContext(ctx).Raw(`
			UPDATE sessions SET ended_at = @now, end_reason = @reason WHERE ended_at = 0 AND `+where+`
			RETURNING id, user_id, expires_at, expires_at > @now AND last_seen_at + idle_ttl > @now AS live`, args).Scan(&ended).Error
	})
	if err != nil || len(ended) == 0 {
		return 0, translate("end sessions", err)
	}
	live := 0
	denials := make([]denial, len(ended))
	for i, session := range ended {
		denials[i] = denial{TokenID: session.ID, UserID: session.UserID, Reason: reason, ExpiresAt: session.ExpiresAt.Add(denySlack)}
		if session.Live {
			live++
		}
	}
	return live, t.store.deny(ctx, denials...)
}

// Purge removes sessions that are no longer needed: all their tokens had
// expired at before, and they are too old to be listed.
func (t *Sessions) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge sessions", `
		DELETE FROM sessions WHERE id IN
			(SELECT id FROM sessions WHERE expires_at < @before AND ended_at < @before LIMIT @limit)`,
		map[string]any{"before": int64(At(before)), "limit": limit})
}

// CountLive returns how many sessions are live. It reads every session without an
// end: do not call it for each request.
func (t *Sessions) CountLive(ctx context.Context, now time.Time) (int64, error) {
	var n int64
	err := t.store.sqlDB.QueryRowContext(ctx, // without GORM, which would log it as slow
		"SELECT count(*) FROM sessions WHERE ended_at = 0 AND expires_at > $1 AND last_seen_at + idle_ttl > $1", int64(At(now))).Scan(&n)
	return n, translate("count live sessions", err)
}
