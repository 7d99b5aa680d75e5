package models

import (
	"context"
	"time"
)

// forgetBatch is how many lines of the audit log are rewritten at a time.
const forgetBatch = 500

// Forget gives a person another name in every line of the audit log, as actor and
// as subject. The details of the lines about the person become what scrub makes of
// them. Call it in a transaction.
func (t *Audit) Forget(ctx context.Context, userID, name string, scrub func(Event) string) error {
	if _, err := t.store.exec(ctx, "rename an actor", "UPDATE audit_events SET actor_name = ? WHERE actor_id = ?", name, userID); err != nil {
		return err
	}
	// The text of an old event is free: it can name the person.
	if _, err := t.store.exec(ctx, "rename a subject", "UPDATE audit_events SET subject_name = ?, detail = '' WHERE subject_id = ?", name, userID); err != nil {
		return err
	}
	for after := ""; ; {
		var events []Event
		err := t.store.db.WithContext(ctx).Where("subject_id = ? AND details <> '' AND id > ?", userID, after).Order("id").Limit(forgetBatch).Find(&events).Error
		if err != nil {
			return translate("read events to scrub", err)
		}
		for _, e := range events {
			after = e.ID
			details := scrub(e)
			if details == e.Details {
				continue
			}
			if _, err := t.store.exec(ctx, "scrub an event", "UPDATE audit_events SET details = ? WHERE id = ?", details, e.ID); err != nil {
				return err
			}
		}
		if len(events) < forgetBatch {
			return nil
		}
	}
}

// ForgetOf removes the deliveries about a person, and those to their address that
// were created until the given instant. Those that wait are removed too.
func (t *Deliveries) ForgetOf(ctx context.Context, userID, email string, until time.Time) error {
	_, err := t.store.exec(ctx, "remove deliveries of a person",
		"DELETE FROM deliveries WHERE user_id = @user OR recipient <> '' AND lower(recipient) = lower(@email) AND created_at <= @until",
		map[string]any{"user": userID, "email": email, "until": int64(At(until))})
	return err
}

// ForgetOwner leaves the usernames that an account had retired without saying
// whose they were, so that they do not lead to its lines in the audit log.
func (u *Users) ForgetOwner(ctx context.Context, userID string) error {
	_, err := u.store.exec(ctx, "forget whose a username was", "UPDATE retired_usernames SET user_id = '' WHERE user_id = ?", userID)
	return err
}
