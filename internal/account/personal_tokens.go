package account

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// The life of a personal access token, in days.
const (
	DefaultTokenDays = 90
	MaxTokenDays     = 366
)

const (
	maxTokenName      = 64 // code points
	maxPersonalTokens = 50 // working ones of one person
	hintLength        = 4
	endedShown        = 30 * 24 * time.Hour // how long tokens stay in the list after their end
)

// PersonalTokenDraft is a form for a new personal access token.
type PersonalTokenDraft struct {
	Identity  *auth.Identity
	Name      string
	Scopes    []string // names, as the form has them
	Days      int      // 1 to MaxTokenDays
	Current   string   // the current password: the token outlives the session
	Confirmed bool     // instead of Current, a fresh confirmation of the session counts
	Device    string   // the device cookie
	Client    auth.Client
}

// PersonalToken is a personal access token as its owner or an admin sees it.
type PersonalToken struct {
	ID         string
	Name       string
	Hint       string       // the last characters of the secret
	Scopes     oauth.Scopes // as it was created; the role may allow less now
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time // to the minute; zero: never used
	LastUsedIP string
	EndedAt    time.Time     // when it was removed or expired; zero: it works
	EndReason  models.Reason // ReasonEndedElsewhere: the person; ReasonLogout: the token itself; ReasonAdmin, ReasonDisabled, ReasonExpired
}

// tidy returns the draft with its name as it is stored, its scopes, and the
// problems of its fields.
func (d PersonalTokenDraft) tidy() (PersonalTokenDraft, oauth.Scopes, apperr.Fields) {
	d.Name = strings.Join(strings.Fields(d.Name), " ")
	var wrong apperr.Fields
	switch {
	case d.Name == "":
		wrong.Add("name", "Enter a name that reminds you what the token is for.")
	case utf8.RuneCountInString(d.Name) > maxTokenName:
		wrong.Add("name", fmt.Sprintf("Use a name of at most %d characters.", maxTokenName))
	case hasControl(d.Name):
		wrong.Add("name", "A name cannot contain invisible or control characters.")
	}
	scopes, known := oauth.ParseScopes(strings.Join(d.Scopes, " "))
	switch {
	case len(d.Scopes) == 0:
		wrong.Add("scope", "Choose what the token may do.")
	case !known || !scopes.Within(oauth.AllowedScopes(d.Identity.Admin)):
		wrong.Add("scope", "Your role does not allow this permission.")
	}
	if d.Days < 1 || d.Days > MaxTokenDays {
		wrong.Add("days", fmt.Sprintf("Choose 1 to %d days.", MaxTokenDays))
	}
	wrong.Add("current_password", needsPassword(d.Current, d.Confirmed))
	return d, scopes, wrong
}

// CreatePersonalToken creates a personal access token and returns its secret.
// Only its hash is stored, so show it now. It returns apperr.Fields (name,
// scope, days, current_password), auth.Unconfirmed, apperr.TooMany, apperr.Busy or
// apperr.Unavailable.
func (s *Service) CreatePersonalToken(ctx context.Context, in PersonalTokenDraft) (secret string, token PersonalToken, err error) {
	in, scopes, wrong := in.tidy()
	if len(wrong) > 0 {
		return "", PersonalToken{}, wrong
	}
	p, err := s.reprove(ctx, CredentialChange{
		Identity: in.Identity, Current: in.Current, Confirmed: in.Confirmed, Device: in.Device, Client: in.Client,
	})
	if err != nil {
		return "", PersonalToken{}, err
	}
	secret = oauth.NewPersonalSecret()
	now := s.now()
	row := models.PersonalToken{
		ID: models.NewID(), UserID: p.user.ID, Name: in.Name, TokenHash: models.HashToken(secret),
		Hint: secret[len(secret)-hintLength:], Scope: scopes.String(),
		CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(time.Duration(in.Days) * 24 * time.Hour)),
	}
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, in.Identity)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, in.Identity, user, p); err != nil {
			return err
		}
		switch working, err := tx.PersonalTokens.CountWorking(ctx, user.ID, now); {
		case err != nil:
			return err
		case working >= maxPersonalTokens:
			return apperr.Fields{{Field: "name", Message: fmt.Sprintf("You already have %d access tokens. Remove one first.", working)}}
		case !scopes.Within(oauth.AllowedScopes(user.Role == models.RoleAdmin)):
			return apperr.Fields{{Field: "scope", Message: "Your role does not allow this permission."}}
		}
		record(in.Identity.Actor(in.Client).Event(audit.TokenCreate, user, audit.Details{
			Token: row.Name, Scope: row.Scope, Days: in.Days,
		}))
		return tx.PersonalTokens.Create(ctx, &row)
	})
	if err != nil {
		return "", PersonalToken{}, s.giveBack(ctx, p, err)
	}
	return secret, s.personalToken(row), nil
}

