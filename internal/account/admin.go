package account

import (
	"context"
	"errors"
	"slices"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Reasons why an admin's action is refused or not offered.
const (
	NotYourself = "You cannot do this to your own account."
	EnableFirst = "This account is disabled. Enable it first."
	lastAdmin   = "This is the last active admin. Make someone else an admin first."
	// LastAdminYou is lastAdmin for the admin.
	LastAdminYou = "You are the last active admin. Make someone else an admin first."
)

// guarded runs an admin's action in a transaction that has locked the active
// admins. The actor is one of them and still signed in.
func (s *Service) guarded(ctx context.Context, actor auth.Actor,
	f func(tx *models.Store, admins []string, record func(models.Event)) error,
) error {
	if err := s.count(ctx, actor, limit.AdminActs); err != nil {
		return err
	}
	return s.asAdmin(ctx, actor, f)
}

// count counts an action against a limit of admins. The shell has none.
func (s *Service) count(ctx context.Context, actor auth.Actor, rule limit.Limit) error {
	if actor.UserID == "" {
		return nil
	}
	return s.auth.Take(ctx, actor, rule, actor.UserID)
}

// asAdmin is guarded for an action that is counted already.
func (s *Service) asAdmin(ctx context.Context, actor auth.Actor,
	f func(tx *models.Store, admins []string, record func(models.Event)) error,
) error {
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		admins, err := tx.Users.LockActiveAdmins(ctx)
		if err != nil {
			return err
		}
		if actor.UserID != "" {
			if !slices.Contains(admins, actor.UserID) {
				return errNotAdmin()
			}
			if err := s.auth.StillSignedIn(ctx, tx, actor); err != nil {
				return err
			}
		}
		return f(tx, admins, record)
	})
}

// actOn runs an admin's action on one account, which must not be the actor's
// own.
func (s *Service) actOn(ctx context.Context, actor auth.Actor, userID string, f func(a act) error) error {
	if err := s.count(ctx, actor, limit.AdminActs); err != nil {
		return err
	}
	return s.actCounted(ctx, actor, userID, f)
}

// actCounted is actOn for an action that is counted already.
func (s *Service) actCounted(ctx context.Context, actor auth.Actor, userID string, f func(a act) error) error {
	return s.asAdmin(ctx, actor, func(tx *models.Store, admins []string, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, userID)
		if err != nil {
			return err
		}
		if user.ID == actor.UserID {
			return apperr.New(apperr.Conflict, NotYourself, nil)
		}
		return f(act{s: s, tx: tx, actor: actor, user: user, last: len(admins) == 1 && admins[0] == user.ID, record: record})
	})
}

// Disable disables an account, ends its sessions and removes its personal
// access tokens. It returns the account as it was before and how many sessions
// were live. Only admins see the reason. An account that is already disabled
// does not change.
func (s *Service) Disable(ctx context.Context, actor auth.Actor, userID, reason string) (user *models.User, ended int, err error) {
	change := UserChange{Reason: reason}
	if wrong := change.check(); len(wrong) > 0 {
		return nil, 0, wrong
	}
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		ended, err = a.disable(ctx, change.Reason)
		return err
	})
	return user, ended, err
}

// Enable enables a disabled account and returns it as it was before. Sessions
// that ended and tokens that were removed do not come back.
func (s *Service) Enable(ctx context.Context, actor auth.Actor, userID string) (user *models.User, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		return a.enable(ctx)
	})
	return user, err
}

// SignOutUser ends every session of an account and returns how many were live.
func (s *Service) SignOutUser(ctx context.Context, actor auth.Actor, userID string) (user *models.User, ended int, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		ended, err = a.signOut(ctx)
		return err
	})
	return user, ended, err
}

// EndUserSession ends one session of an account and returns both. It returns
// apperr.NotFound when the account has no such live session.
func (s *Service) EndUserSession(ctx context.Context, actor auth.Actor, userID, id string) (user *models.User, session auth.SessionInfo, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		if session, err = s.auth.End(ctx, a.tx, a.user.ID, id, models.ReasonAdmin); err != nil {
			return err
		}
		a.record(actor.Event(audit.UserSessionEnd, a.user, audit.Details{Session: audit.ShortID(id)}))
		return nil
	})
	return user, session, err
}

// SetRole changes the role of an account, which takes effect at its next
// request. It returns the account as it was before.
func (s *Service) SetRole(ctx context.Context, actor auth.Actor, userID string, role models.Role) (user *models.User, err error) {
	change := UserChange{Role: &role}
	if wrong := change.check(); len(wrong) > 0 {
		return nil, wrong
	}
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		return a.setRole(ctx, role)
	})
	return user, err
}

// CreateResetLink creates a reset link, which replaces an earlier one, and
// returns its token. Only its hash is stored, so show it now.
func (s *Service) CreateResetLink(ctx context.Context, actor auth.Actor, userID string) (user *models.User, token string, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		if user = a.user; a.user.Disabled() {
			return apperr.New(apperr.Conflict, EnableFirst, nil)
		}
		a.record(actor.Event(audit.UserResetLink, a.user, audit.Details{}))
		token, err = s.createSetPassword(ctx, a.tx, a.user.ID, SetPasswordTTL, "")
		return err
	})
	return user, token, err
}

// Unlock clears the sign-in limits of an account.
func (s *Service) Unlock(ctx context.Context, actor auth.Actor, userID string) (user *models.User, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		a.record(actor.Event(audit.UserUnlock, a.user, audit.Details{}))
		return s.limits.ClearAccount(ctx, a.tx, a.user.ID)
	})
	return user, err
}

// Paused returns, by account id, the pauses of those accounts whose sign-in is
// paused.
func (s *Service) Paused(ctx context.Context, userIDs ...string) (map[string]limit.Pauses, error) {
	return s.limits.Paused(ctx, userIDs...)
}

// FindUser finds an account by id, username or address; apperr.NotFound when
// there is none.
func (s *Service) FindUser(ctx context.Context, name string) (*models.User, error) {
	name = models.Tidy(name)
	if models.IsID(name) {
		user, err := s.store.Users.ByID(ctx, name)
		if !errors.Is(err, apperr.NotFound) {
			return user, err
		}
	}
	return s.store.Users.ByName(ctx, name)
}
