package auth

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/limit"
)

// Take counts one attempt at something, and logs it when a limit refuses it.
func (s *Service) Take(ctx context.Context, actor Actor, rule limit.Limit, key string) error {
	err := s.limits.Take(ctx, rule, key)
	if limit.Refused(err) {
		s.audit.Note(ctx, actor.Event(audit.Limited, nil, audit.Details{Cause: apperr.Details(err).Error()}))
	}
	return err
}
