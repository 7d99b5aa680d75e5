package auth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// Why an act of an admin is refused.
const (
	notYourself = "You cannot do this to your own account."
	lastAdmin   = "This is the last active admin. Make somebody else an admin first."
)

// guarded runs an act of an admin in a transaction: the actor is an active
// admin at that moment, and who the active admins are cannot change under it.
func (s *Service) guarded(ctx context.Context, actor Actor,
	f func(tx *models.Store, admins []string, record func(models.Event)) error,
) error {
	if actor.UserID != "" {
		if err := s.limit(ctx, actor, "admin:"+actor.UserID, adminRule, "You made many changes in a short time."); err != nil {
			return err
		}
	}
	return s.audited(ctx, func(tx *models.Store, record func(models.Event)) error {
		admins, err := tx.Users.LockActiveAdmins(ctx)
		if err != nil {
			return err
		}
		if actor.UserID != "" && !slices.Contains(admins, actor.UserID) {
			return errNotAdmin()
		}
		return f(tx, admins, record)
	})
}

// actOn runs an act on one account that must not be the actor's own.
func (s *Service) actOn(ctx context.Context, actor Actor, userID string,
	f func(tx *models.Store, user *models.User, last bool, record func(models.Event)) error,
) error {
	return s.guarded(ctx, actor, func(tx *models.Store, admins []string, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, userID)
		if err != nil {
			return err
		}
		if user.ID == actor.UserID {
			return apperr.New(apperr.Conflict, notYourself, nil)
		}
		return f(tx, user, len(admins) == 1 && admins[0] == user.ID, record)
	})
}

// Disable shuts an account and ends every session and every personal access
// token of it. It returns the account as it was before, and how many sessions
// were live. reason is for admins. An account that was disabled stays as it is.
func (s *Service) Disable(ctx context.Context, actor Actor, userID, reason string) (user *models.User, ended int, err error) {
	change := UserChange{Reason: reason}
	if wrong := change.check(); len(wrong) > 0 {
		return nil, 0, wrong
	}
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, last bool, record func(models.Event)) error {
		user = u
		ended, err = act{s, tx, actor, u, last, record}.disable(ctx, change.Reason)
		return err
	})
	return user, ended, err
}

// Enable opens a disabled account again and returns it as it was before. Its
// sessions and tokens stay over.
func (s *Service) Enable(ctx context.Context, actor Actor, userID string) (user *models.User, err error) {
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, last bool, record func(models.Event)) error {
		user = u
		return act{s, tx, actor, u, last, record}.enable(ctx)
	})
	return user, err
}

// SignOutUser ends every session of an account and returns how many were live.
func (s *Service) SignOutUser(ctx context.Context, actor Actor, userID string) (user *models.User, ended int, err error) {
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, _ bool, record func(models.Event)) error {
		user = u
		if ended, err = tx.Sessions.EndAll(ctx, u.ID, "", models.ReasonAdmin, s.now()); err != nil {
			return err
		}
		record(actor.event(ActionUserSignOut, u, sessionsEnded(ended)))
		return nil
	})
	return user, ended, err
}

// SetRole changes what an account may do, from its next request on. It returns
// the account as it was before; one that had the role stays as it is.
func (s *Service) SetRole(ctx context.Context, actor Actor, userID string, role models.Role) (user *models.User, err error) {
	change := UserChange{Role: &role}
	if wrong := change.check(); len(wrong) > 0 {
		return nil, wrong
	}
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, last bool, record func(models.Event)) error {
		user = u
		return act{s, tx, actor, u, last, record}.setRole(ctx, role)
	})
	return user, err
}

// CreateResetLink makes the only working link to choose a new password with
// and returns its token. It is never stored: show it once.
func (s *Service) CreateResetLink(ctx context.Context, actor Actor, userID string) (user *models.User, token string, err error) {
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, _ bool, record func(models.Event)) error {
		if user = u; u.Disabled() {
			return apperr.New(apperr.Conflict, "This account is disabled. Enable it first.", nil)
		}
		record(actor.event(ActionUserResetLink, u, ""))
		token, err = s.createSetPassword(ctx, tx, u.ID)
		return err
	})
	return user, token, err
}

// Unlock clears the sign-in limits of an account.
func (s *Service) Unlock(ctx context.Context, actor Actor, userID string) (user *models.User, err error) {
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, _ bool, record func(models.Event)) error {
		user = u
		record(actor.event(ActionUserUnlock, u, ""))
		return s.clearLimits(ctx, tx, u.ID)
	})
	return user, err
}

// Delete removes an account for good; confirm is its address, typed by the
// admin. Nothing of it is accepted afterwards.
func (s *Service) Delete(ctx context.Context, actor Actor, userID, confirm string) (user *models.User, ended int, err error) {
	err = s.actOn(ctx, actor, userID, func(tx *models.Store, u *models.User, last bool, record func(models.Event)) error {
		user = u
		switch {
		case last:
			return apperr.New(apperr.Conflict, lastAdmin, nil)
		case models.FoldEmail(strings.TrimSpace(confirm)) != u.EmailFolded:
			return apperr.Fields{{Field: "confirm", Message: "Type the email address of the account to delete it."}}
		}
		if ended, err = tx.Sessions.EndAll(ctx, u.ID, "", models.ReasonDeleted, s.now()); err != nil {
			return err
		}
		if err := s.clearLimits(ctx, tx, u.ID); err != nil {
			return err
		}
		record(actor.event(ActionUserDelete, u, sessionsEnded(ended)))
		return tx.Users.Delete(ctx, u.ID)
	})
	return user, ended, err
}

// Paused returns those of some accounts to which strangers' sign-ins are
// refused, by their ids.
func (s *Service) Paused(ctx context.Context, userIDs ...string) (map[string]models.Pause, error) {
	buckets := make([]string, len(userIDs))
	for i, id := range userIDs {
		buckets[i] = accountBuckets + id
	}
	found, err := s.store.Attempts.Paused(ctx, buckets, accountRule.Streak, s.now())
	paused := make(map[string]models.Pause, len(found))
	for bucket, pause := range found {
		paused[strings.TrimPrefix(bucket, accountBuckets)] = pause
	}
	return paused, err
}

// FindUser finds an account by id, username or address; apperr.NotFound when
// there is none.
func (s *Service) FindUser(ctx context.Context, name string) (*models.User, error) {
	name = strings.TrimSpace(name)
	if models.IsID(name) {
		user, err := s.store.Users.ByID(ctx, name)
		if !errors.Is(err, apperr.NotFound) {
			return user, err
		}
	}
	return s.store.Users.ByName(ctx, name)
}
