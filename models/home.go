package models

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"
)

// Home is what the account page shows beside the person: how many sessions
// live, and the latest events about them.
type Home struct {
	PasswordChangedAt Time
	Sessions          int
	Events            []Event // the newest first; without names, address, session and request
}

// homeQuery is identifyQuery with what the account page shows: a row for each
// event, or one without an action. The page is where people arrive, and a
// second query would cost it another way to the database and back.
const homeQuery = "SELECT " + identifyColumns + `, u.password_changed_at, (SELECT COUNT(*) FROM sessions l
			WHERE l.user_id = $4 AND l.ended_at = 0 AND l.expires_at > $3 AND l.last_seen_at + l.idle_ttl > $3),
		COALESCE(e.id, ''), COALESCE(e.at, 0), COALESCE(e.action, ''), COALESCE(e.actor_id, ''),
		COALESCE(e.detail, ''), COALESCE(e.user_agent, '')` + identifyFrom + `
	LEFT JOIN (SELECT id, at, action, actor_id, detail, user_agent FROM audit_events
		WHERE subject_id = $4 ORDER BY at DESC, id DESC LIMIT 5) AS e ON 1 = 1` + identifyWhere

// IdentifyHome is Identify for the account page of a person, which it reads in
// the same query. The page is theirs only when the session is.
func (t *Sessions) IdentifyHome(ctx context.Context, sid, jti, userID string, now time.Time) (*Presence, *Home, error) {
	const what = "read account page"
	rows, err := t.store.hot.QueryContext(ctx, homeQuery, sid, jti, int64(At(now)), userID)
	if err != nil {
		return nil, nil, translate(what, err)
	}
	defer func() { _ = rows.Close() }()
	p := Presence{Session: Session{ID: sid}}
	var home Home
	var e Event
	into := append(p.columns(), &home.PasswordChangedAt, &home.Sessions, &e.ID, &e.At, &e.Action, &e.ActorID, &e.Detail, &e.UserAgent)
	found := false
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, nil, translate(what, err)
		}
		found, e.SubjectID = true, userID
		if e.Action != "" {
			home.Events = append(home.Events, e)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, translate(what, err)
	}
	if !found {
		return nil, nil, translate(what, sql.ErrNoRows)
	}
	slices.SortFunc(home.Events, func(a, b Event) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	return &p, &home, nil
}
