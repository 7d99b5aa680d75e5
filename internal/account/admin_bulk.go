package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
)

// MostAtOnce is how many accounts one bulk action can have.
const MostAtOnce = 100

// Reasons why a bulk action leaves an account out. They follow its name in
// brackets.
const (
	OutOwn      = "your own account"
	OutDisabled = "already disabled"
	OutLast     = "the last active admin"
	OutGone     = "deleted"
)

// BulkResult is what a bulk action did to one account.
type BulkResult struct {
	ID  string
	Out string // why it was left out; empty: the action was done
}

// DisableAll is Disable for up to MostAtOnce accounts. Each account has its own
// transaction and audit event, so one that is left out does not keep the others
// from being disabled. The action is counted once, before the first account.
func (s *Service) DisableAll(ctx context.Context, actor auth.Actor, ids []string, reason string) ([]BulkResult, error) {
	change := UserChange{Reason: reason}
	if wrong := change.check(); len(wrong) > 0 {
		return nil, wrong
	}
	return s.bulk(ctx, actor, ids, func(a act) (out string, err error) {
		switch {
		case a.user.Disabled():
			return OutDisabled, nil
		case a.last:
			return OutLast, nil
		}
		_, err = a.disable(ctx, change.Reason)
		return "", err
	})
}

// SignOutAll is SignOutUser for up to MostAtOnce accounts, in the way of
// DisableAll.
func (s *Service) SignOutAll(ctx context.Context, actor auth.Actor, ids []string) ([]BulkResult, error) {
	return s.bulk(ctx, actor, ids, func(a act) (string, error) {
		_, err := a.signOut(ctx)
		return "", err
	})
}

// bulk runs an action on one account after the other. It stops at a failure that
// is not about one account: the accounts before it have had the action.
func (s *Service) bulk(ctx context.Context, actor auth.Actor, ids []string, do func(a act) (out string, err error)) ([]BulkResult, error) {
	if len(ids) > MostAtOnce {
		return nil, apperr.New(apperr.Invalid, "", nil)
	}
	if err := s.count(ctx, actor, limit.BulkActs); err != nil {
		return nil, err
	}
	results := make([]BulkResult, len(ids))
	for i, id := range ids {
		results[i].ID = id
		if id == actor.UserID {
			results[i].Out = OutOwn
			continue
		}
		err := s.actCounted(ctx, actor, id, func(a act) (err error) {
			results[i].Out, err = do(a)
			return err
		})
		switch {
		case errors.Is(err, apperr.NotFound):
			results[i].Out = OutGone
		case err != nil:
			return nil, err
		}
	}
	return results, nil
}
