package seed

import (
	"context"
	"database/sql"
	"fmt"
)

// activity fills the other large tables from the users, alike on both engines: for
// each user two sessions, one known device, one personal access token and five lines
// of the audit log.
var activity = []string{
	`INSERT INTO sessions (id, user_id, kind, remember, method, generation, confirmed_generation, delivered_at, idle_ttl, created_at,
		last_seen_at, expires_at, ip, user_agent, auth_time, full_auth_time)
	SELECT n.n || substr(u.id, 2), u.id, 'web', n.n = 'a', 'password', 3, 2, u.created_at, 1209600000000, u.created_at,
		u.created_at, u.created_at + 7776000000000, '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
		u.created_at, u.created_at
	FROM users u CROSS JOIN (SELECT 'a' AS n UNION ALL SELECT 'b') n`,
	`INSERT INTO known_devices (device_hash, user_id, created_at, last_used_at, user_agent)
	SELECT 'd' || id, id, created_at, created_at, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' FROM users`,
	`INSERT INTO personal_access_tokens (id, user_id, name, token_hash, hint, scope, created_at, expires_at)
	SELECT 't' || substr(id, 2), id, 'for a script', 'hash-' || id, 'abcd', 'me', created_at, created_at + 7776000000000 FROM users`,
	`INSERT INTO audit_events (id, at, action, actor_id, actor_name, subject_id, subject_name, ip, user_agent, session_id, request_id, details)
	SELECT n.n || substr(u.id, 2), u.created_at, 'login', u.id, u.username, u.id, u.username, '192.0.2.7',
		'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'a' || substr(u.id, 2), n.n || u.id, '{"method":"password"}'
	FROM users u CROSS JOIN (SELECT 'a' AS n UNION ALL SELECT 'b' UNION ALL SELECT 'c' UNION ALL SELECT 'd' UNION ALL SELECT 'e') n`,
}

// Activity inserts what the users of Users did: ten rows for each user, in the tables
// of sessions, devices, personal access tokens and the audit log.
func Activity(ctx context.Context, db *sql.DB) error {
	for _, statement := range activity {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("seed activity: %w", err)
		}
	}
	return nil
}
