package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// Edit has the names that an admin gives an account.
type Edit struct {
	Account Profile
	// Seen is SeenNames of the account that the admin looked at; "" skips the
	// check that it is still the same.
	Seen string
}

// SeenNames returns a digest of an account's names. A form carries it, so that
// a change by someone else in the meantime is noticed.
func SeenNames(user *models.User) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{user.Username, user.Email, user.FullName}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// EditUser changes the username, the address and the full name of an account. A
// new address ends its sessions and reset links, as a change by its owner does.
// It returns the account as it was before and how many sessions were live;
// apperr.Fields, apperr.NotFound, apperr.Forbidden, apperr.TooMany, or
// apperr.Conflict, also when someone changed the names in the meantime.
func (s *Service) EditUser(ctx context.Context, actor auth.Actor, userID string, in Edit) (before *models.User, ended int, err error) {
	want := in.Account.tidy()
	err = s.actOn(ctx, actor, userID, func(a act) error {
		before = a.user
		if in.Seen != "" && in.Seen != SeenNames(before) {
			return apperr.New(apperr.Conflict, "This account was changed while you had the form open. Compare, then save again.", nil)
		}
		if wrong := in.changes(before); len(wrong) > 0 {
			return wrong
		}
		ended, err = a.setNames(ctx, want)
		return err
	})
	return before, ended, taken(err)
}

// changes returns what is wrong with each field that differs from the account:
// a name that is older than a rule may stay.
func (e Edit) changes(user *models.User) (wrong apperr.Fields) {
	same := Profile{Username: user.Username, Email: user.Email, FullName: user.FullName}
	want := e.Account.tidy()
	for _, problem := range e.Account.check(checkUsername) {
		unchanged := problem.Field == "username" && want.Username == same.Username ||
			problem.Field == "email" && want.Email == same.Email || problem.Field == "full_name" && want.FullName == same.FullName
		if !unchanged {
			wrong = append(wrong, problem)
		}
	}
	return wrong
}

// setNames stores names that differ, and returns how many sessions a new address
// ended.
func (a act) setNames(ctx context.Context, want Profile) (ended int, err error) {
	details := audit.Details{
		Username: audit.Changed(a.user.Username, want.Username), Email: audit.Changed(a.user.Email, want.Email),
		FullName: audit.Changed(a.user.FullName, want.FullName),
	}
	if details == (audit.Details{}) {
		return 0, nil
	}
	renamed := *a.user
	renamed.Username, renamed.FullName = want.Username, want.FullName
	if details.Email != nil {
		renamed.Email, renamed.EmailFolded, renamed.EmailVerifiedAt = want.Email, models.FoldEmail(want.Email), 0
		if ended, err = a.tx.Sessions.EndAll(ctx, a.user.ID, "", models.ReasonEmail, a.s.now()); err != nil {
			return 0, err
		}
		if err := a.s.endLinks(ctx, a.tx, a.user.ID); err != nil {
			return 0, err
		}
		details.SessionsEnded = ended
	}
	a.record(a.actor.Event(audit.UserProfile, a.user, details))
	return ended, a.tx.Users.SetNames(ctx, &renamed, a.s.now())
}
