package models

import (
	"context"
	"time"
)

// Factors says which factors an account has besides its password.
type Factors struct {
	App      bool
	Passkeys int
}

// Factors returns the factors of an account.
func (u *Users) Factors(ctx context.Context, userID string) (f Factors, err error) {
	err = u.store.db.WithContext(ctx).Raw(`SELECT
		EXISTS (SELECT 1 FROM authenticator_apps WHERE user_id = @user AND removed_at = 0) AS app,
		(SELECT count(*) FROM passkeys WHERE user_id = @user AND removed_at = 0) AS passkeys`, map[string]any{"user": userID}).Scan(&f).Error
	return f, translate("read the factors of an account", err)
}

// RemoveFactors takes every factor of an account out of use that was added at or after
// an instant, the zero time for all of them, in a transaction. What was removed since
// does not come back.
func (u *Users) RemoveFactors(ctx context.Context, userID string, since time.Time, by Removal, now time.Time) error {
	for _, statement := range []string{
		"UPDATE authenticator_apps SET secret = '', removed_at = @now, removed_by = @by WHERE user_id = @user AND removed_at = 0 AND created_at >= @since",
		"UPDATE recovery_codes SET code_hash = '', removed_at = @now WHERE user_id = @user AND removed_at = 0 AND created_at >= @since",
		"UPDATE passkeys SET public_key = '', removed_at = @now, removed_by = @by WHERE user_id = @user AND removed_at = 0 AND created_at >= @since",
	} {
		_, err := u.store.exec(ctx, "remove factors", statement,
			map[string]any{"now": int64(At(now)), "by": string(by), "user": userID, "since": int64(At(since))})
		if err != nil {
			return err
		}
	}
	return nil
}

// ForgetFactors removes every factor of an account that is erased, and its record.
func (u *Users) ForgetFactors(ctx context.Context, userID string) error {
	for _, table := range []string{"authenticator_apps", "recovery_codes", "passkeys"} {
		if _, err := u.store.exec(ctx, "forget factors", "DELETE FROM "+table+" WHERE user_id = ?", userID); err != nil {
			return err
		}
	}
	return nil
}
