package account

import (
	"context"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// NoStep is the reason why there is nothing to reset.
const NoStep = "This account has no second step and no passkeys."

// ResetTwoStep removes the authenticator app, the recovery codes and the passkeys of
// an account, makes every device ask for a second step again, and ends every session.
// confirm is the account's email address as the admin typed it, or its username if it
// has no address; the shell types nothing. It returns the account and how many
// sessions were live; apperr.Fields, apperr.Conflict when there is nothing to reset,
// apperr.Forbidden or apperr.TooMany. The person is told by mail.
func (s *Service) ResetTwoStep(ctx context.Context, actor auth.Actor, userID, confirm string) (user *models.User, ended int, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		if wrong := checkTyped(confirm, user, "To reset two-step sign-in, type "); actor.UserID != "" && len(wrong) > 0 {
			return wrong
		}
		factors, err := a.tx.Users.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		if !factors.App && factors.Passkeys == 0 {
			return apperr.New(apperr.Conflict, NoStep, nil)
		}
		details, now := audit.Details{Passkeys: factors.Passkeys}, s.now()
		if err := a.tx.Users.RemoveFactors(ctx, user.ID, time.Time{}, models.RemovedByAdmin, now); err != nil {
			return err
		}
		if err := a.tx.Devices.DistrustAll(ctx, user.ID); err != nil {
			return err
		}
		if details.SessionsEnded, err = a.tx.Sessions.EndAll(ctx, user.ID, "", models.ReasonTwoStep, now); err != nil {
			return err
		}
		ended = details.SessionsEnded
		a.record(actor.Event(audit.UserResetStep, user, details))
		return s.limits.ClearAccount(ctx, a.tx, user.ID)
	})
	return user, ended, err
}
