package models

import (
	"context"
	"time"
)

// Home is what the account page shows beside the person: how many sessions
// live, and the latest events about them.
type Home struct {
	PasswordChangedAt Time
	Sessions          int
	Events            []Event // without ID, names, address, session and request
}

// homeQuery answers with at least one row for a person who is there; an action
// is empty when there is no event.
const homeQuery = `
	SELECT u.password_changed_at, (SELECT COUNT(*) FROM sessions
			WHERE user_id = $1 AND ended_at = 0 AND expires_at > $2 AND last_seen_at + idle_ttl > $2),
		COALESCE(e.at, 0), COALESCE(e.action, ''), COALESCE(e.actor_id, ''),
		COALESCE(e.detail, ''), COALESCE(e.user_agent, '')
	FROM (SELECT password_changed_at FROM users WHERE id = $1) AS u
	LEFT JOIN (SELECT * FROM audit_events WHERE subject_id = $1 ORDER BY at DESC, id DESC LIMIT 5) AS e ON 1 = 1
	ORDER BY e.at DESC, e.id DESC`

// Home reads the account page of a person in one query.
func (t *Users) Home(ctx context.Context, userID string, now time.Time) (*Home, error) {
	rows, err := t.store.statements.home.run(ctx, nil, userID, int64(At(now)))
	if err != nil {
		return nil, translate("read account page", err)
	}
	defer func() { _ = rows.Close() }()
	var home Home
	for rows.Next() {
		e := Event{SubjectID: userID}
		if err := rows.Scan(&home.PasswordChangedAt, &home.Sessions, &e.At, &e.Action, &e.ActorID, &e.Detail, &e.UserAgent); err != nil {
			return nil, translate("read account page", err)
		}
		if e.Action != "" {
			home.Events = append(home.Events, e)
		}
	}
	return &home, translate("read account page", rows.Err())
}
