package models

import "context"

// Factors says which factors an account has besides its password.
type Factors struct {
	App      bool
	Passkeys int
}

// Factors returns the factors of an account.
func (u *Users) Factors(ctx context.Context, userID string) (f Factors, err error) {
	rows, err := u.store.hot.QueryContext(ctx, `SELECT
		EXISTS (SELECT 1 FROM authenticator_apps WHERE user_id = $1 AND removed_at = 0),
		(SELECT count(*) FROM passkeys WHERE user_id = $1 AND removed_at = 0)`, userID)
	return f, translate("read the factors of an account", scanOne(rows, err, &f.App, &f.Passkeys))
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
