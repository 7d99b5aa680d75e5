package models

import (
	"context"
	"time"
)

// Presence is the session of a token and its person, read in one query.
type Presence struct {
	Session         Session // Identify sets the fields of its columns, Examine those of a refresh too
	Over            Reason  // why the session is over; "" while it is live
	Username        string
	Email           string
	EmailVerifiedAt Time // zero: not verified
	FullName        string
	Role            Role
}

// identifyQuery is the one query of every signed-in request. Each column costs
// time, so the query computes the reason why a session is over, and
// examineQuery has the columns that only a refresh needs. Sessions that ended
// because the account was disabled stay ended: once it is enabled again, their
// reason is that an admin ended them.
const (
	identifyColumns = `s.user_id, s.generation, s.delivery, s.confirmed_generation, s.confirmed_delivery,
		s.last_seen_at, s.auth_time, s.acr, u.username, u.email, u.email_verified_at, u.full_name, u.role,
		CASE
			WHEN s.ended_at <> 0 THEN
				CASE WHEN s.end_reason = '` + string(ReasonDisabled) + `' AND u.disabled_at = 0 THEN '` + string(ReasonAdmin) + `' ELSE s.end_reason END
			WHEN s.expires_at <= $3 THEN '` + string(ReasonExpired) + `'
			WHEN s.last_seen_at + s.idle_ttl <= $3 THEN '` + string(ReasonIdle) + `'
			WHEN u.disabled_at <> 0 THEN '` + string(ReasonDisabled) + `'
			WHEN EXISTS (SELECT 1 FROM denylist d WHERE d.token_id IN ($1, $2)) THEN '` + string(ReasonLogout) + `'
			ELSE ''
		END`
	identifyFrom  = ` FROM sessions s JOIN users u ON u.id = s.user_id`
	identifyWhere = ` WHERE s.id = $1`
	identifyQuery = "SELECT " + identifyColumns + identifyFrom + identifyWhere
	examineQuery  = "SELECT " + identifyColumns + `, s.remember, s.idle_ttl, s.expires_at, s.previous_delivery, s.delivered_at, s.delivered_to,
		s.rotation_minute, s.rotations` +
		identifyFrom + identifyWhere
)

// columns returns the destinations of identifyColumns.
func (p *Presence) columns() []any {
	s := &p.Session
	return []any{
		&s.UserID, &s.Generation, &s.Delivery, &s.ConfirmedGeneration, &s.ConfirmedDelivery,
		&s.LastSeenAt, &s.AuthTime, &s.ACR, &p.Username, &p.Email, &p.EmailVerifiedAt, &p.FullName, &p.Role, &p.Over,
	}
}

// Identify returns the session and the person of a token: sid is the id of its
// session, jti its own id. It returns apperr.NotFound when there is no such
// session.
func (t *Sessions) Identify(ctx context.Context, sid, jti string, now time.Time) (*Presence, error) {
	p := Presence{Session: Session{ID: sid}}
	rows, err := t.store.hot.QueryContext(ctx, identifyQuery, sid, jti, int64(At(now)))
	if err := scanOne(rows, err, p.columns()...); err != nil {
		return nil, translate("identify session", err)
	}
	return &p, nil
}

// Examine is Identify for a refresh token that did not rotate its session. It
// also reads the columns that tell why.
func (t *Sessions) Examine(ctx context.Context, sid, jti string, now time.Time) (*Presence, error) {
	p := Presence{Session: Session{ID: sid}}
	s := &p.Session
	into := append(p.columns(), &s.Remember, &s.IdleTTL, &s.ExpiresAt, &s.PreviousDelivery, &s.DeliveredAt, &s.DeliveredTo,
		&s.RotationMinute, &s.Rotations)
	rows, err := t.store.hot.QueryContext(ctx, examineQuery, sid, jti, int64(At(now)))
	if err := scanOne(rows, err, into...); err != nil {
		return nil, translate("examine session", err)
	}
	return &p, nil
}

// PauseUntil returns when a session that used up its rotations of the minute
// may rotate again.
func (s *Session) PauseUntil() time.Time { return s.RotationMinute.Add(time.Minute).Time() }
