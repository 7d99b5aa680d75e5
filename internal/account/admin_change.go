package account

import (
	"context"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// UserChange has the fields that an admin changes; a nil field stays as it is.
type UserChange struct {
	FullName *string
	Role     *models.Role
	Disabled *bool
	Reason   string // for Disabled: a note for admins
}

// check tidies the change and returns what is wrong with each field.
func (c *UserChange) check() apperr.Fields {
	var wrong apperr.Fields
	if c.FullName != nil {
		typed, name := *c.FullName, models.TidyName(*c.FullName)
		c.FullName = &name
		wrong.Add("full_name", withLeftOut(checkFullName(name), typed))
	}
	if c.Role != nil && *c.Role != models.RoleUser && *c.Role != models.RoleAdmin {
		wrong.Add("role", "Choose a role.")
	}
	c.Reason = strings.Join(strings.Fields(c.Reason), " ")
	wrong.Add("reason", checkReason(c.Reason))
	return wrong
}

// ChangeUser changes an account in one transaction, with the checks of Disable,
// Enable and SetRole. It returns the account after the change; apperr.Fields
// (full_name, role, reason), apperr.NotFound, apperr.Conflict, apperr.Forbidden
// or apperr.TooMany.
func (s *Service) ChangeUser(ctx context.Context, actor auth.Actor, userID string, change UserChange) (user *models.User, err error) {
	if wrong := change.check(); len(wrong) > 0 {
		return nil, wrong
	}
	err = s.actOn(ctx, actor, userID, func(a act) error {
		if change.FullName != nil {
			if err := a.rename(ctx, *change.FullName); err != nil {
				return err
			}
		}
		if change.Role != nil {
			if err := a.setRole(ctx, *change.Role); err != nil {
				return err
			}
		}
		if change.Disabled != nil {
			if err := a.setDisabled(ctx, *change.Disabled, change.Reason); err != nil {
				return err
			}
		}
		user, err = a.tx.Users.ByID(ctx, a.user.ID)
		return err
	})
	return user, err
}

// act is an admin's action on one account, which is locked.
type act struct {
	s      *Service
	tx     *models.Store
	actor  auth.Actor
	user   *models.User
	last   bool // the account is the only active admin's
	record func(models.Event)
}

func (a act) rename(ctx context.Context, fullName string) error {
	if a.user.FullName == fullName {
		return nil
	}
	a.record(a.actor.Event(audit.UserProfile, a.user, audit.Details{FullName: audit.Changed(a.user.FullName, fullName)}))
	renamed := *a.user
	renamed.FullName = fullName
	return a.tx.Users.SetNames(ctx, &renamed, a.s.now())
}

func (a act) setRole(ctx context.Context, role models.Role) error {
	if a.user.Role == role {
		return nil
	}
	if a.last && role != models.RoleAdmin {
		return apperr.New(apperr.Conflict, lastAdmin, nil)
	}
	// Invitations come from an admin: one who no longer is must not have a way to
	// let people in, themselves included.
	withdrawn, err := a.tx.Invitations.WithdrawBy(ctx, a.user.ID, a.s.now())
	if err != nil {
		return err
	}
	a.record(a.actor.Event(audit.UserRole, a.user, audit.Details{
		Role: audit.Changed(string(a.user.Role), string(role)), InvitationsWithdrawn: withdrawn,
	}))
	if role == models.RoleAdmin {
		if err := a.tx.Tokens.EndSetup(ctx, a.s.now()); err != nil {
			return err
		}
	}
	return a.tx.Users.SetRole(ctx, a.user.ID, role, a.s.now())
}

// setDisabled disables or enables the account. The reason of a disabled account
// cannot change: the audit log shows it with the admin who gave it.
func (a act) setDisabled(ctx context.Context, disabled bool, reason string) error {
	if disabled && a.user.Disabled() && reason != "" && reason != a.user.DisabledReason {
		return apperr.New(apperr.Conflict, "This account is already disabled. Its reason cannot be changed, so leave the reason out.", nil)
	}
	if disabled {
		_, err := a.disable(ctx, reason)
		return err
	}
	return a.enable(ctx)
}

// disable disables the account, ends its sessions, removes its tokens, and
// returns how many sessions were live.
func (a act) disable(ctx context.Context, reason string) (ended int, err error) {
	if a.last {
		return 0, apperr.New(apperr.Conflict, lastAdmin, nil)
	}
	if a.user.Disabled() {
		return 0, nil
	}
	now, id := a.s.now(), a.user.ID
	if err := a.tx.Users.Disable(ctx, id, reason, now); err != nil {
		return 0, err
	}
	if ended, err = a.tx.Sessions.EndAll(ctx, id, "", models.ReasonDisabled, now); err != nil {
		return 0, err
	}
	tokens, err := a.tx.PersonalTokens.RemoveAll(ctx, id, models.ReasonDisabled, now)
	if err != nil {
		return 0, err
	}
	if err := a.s.endLinks(ctx, a.tx, id); err != nil {
		return 0, err
	}
	withdrawn, err := a.tx.Invitations.WithdrawBy(ctx, id, now) // as in setRole
	if err != nil {
		return 0, err
	}
	a.record(a.actor.Event(audit.UserDisable, a.user, audit.Details{
		SessionsEnded: ended, TokensEnded: tokens, InvitationsWithdrawn: withdrawn, Reason: reason,
	}))
	return ended, nil
}

// signOut ends the sessions of the account and returns how many were live.
func (a act) signOut(ctx context.Context) (ended int, err error) {
	if ended, err = a.tx.Sessions.EndAll(ctx, a.user.ID, "", models.ReasonAdmin, a.s.now()); err != nil {
		return 0, err
	}
	a.record(a.actor.Event(audit.UserSignOut, a.user, audit.Details{SessionsEnded: ended}))
	return ended, nil
}

func (a act) enable(ctx context.Context) error {
	if !a.user.Disabled() {
		return nil
	}
	a.record(a.actor.Event(audit.UserEnable, a.user, audit.Details{}))
	return a.tx.Users.Enable(ctx, a.user.ID, a.s.now())
}
