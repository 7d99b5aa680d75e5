package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// CreateSetup creates a setup link and returns its token, or "" when an admin
// exists.
func (s *Service) CreateSetup(ctx context.Context) (string, error) {
	exists, err := s.store.Users.AdminExists(ctx)
	if err != nil || exists {
		return "", err
	}
	token, now := models.NewToken(), s.now()
	return token, s.store.Tokens.Create(ctx, &models.OneTimeToken{
		TokenHash: models.HashToken(token), Purpose: models.PurposeSetup,
		CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(SetupTTL)),
	})
}

// SetupLink returns the state of a setup link without using it.
func (s *Service) SetupLink(ctx context.Context, token string) (Link, error) {
	row, err := s.linkRow(ctx, token, models.PurposeSetup)
	if row == nil {
		return Link{State: LinkUnknown}, err
	}
	exists, err := s.store.Users.AdminExists(ctx)
	link := s.linkOf(row)
	if exists && link.State == LinkGood {
		link.State = LinkUsed
	}
	return link, err
}

// Setup creates the first admin with a setup link and signs them in. When the
// link no longer works it returns apperr.Conflict; its other errors are those
// of SignUp.
func (s *Service) Setup(ctx context.Context, token string, in Signup) (*auth.SignedIn, error) {
	link, err := s.SetupLink(ctx, token)
	if err != nil {
		return nil, err
	}
	if link.State != LinkGood {
		return nil, deadLink()
	}
	user, err := s.prepareUser(ctx, in, checkUsername, func() error {
		return s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Links, limit.Network(in.Client.IP))
	})
	if err != nil {
		return nil, err
	}
	user.Role = models.RoleAdmin
	var signedIn *auth.SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		if err := tx.Tokens.LockSetup(ctx); err != nil {
			return err
		}
		exists, err := tx.Users.AdminExists(ctx)
		if err != nil {
			return err
		}
		used, err := tx.Tokens.Use(ctx, token, models.PurposeSetup, s.now())
		if err != nil {
			return err
		}
		if exists || !used {
			return deadLink()
		}
		if err := tx.Tokens.EndSetup(ctx, s.now()); err != nil {
			return err
		}
		signedIn, err = s.join(ctx, tx, user, in, auth.MethodSetup, audit.Setup, record)
		return err
	})
	return signedIn, taken(err)
}

// NewUser is an account that an admin or the shell creates.
type NewUser struct {
	Account  Profile
	Role     models.Role
	Password string // empty: a reset link is created
}

// CreateUser creates an account. Without a password it returns the token of a
// reset link. It returns apperr.Fields.
func (s *Service) CreateUser(ctx context.Context, actor auth.Actor, in NewUser) (user *models.User, token string, err error) {
	account := in.Account.tidy()
	wrong := in.Account.check(checkUsername)
	if in.Role != models.RoleUser && in.Role != models.RoleAdmin {
		wrong.Add("role", "Choose a role.")
	}
	if in.Password != "" {
		wrong.Add("password", s.policy.Check(in.Password, account.Username, localPart(account.Email)))
	}
	if len(wrong) > 0 {
		return nil, "", wrong
	}
	if err := s.checkTaken(ctx, account); err != nil {
		return nil, "", err
	}
	user = s.newUser(account, in.Role)
	if in.Password != "" {
		if user.PasswordHash, err = s.hasher.For(actor.Client.Caller(true)).Hash(ctx, in.Password); err != nil {
			return nil, "", err
		}
		user.PasswordChangedAt = user.CreatedAt
	}
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		if err := tx.Users.Create(ctx, user); err != nil {
			return err
		}
		if user.Role == models.RoleAdmin {
			if err := tx.Tokens.EndSetup(ctx, s.now()); err != nil {
				return err
			}
		}
		record(actor.Event(audit.UserCreate, user, audit.Details{Role: audit.Changed("", string(user.Role))}))
		if in.Password != "" {
			return nil
		}
		token, err = s.createSetPassword(ctx, tx, user.ID, SetPasswordTTL, "")
		return err
	})
	if err != nil {
		return nil, "", taken(err)
	}
	return user, token, nil
}

// errNotAdmin reports that the actor has lost the admin role in the meantime.
func errNotAdmin() error {
	return apperr.New(apperr.Forbidden, "", errors.New("the actor is not an active admin"))
}
