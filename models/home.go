package models

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"
)

// Home has the data of the account page besides the identity of the person.
type Home struct {
	PasswordChangedAt Time
	Sessions          int // live ones
	Tokens            int // personal access tokens that work
	Factors           Factors
	CodesLeft         int     // recovery codes that were not used
	QuietUntil        Time    // no suggestion is made before that
	Events            []Event // about the person, newest first; without names, session and request
}

// homeQuery returns a row for each event, or one row without an action.
const homeQuery = `
	SELECT u.password_changed_at, (SELECT COUNT(*) FROM sessions s
			WHERE s.user_id = u.id AND s.ended_at = 0 AND s.expires_at > $2 AND s.last_seen_at + s.idle_ttl > $2),
		(SELECT COUNT(*) FROM personal_access_tokens p WHERE p.user_id = u.id AND p.ended_at = 0 AND p.expires_at > $2),
		EXISTS (SELECT 1 FROM authenticator_apps a WHERE a.user_id = u.id AND a.removed_at = 0),
		(SELECT COUNT(*) FROM passkeys k WHERE k.user_id = u.id AND k.removed_at = 0),
		(SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.removed_at = 0 AND r.used_at = 0), u.quiet_until,
		COALESCE(e.id, ''), COALESCE(e.at, 0), COALESCE(e.action, ''), COALESCE(e.actor_id, ''),
		COALESCE(e.detail, ''), COALESCE(e.details, ''), COALESCE(e.ip, ''), COALESCE(e.user_agent, '')
	FROM users u
	LEFT JOIN (SELECT id, at, action, actor_id, detail, details, ip, user_agent FROM audit_events
		WHERE subject_id = $1 ORDER BY at DESC, id DESC LIMIT 5) AS e ON 1 = 1
	WHERE u.id = $1`

// Home reads the account page of a person in one query. It returns
// apperr.NotFound when there is no such account.
func (u *Users) Home(ctx context.Context, userID string, now time.Time) (*Home, error) {
	const what = "read account page"
	rows, err := u.store.hot.QueryContext(ctx, homeQuery, userID, int64(At(now)))
	if err != nil {
		return nil, translate(what, err)
	}
	defer func() { _ = rows.Close() }()
	var home Home
	found := false
	for rows.Next() {
		e := Event{SubjectID: userID}
		err := rows.Scan(&home.PasswordChangedAt, &home.Sessions, &home.Tokens,
			&home.Factors.App, &home.Factors.Passkeys, &home.CodesLeft, &home.QuietUntil, &e.ID, &e.At, &e.Action, &e.ActorID, &e.Detail, &e.Details, &e.IP, &e.UserAgent)
		if err != nil {
			return nil, translate(what, err)
		}
		found = true
		if e.Action != "" {
			home.Events = append(home.Events, e)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, translate(what, err)
	}
	if !found {
		return nil, translate(what, sql.ErrNoRows)
	}
	slices.SortFunc(home.Events, func(a, b Event) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	return &home, nil
}
