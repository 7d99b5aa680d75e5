package models

import (
	"context"
	"time"
)

// Presence is what the database says, in one query, of a token's session and
// of the person it belongs to.
type Presence struct {
	Session           Session // of Identify: what tells whether it lives; of Examine also what Rotate changes
	Username          string
	Email             string
	FullName          string
	Role              Role
	PasswordChangedAt Time
	DisabledAt        Time
	Denied            bool // the session or the token stands on the denylist
}

// identifyQuery is the one query of every signed-in request. Each column costs
// time: those that only a refresh needs are left to examineQuery.
const (
	identifyColumns = `s.user_id, s.generation, s.confirmed_generation, s.idle_ttl, s.last_seen_at, s.expires_at,
		s.ended_at, s.end_reason, u.username, u.email, u.full_name, u.role, u.password_changed_at, u.disabled_at,
		EXISTS (SELECT 1 FROM denylist d WHERE d.token_id IN ($1, $2))`
	identifyFrom  = ` FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`
	identifyQuery = "SELECT " + identifyColumns + identifyFrom
	examineQuery  = "SELECT " + identifyColumns + ", s.remember, s.rotated_at, s.rotation_minute, s.rotations" + identifyFrom
)

// columns are where identifyColumns go.
func (p *Presence) columns() []any {
	s := &p.Session
	return []any{
		&s.UserID, &s.Generation, &s.ConfirmedGeneration, &s.IdleTTL, &s.LastSeenAt, &s.ExpiresAt,
		&s.EndedAt, &s.EndReason, &p.Username, &p.Email, &p.FullName, &p.Role, &p.PasswordChangedAt, &p.DisabledAt,
		&p.Denied,
	}
}

// Identify answers who a token belongs to: sid is its session, jti its own id.
// It returns apperr.NotFound when there is no such session.
func (t *Sessions) Identify(ctx context.Context, sid, jti string) (*Presence, error) {
	p := Presence{Session: Session{ID: sid}}
	if err := t.store.statements.identify.row(ctx, []any{sid, jti}, p.columns()...); err != nil {
		return nil, translate("identify session", err)
	}
	return &p, nil
}

// Examine is Identify for a refresh token that did not rotate its session: it
// answers why.
func (t *Sessions) Examine(ctx context.Context, sid, jti string) (*Presence, error) {
	p := Presence{Session: Session{ID: sid}}
	s := &p.Session
	into := append(p.columns(), &s.Remember, &s.RotatedAt, &s.RotationMinute, &s.Rotations)
	if err := t.store.statements.examine.row(ctx, []any{sid, jti}, into...); err != nil {
		return nil, translate("examine session", err)
	}
	return &p, nil
}

// PauseUntil returns when a session that used up its rotations of the minute
// may rotate again.
func (s *Session) PauseUntil() time.Time { return s.RotationMinute.Add(time.Minute).Time() }
