package models

import (
	"context"
	"database/sql"
	"time"
)

// Rotation asks for a session's next generation.
type Rotation struct {
	SessionID  string
	UserID     string // who the token says it is of
	TokenID    string // the refresh token's jti
	Generation int64  // the refresh token's
	Delivery   int64  // the refresh token's
	To         string // address and browser that get the new tokens
	Now        time.Time
	PerMinute  int // how many rotations a minute allows; 0: any
}

// rotateQuery has its placeholders in the order of their numbers. The casts
// tell PostgreSQL a type that it would guess too small.
const rotateQuery = `
	UPDATE sessions SET
		generation = generation + 1, delivery = 0, previous_delivery = delivery,
		delivered_at = $1, delivered_to = $8, last_seen_at = $1,
		rotations = CASE WHEN rotation_minute > CAST($1 AS BIGINT) - 60000000 THEN rotations + 1 ELSE 1 END,
		rotation_minute = CASE WHEN rotation_minute > CAST($1 AS BIGINT) - 60000000 THEN rotation_minute ELSE $1 END
	WHERE id = $2 AND user_id = $3 AND generation = $4 AND delivery = $7
		AND ended_at = 0 AND expires_at > $1 AND last_seen_at + idle_ttl > $1
		AND (CAST($5 AS BIGINT) = 0 OR rotations < $5 OR rotation_minute <= CAST($1 AS BIGINT) - 60000000)
		AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at = 0)
		AND NOT EXISTS (SELECT 1 FROM denylist WHERE token_id IN ($2, $6))
	RETURNING remember, idle_ttl, expires_at, auth_time, acr,
		(SELECT username FROM users WHERE users.id = sessions.user_id),
		(SELECT email FROM users WHERE users.id = sessions.user_id),
		(SELECT email_verified_at FROM users WHERE users.id = sessions.user_id),
		(SELECT full_name FROM users WHERE users.id = sessions.user_id),
		(SELECT role FROM users WHERE users.id = sessions.user_id)`

// Rotate moves a live session of an active person from the given delivery of a
// generation to the next generation in one conditional statement, and returns
// it with its new generation. Of many parallel callers one wins; on PostgreSQL the condition
// is evaluated again after the row lock is had, so that neither a logout nor a
// disable can be missed. The others get apperr.NotFound: Examine tells why.
// It is a transaction of its own: do not call it in one.
func (t *Sessions) Rotate(ctx context.Context, r Rotation) (p *Presence, err error) {
	if t.store.rotations != nil {
		p, err = t.store.rotations.rotate(ctx, r)
	} else {
		p, err = r.read(t.store.hot.QueryContext(ctx, rotateQuery, r.args()...))
		t.store.refusals.note(err)
	}
	return p, translate("rotate session", err)
}

// args are the arguments of rotateQuery.
func (r *Rotation) args() []any {
	return []any{int64(At(r.Now)), r.SessionID, r.UserID, r.Generation, r.PerMinute, r.TokenID, r.Delivery, r.To}
}

// read reads the answer to rotateQuery.
func (r *Rotation) read(rows *sql.Rows, err error) (*Presence, error) {
	now := At(r.Now)
	p := Presence{Session: Session{
		ID: r.SessionID, UserID: r.UserID, Generation: r.Generation + 1, PreviousDelivery: r.Delivery,
		DeliveredAt: now, DeliveredTo: r.To, LastSeenAt: now,
	}}
	s := &p.Session
	err = scanOne(rows, err, &s.Remember, &s.IdleTTL, &s.ExpiresAt, &s.AuthTime, &s.ACR, &p.Username, &p.Email, &p.EmailVerifiedAt, &p.FullName, &p.Role)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Redeliver begins another delivery of a session's current generation. session
// is what Examine returned; it gets the new values. When the row has changed
// since, or the session has ended, Redeliver changes nothing and returns false:
// read the row again.
func (t *Sessions) Redeliver(ctx context.Context, session *Session, to string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "deliver session anew", `
		UPDATE sessions SET delivery = delivery + 1, delivered_at = @now, delivered_to = @to, last_seen_at = @now
		WHERE id = @id AND generation = @generation AND delivery = @delivery AND delivered_at = @delivered AND last_seen_at = @seen
			AND confirmed_generation = @confirmedGeneration AND confirmed_delivery = @confirmedDelivery AND `+liveSession+`
			AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at = 0)
			AND NOT EXISTS (SELECT 1 FROM denylist WHERE token_id = @id)`,
		map[string]any{
			"now": int64(At(now)), "to": to, "id": session.ID, "generation": session.Generation, "delivery": session.Delivery,
			"delivered": int64(session.DeliveredAt), "seen": int64(session.LastSeenAt),
			"confirmedGeneration": session.ConfirmedGeneration, "confirmedDelivery": session.ConfirmedDelivery,
		})
	if err != nil || rows == 0 {
		return false, err
	}
	session.Delivery++
	session.DeliveredAt, session.DeliveredTo, session.LastSeenAt = At(now), to, At(now)
	return true, nil
}
