package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// ProfileChange has the names that a person wants.
type ProfileChange struct {
	Who      *auth.Identity
	Username string
	FullName string
	Current  string // the current password, when the username changes
	Device   string // the device cookie; may be empty
	Client   auth.Client
}

// UpdateProfile changes the person's names. Apps may know the person by the
// username, so changing it takes the current password. It returns apperr.Fields
// (a wrong password too), apperr.TooMany, apperr.Busy or apperr.Unavailable.
func (s *Service) UpdateProfile(ctx context.Context, in ProfileChange) error {
	typed := Profile{Username: in.Username, FullName: in.FullName}
	want := typed.tidy()
	renamed := want.Username != in.Who.Username // a name given before a rule was made may stay
	var wrong apperr.Fields
	if renamed {
		wrong.Add("username", withLeftOut(s.checkOwnUsername(want.Username), typed.Username))
	}
	wrong.Add("full_name", withLeftOut(checkFullName(want.FullName), typed.FullName))
	if renamed && in.Current == "" {
		wrong.Add("current_password", "Enter your current password.")
	}
	if len(wrong) > 0 {
		return wrong
	}
	if !renamed {
		if want.FullName == in.Who.FullName {
			return nil
		}
		return s.setNames(ctx, in, want, nil)
	}
	// Or the answers would tell which names are taken.
	if err := s.auth.Take(ctx, in.Who.Actor(in.Client), limit.Usernames, in.Who.UserID); err != nil {
		return err
	}
	proven, taken, err := s.reprove(ctx, CredentialChange{Who: in.Who, Current: in.Current, Device: in.Device, Client: in.Client})
	if err != nil {
		return err
	}
	err = s.setNames(ctx, in, want, func(tx *models.Store, user *models.User) error {
		if user.PasswordHash != proven.PasswordHash {
			return apperr.New(apperr.Conflict, passwordChanged, nil)
		}
		return s.limits.Settle(ctx, tx, taken)
	})
	if err != nil {
		return s.limits.GiveBack(ctx, taken, err)
	}
	return nil
}

// setNames stores the names in a transaction in which allowed, unless it is nil,
// looks at the locked account first.
func (s *Service) setNames(ctx context.Context, in ProfileChange, want Profile, allowed func(*models.Store, *models.User) error) error {
	return taken(s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Who)
		if err != nil {
			return err
		}
		if allowed != nil {
			if err := allowed(tx, user); err != nil {
				return err
			}
		}
		record(in.Who.Actor(in.Client).Event(audit.ProfileChange, user, audit.Details{
			Username: audit.Changed(user.Username, want.Username), FullName: audit.Changed(user.FullName, want.FullName),
		}))
		user.Username, user.FullName = want.Username, want.FullName
		return tx.Users.SetNames(ctx, user, s.now())
	}))
}
