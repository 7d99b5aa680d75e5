package models

import (
	"context"
	"errors"
	"time"
)

// keepRenamed is how long the former username of a renamed account is kept from
// others. The username of a deleted account is never given out again: apps may
// know its owner by it.
const keepRenamed = 90 * 24 * time.Hour

// ErrRetired is the cause of apperr.Conflict for a username that an account had
// before.
var ErrRetired = errors.New("the username is retired")

// Retired reports whether a username, in its compared form, belonged to another
// account and is not given out.
func (u *Users) Retired(ctx context.Context, username, userID string, now time.Time) (bool, error) {
	var n int64
	err := u.store.db.WithContext(ctx).Raw("SELECT count(*) FROM retired_usernames WHERE username = ? AND user_id <> ? AND (until = 0 OR until > ?)",
		username, userID, At(now)).Scan(&n).Error
	return n > 0, translate("look for a retired username", err)
}

// retire keeps the username of an account from others, unless it is still.
func (u *Users) retire(ctx context.Context, id, still string, until Time) error {
	_, err := u.store.exec(ctx, "retire username", `
		INSERT INTO retired_usernames (username, user_id, until) SELECT username, id, ? FROM users WHERE id = ? AND username <> ?
		ON CONFLICT (username) DO UPDATE SET user_id = excluded.user_id, until = excluded.until`, until, id, still)
	return err
}

// notRetired returns ErrRetired when the new username of user belonged to
// another account. It reads after the username is written, so that a parallel
// transaction that frees the username has committed by then. A former username
// of the same user is no longer retired.
func (u *Users) notRetired(ctx context.Context, user *User, now Time) error {
	retired, err := u.Retired(ctx, user.Username, user.ID, now.Time())
	if err != nil {
		return err
	}
	if retired {
		return retiredUsername("name user")
	}
	held, err := u.store.Phantoms.Holds(ctx, user.Username, user.ID, now.Time())
	if err != nil {
		return err
	}
	if held {
		return usernameTaken("name user")
	}
	if _, err = u.store.exec(ctx, "take username back", "DELETE FROM retired_usernames WHERE username = ?", user.Username); err != nil {
		return err
	}
	_, err = u.store.exec(ctx, "take username from a phantom", "DELETE FROM phantoms WHERE username = ?", user.Username)
	return err
}

// PurgeRetired removes at most limit usernames whose time is over.
func (u *Users) PurgeRetired(ctx context.Context, now time.Time, limit int) (int64, error) {
	return u.store.exec(ctx, "purge retired usernames", "DELETE FROM retired_usernames WHERE username IN "+
		"(SELECT username FROM retired_usernames WHERE until <> 0 AND until <= ? LIMIT ?)", At(now), limit)
}