// PersonalTokens returns a person's working personal access tokens, the newest
// first, and those that were removed or expired lately.
func (s *Service) PersonalTokens(ctx context.Context, userID string) (live, ended []PersonalToken, err error) {
	rows, err := s.store.PersonalTokens.ByUser(ctx, userID, s.now().Add(-endedShown))
	for _, row := range rows {
		if token := s.personalToken(row); token.EndedAt.IsZero() {
			live = append(live, token)
		} else {
			ended = append(ended, token)
		}
	}
	return live, ended, err
}

// CountTokens returns how many personal access tokens of a person work.
func (s *Service) CountTokens(ctx context.Context, userID string) (int, error) {
	return s.store.PersonalTokens.CountWorking(ctx, userID, s.now())
}

// PersonalToken returns a personal access token of a person, working or not, or
// apperr.NotFound.
func (s *Service) PersonalToken(ctx context.Context, userID, id string) (PersonalToken, error) {
	row, err := s.store.PersonalTokens.ByID(ctx, id, userID)
	if err != nil {
		return PersonalToken{}, err
	}
	return s.personalToken(*row), nil
}

// RemovePersonalToken removes one personal access token of the person and
// returns it. It returns apperr.NotFound when the person has no such working
// token.
func (s *Service) RemovePersonalToken(ctx context.Context, identity *auth.Identity, id string, client auth.Client) (token PersonalToken, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockActive(ctx, tx, identity)
		if err != nil {
			return err
		}
		if token, err = s.removePersonal(ctx, tx, user.ID, id, models.ReasonEndedElsewhere); err != nil {
			return err
		}
		record(identity.Actor(client).Event(audit.TokenRemove, user, audit.Details{Token: token.Name}))
		return nil
	})
	return token, err
}

// RemoveUserToken is RemovePersonalToken for an admin and another person's
// token.
func (s *Service) RemoveUserToken(ctx context.Context, actor auth.Actor, userID, id string) (user *models.User, token PersonalToken, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		if token, err = s.removePersonal(ctx, a.tx, a.user.ID, id, models.ReasonAdmin); err != nil {
			return err
		}
		user = a.user
		a.record(actor.Event(audit.UserTokenRemove, a.user, audit.Details{Token: token.Name}))
		return nil
	})
	return user, token, err
}

func (s *Service) removePersonal(ctx context.Context, tx *models.Store, userID, id string, reason models.Reason) (PersonalToken, error) {
	if err := tx.PersonalTokens.Remove(ctx, id, userID, reason, s.now()); err != nil {
		return PersonalToken{}, err
	}
	row, err := tx.PersonalTokens.ByID(ctx, id, userID)
	if err != nil {
		return PersonalToken{}, err
	}
	return s.personalToken(*row), nil
}

func (s *Service) personalToken(row models.PersonalToken) PersonalToken {
	token := PersonalToken{
		ID: row.ID, Name: row.Name, Hint: row.Hint, Scopes: oauth.Granted(row.Scope),
		CreatedAt: row.CreatedAt.Time(), ExpiresAt: row.ExpiresAt.Time(),
		LastUsedAt: row.LastUsedAt.Time(), LastUsedIP: row.LastUsedIP,
		EndedAt: row.EndedAt.Time(), EndReason: row.EndReason,
	}
	if token.EndedAt.IsZero() && !row.Works(models.At(s.now())) {
		token.EndedAt, token.EndReason = token.ExpiresAt, models.ReasonExpired
	}
	return token
}
