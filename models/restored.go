package models

import (
	"context"
	"time"
)

// RestoreCounts are the numbers of what EndRestored ended.
type RestoreCounts struct {
	Sessions       int64 // that were live
	PersonalTokens int64
	Links          int64 // for a password, a confirmation, an account that is taken back
	Invitations    int64
	Deliveries     int64 // that waited
	Devices        int64 // that skipped the second step
}

// EndRestored ends everything in a restored database that may have been used or
// removed after the backup: all sessions and personal access tokens, with
// ReasonRestored, the links, the invitations, the memory of devices that skip the
// second step, and the deliveries that wait, with the given answer. Call it in a
// transaction, before the database is used.
func (s *Store) EndRestored(ctx context.Context, answer string, now time.Time) (counts RestoreCounts, err error) {
	args := map[string]any{
		"now": int64(At(now)), "reason": string(ReasonRestored), "slack": denySlack.Microseconds(), "answer": answer,
	}
	err = s.db.WithContext(ctx).Raw("SELECT count(*) FROM sessions WHERE "+liveSession, args).Scan(&counts.Sessions).Error
	if err != nil {
		return counts, translate("count sessions", err)
	}
	for _, step := range []struct {
		what, query string
		rows        *int64
	}{
		{"deny the tokens of sessions", `
			INSERT INTO denylist (token_id, user_id, reason, expires_at)
			SELECT id, user_id, @reason, expires_at + @slack FROM sessions WHERE ended_at = 0 AND expires_at > @now
			ON CONFLICT DO NOTHING`, nil},
		{"end sessions", "UPDATE sessions SET ended_at = @now, end_reason = @reason WHERE ended_at = 0", nil},
		{
			"remove personal tokens", "UPDATE personal_access_tokens SET ended_at = @now, end_reason = @reason WHERE " + workingToken,
			&counts.PersonalTokens,
		},
		{"remove links that do not work", "DELETE FROM one_time_tokens WHERE used_at <> 0 OR replaced_at <> 0 OR expires_at <= @now", nil},
		{"remove links", "DELETE FROM one_time_tokens WHERE expires_at > @now", &counts.Links},
		{"withdraw invitations", "UPDATE invitations SET withdrawn_at = @now WHERE " + openInvitation, &counts.Invitations},
		{"ask for the second step again", "UPDATE known_devices SET trusted_until = 0 WHERE trusted_until > @now", &counts.Devices},
		{"end deliveries", `
			UPDATE deliveries SET state = 'failed', body = '', over_at = @now, answer = @answer, attempts = 0, tried_at = 0, held_until = 0
			WHERE state = 'waiting'`, &counts.Deliveries},
	} {
		rows, err := s.exec(ctx, step.what, step.query, args)
		if err != nil {
			return counts, err
		}
		if step.rows != nil {
			*step.rows = rows
		}
	}
	return counts, nil
}

// Newest returns the instant of the newest line, zero if there is none.
func (t *Audit) Newest(ctx context.Context) (at Time, err error) {
	err = t.store.db.WithContext(ctx).Raw("SELECT COALESCE(MAX(at), 0) FROM audit_events").Scan(&at).Error
	return at, translate("find the newest audit event", err)
}

// slowestCommit is more than the time between the instant of a line and its commit.
const slowestCommit = time.Hour

// Lost returns the lines with some actions, the oldest first, that this audit log has and
// the one of backup does not have.
func (s *Store) Lost(ctx context.Context, backup *Store, actions []string) ([]Event, error) {
	newest, err := backup.Audit.Newest(ctx)
	if err != nil {
		return nil, err
	}
	since := newest.Add(-slowestCommit)
	var kept []string
	err = backup.db.WithContext(ctx).Model(&Event{}).Where("at >= ? AND action IN ?", since, actions).Pluck("id", &kept).Error
	if err != nil {
		return nil, translate("list audit events of the backup", err)
	}
	there := make(map[string]bool, len(kept))
	for _, id := range kept {
		there[id] = true
	}
	var events, lost []Event
	err = s.db.WithContext(ctx).Where("at >= ? AND action IN ?", since, actions).Order("at, id").Find(&events).Error
	for _, e := range events {
		if !there[e.ID] {
			lost = append(lost, e)
		}
	}
	return lost, translate("list audit events since the backup", err)
}
