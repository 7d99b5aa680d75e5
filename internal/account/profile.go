package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// ProfileChange is a form with new names.
type ProfileChange struct {
	Identity  *auth.Identity
	Username  string
	FullName  string
	Current   string // the current password, when the username changes
	Confirmed bool   // instead of Current, a fresh confirmation of the session counts
	Device    string // the device cookie; may be empty
	Client    auth.Client
}

// UpdateProfile changes the person's names. Apps may know the person by the
// username, so changing it takes the current password or a fresh confirmation. It
// returns apperr.Fields (a wrong password too), auth.Unconfirmed, apperr.TooMany,
// apperr.Busy or apperr.Unavailable.
func (s *Service) UpdateProfile(ctx context.Context, in ProfileChange) error {
	typed := Profile{Username: in.Username, FullName: in.FullName}
	want := typed.tidy()
	renamed := want.Username != in.Identity.Username // a name that is older than a rule may stay
	var wrong apperr.Fields
	if renamed {
		wrong.Add("username", withLeftOut(s.checkOwnUsername(want.Username), typed.Username))
	}
	wrong.Add("full_name", withLeftOut(checkFullName(want.FullName), typed.FullName))
	if renamed {
		wrong.Add("current_password", needsPassword(in.Current, in.Confirmed))
	}
	if len(wrong) > 0 {
		return wrong
	}
	if !renamed {
		if want.FullName == in.Identity.FullName {
			return nil
		}
		return s.setNames(ctx, in, want, nil)
	}
	if in.Confirmed && !s.auth.Confirmed(in.Identity) {
		return auth.Unconfirmed() // before it counts as an attempt at a name
	}
	// Without a limit, the responses would reveal which names are taken.
	if err := s.auth.Take(ctx, in.Identity.Actor(in.Client), limit.Usernames, in.Identity.UserID); err != nil {
		return err
	}
	p, err := s.reprove(ctx, CredentialChange{
		Identity: in.Identity, Current: in.Current, Confirmed: in.Confirmed, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return err
	}
	err = s.setNames(ctx, in, want, func(tx *models.Store, user *models.User) error {
		return s.settle(ctx, tx, in.Identity, user, p)
	})
	if err != nil {
		return s.giveBack(ctx, p, err)
	}
	return nil
}

// setNames stores the names in a transaction. Unless it is nil, allowed checks
// the locked account first.
func (s *Service) setNames(ctx context.Context, in ProfileChange, want Profile, allowed func(*models.Store, *models.User) error) error {
	return taken(s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if allowed != nil {
			if err := allowed(tx, user); err != nil {
				return err
			}
		}
		record(in.Identity.Actor(in.Client).Event(audit.ProfileChange, user, audit.Details{
			Username: audit.Changed(user.Username, want.Username), FullName: audit.Changed(user.FullName, want.FullName),
		}))
		user.Username, user.FullName = want.Username, want.FullName
		return tx.Users.SetNames(ctx, user, s.now())
	}))
}
