package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
)

// take counts one attempt at something, and logs it when a limit refuses it.
func (s *Service) take(ctx context.Context, actor auth.Actor, rule limit.Limit, key string) error {
	err := s.limits.Take(ctx, rule, key)
	if limit.Refused(err) {
		s.audit.Note(ctx, actor.Event(audit.Limited, nil, audit.Details{Cause: apperr.Details(err).Error()}))
	}
	return err
}
