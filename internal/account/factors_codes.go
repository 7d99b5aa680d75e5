package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/factor"
	"latchkey/models"
)

// MakeCodes makes new recovery codes for the person, and returns them to be shown
// once. Their old ones stop working. It returns apperr.NotFound when two-step sign-in is
// off, apperr.Busy or apperr.Unauthorized.
func (s *Service) MakeCodes(ctx context.Context, in FactorChange) ([]string, error) {
	shown, codes, err := s.newCodes(ctx, in)
	if err != nil {
		return nil, err
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		factors, err := tx.Users.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		if !factors.App {
			return apperr.New(apperr.NotFound, "", errors.New("no authenticator app"))
		}
		record(in.actor().Event(audit.CodesMade, user, audit.Details{}))
		return tx.RecoveryCodes.Replace(ctx, user.ID, codes, s.now())
	})
	if err != nil {
		return nil, err
	}
	return shown, nil
}

// newCodes returns new recovery codes, as people read them, and their rows.
func (s *Service) newCodes(ctx context.Context, in FactorChange) (shown []string, rows []models.RecoveryCode, err error) {
	codes := factor.NewRecoveryCodes()
	hashes, err := s.hasher.For(in.Client.Caller(true)).HashSet(ctx, codes)
	if err != nil {
		return nil, nil, err
	}
	for i, code := range codes {
		shown = append(shown, factor.ShowRecovery(code))
		rows = append(rows, models.RecoveryCode{
			ID: models.NewID(), UserID: in.Identity.UserID, CodeHash: hashes[i], CreatedAt: models.At(s.now()),
		})
	}
	return shown, rows, nil
}
