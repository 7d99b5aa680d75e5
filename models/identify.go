package models

import (
	"context"
	"time"
)

// Presence is what the database says, in one query, of a token's session and
// of the person it belongs to.
type Presence struct {
	Session           Session // all but Method, IP and UserAgent
	Username          string
	Email             string
	FullName          string
	Role              Role
	PasswordChangedAt Time
	DisabledAt        Time
	Denied            bool // the session or the token stands on the denylist
}

// identifyQuery is the one query of every signed-in request.
const identifyQuery = `
	SELECT s.user_id, s.remember, s.generation, s.confirmed_generation, s.rotated_at, s.rotation_minute, s.rotations,
		s.idle_ttl, s.created_at, s.last_seen_at, s.expires_at, s.ended_at, s.end_reason,
		u.username, u.email, u.full_name, u.role, u.password_changed_at, u.disabled_at,
		EXISTS (SELECT 1 FROM denylist d WHERE d.token_id IN ($1, $2))
	FROM sessions s JOIN users u ON u.id = s.user_id
	WHERE s.id = $1`

// Identify answers who a token belongs to: sid is its session, jti its own id.
// It returns apperr.NotFound when there is no such session.
func (t *Sessions) Identify(ctx context.Context, sid, jti string) (*Presence, error) {
	p := Presence{Session: Session{ID: sid}}
	s := &p.Session
	err := t.store.statements.identify.row(ctx, []any{sid, jti},
		&s.UserID, &s.Remember, &s.Generation, &s.ConfirmedGeneration, &s.RotatedAt, &s.RotationMinute, &s.Rotations,
		&s.IdleTTL, &s.CreatedAt, &s.LastSeenAt, &s.ExpiresAt, &s.EndedAt, &s.EndReason,
		&p.Username, &p.Email, &p.FullName, &p.Role, &p.PasswordChangedAt, &p.DisabledAt, &p.Denied)
	if err != nil {
		return nil, translate("identify session", err)
	}
	return &p, nil
}

// PauseUntil returns when a session that used up its rotations of the minute
// may rotate again.
func (s *Session) PauseUntil() time.Time { return s.RotationMinute.Add(time.Minute).Time() }

// Home is what the account page shows beside the person: how many sessions
// live, and the latest events about them.
type Home struct {
	Sessions int
	Events   []Event // At, Action, ActorID, SubjectID, Detail and UserAgent alone
}

// homeQuery answers with at least one row; an action is empty when there is no
// event.
const homeQuery = `
	SELECT (SELECT COUNT(*) FROM sessions
			WHERE user_id = $1 AND ended_at = 0 AND expires_at > $2 AND last_seen_at + idle_ttl > $2),
		COALESCE(e.at, 0), COALESCE(e.action, ''), COALESCE(e.actor_id, ''), COALESCE(e.subject_id, ''),
		COALESCE(e.detail, ''), COALESCE(e.user_agent, '')
	FROM (SELECT 1 AS one) AS always
	LEFT JOIN (SELECT * FROM audit_events WHERE subject_id = $1 ORDER BY at DESC, id DESC LIMIT 5) AS e ON 1 = 1
	ORDER BY e.at DESC, e.id DESC`

// Home reads the account page of a person in one query.
func (t *Users) Home(ctx context.Context, userID string, now time.Time) (*Home, error) {
	rows, err := t.store.statements.home.run(ctx, userID, int64(At(now)))
	if err != nil {
		return nil, translate("read account page", err)
	}
	defer func() { _ = rows.Close() }()
	var home Home
	for rows.Next() {
		var e Event
		if err := rows.Scan(&home.Sessions, &e.At, &e.Action, &e.ActorID, &e.SubjectID, &e.Detail, &e.UserAgent); err != nil {
			return nil, translate("read account page", err)
		}
		if e.Action != "" {
			home.Events = append(home.Events, e)
		}
	}
	return &home, translate("read account page", rows.Err())
}
