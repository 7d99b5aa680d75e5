package account

import (
	"context"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// CountExport counts a download of a person's data against its limit and records
// it. It returns apperr.TooMany.
func (s *Service) CountExport(ctx context.Context, person *auth.Identity, client auth.Client) error {
	actor := person.Actor(client)
	if err := s.auth.Take(ctx, actor, limit.Exports, person.UserID); err != nil {
		return err
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		record(actor.Event(audit.DataExport, user, audit.Details{}))
		return nil
	})
}
