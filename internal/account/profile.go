package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// UpdateProfile changes the person's names. It returns apperr.Fields.
func (s *Service) UpdateProfile(ctx context.Context, who *auth.Identity, username, fullName string, client auth.Client) error {
	typed := Profile{Username: username, FullName: fullName}
	username, fullName = typed.tidy().Username, typed.tidy().FullName
	var wrong apperr.Fields
	if username != who.Username { // a name given before a rule was made may stay
		wrong.Add("username", withLeftOut(s.checkOwnUsername(username), typed.Username))
	}
	wrong.Add("full_name", withLeftOut(checkFullName(fullName), typed.FullName))
	if len(wrong) > 0 {
		return wrong
	}
	if username == who.Username && fullName == who.FullName {
		return nil
	}
	if username != who.Username { // or the answers would tell which names are taken
		err := s.auth.Take(ctx, who.Actor(client), limit.Usernames, who.UserID)
		if err != nil {
			return err
		}
	}
	return taken(s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, who)
		if err != nil {
			return err
		}
		record(who.Actor(client).Event(audit.ProfileChange, user, audit.Details{
			Username: audit.Changed(user.Username, username), FullName: audit.Changed(user.FullName, fullName),
		}))
		user.Username, user.FullName = username, fullName
		return tx.Users.SetNames(ctx, user, s.now())
	}))
}
