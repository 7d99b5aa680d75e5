package oauth

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/token"
	"latchkey/models"
)

// Caller is the person of a bearer token, as read from the database for this
// request, with the scopes of the token.
type Caller struct {
	auth.Identity           // SessionID is empty for a personal access token
	Scopes        Scopes    // those of the token that the role allows now
	ClientID      string    // the client's name for itself, or DefaultClientID; empty for a personal access token
	TokenID       string    // the jti, or the id of the personal access token
	Personal      bool      // a personal access token
	IssuedAt      time.Time // in UTC
	ExpiresAt     time.Time // in UTC

	generation int64 // the access token's
}

// AuthenticateBearer returns the person of a bearer token, which is an access
// token of the API or a personal access token, and records its use. For any
// other token, and for one that no longer works, it returns the same
// apperr.Unauthorized. For a person who has to do something in a browser first it
// returns apperr.Forbidden with ErrUnverified or ErrLacksStep. It returns
// apperr.Unavailable or apperr.Canceled when the token could not be checked.
func (s *Service) AuthenticateBearer(ctx context.Context, bearer string, client auth.Client) (*Caller, error) {
	return s.identify(ctx, bearer, client, use{address: client.Address()})
}

// PeekBearer is AuthenticateBearer for a request that does not count as a use
// of an access token's session.
func (s *Service) PeekBearer(ctx context.Context, bearer string, client auth.Client) (*Caller, error) {
	return s.identify(ctx, bearer, client, use{address: client.Address(), quiet: true})
}

// use says how a use of a token is recorded.
type use struct {
	address string // the last address of a personal access token; empty: not known
	quiet   bool   // do not record a use of the session
}

func (s *Service) identify(ctx context.Context, bearer string, client auth.Client, use use) (*Caller, error) {
	caller, err := s.callerOf(ctx, bearer, client, use)
	if err == nil {
		err = s.held(ctx, &caller.Identity)
	}
	if err != nil {
		return nil, err
	}
	return caller, nil
}

func (s *Service) callerOf(ctx context.Context, bearer string, client auth.Client, use use) (*Caller, error) {
	if IsPersonalSecret(bearer) {
		return s.personalCaller(ctx, bearer, use.address)
	}
	claims, p, err := s.programOf(ctx, token.APIAccess, bearer, client)
	if err != nil {
		return nil, err
	}
	if !use.quiet {
		if err := s.auth.ProgramUsed(ctx, &p.Session); err != nil {
			return nil, err
		}
	}
	return &Caller{
		Identity: *auth.IdentityOf(p), Scopes: Granted(claims.Scope).effective(p.Role), ClientID: claims.ClientID,
		TokenID: claims.ID, IssuedAt: claims.IssuedAt.Time().UTC(), ExpiresAt: claims.ExpiresAt.Time().UTC(),
		generation: claims.Generation,
	}, nil
}

// programOf verifies a token of the given class and returns its claims and the
// session and account that they name.
func (s *Service) programOf(ctx context.Context, class token.Class, text string, client auth.Client) (*token.Claims, *models.Presence, error) {
	claims, err := s.keyring.Verify(class, text)
	if err != nil {
		s.auth.ReportClass(ctx, class, text, client)
		return nil, nil, refused(err)
	}
	p, err := s.auth.ProgramOf(ctx, claims)
	return claims, p, err
}

// refused is the same error for every bearer token that does not work; only the
// log shows the cause.
func refused(cause error) error { return apperr.New(apperr.Unauthorized, "", cause) }

// personalCaller looks a personal access token up, and records once a minute
// that it was used.
func (s *Service) personalCaller(ctx context.Context, secret, address string) (*Caller, error) {
	b, err := s.store.PersonalTokens.Identify(ctx, secret)
	if errors.Is(err, apperr.NotFound) {
		return nil, refused(err)
	}
	if err != nil {
		return nil, err
	}
	row, now := &b.Token, s.now()
	if !row.Works(models.At(now)) || !b.DisabledAt.IsZero() {
		return nil, refused(errors.New("the personal access token no longer works"))
	}
	if before := now.Add(-time.Minute); row.LastUsedAt <= models.At(before) {
		if err := s.store.PersonalTokens.Used(ctx, row.ID, address, now, before); err != nil {
			return nil, err
		}
	}
	return &Caller{
		Identity: auth.Identity{
			UserID: row.UserID, Username: b.Username, Email: b.Email, Verified: !b.EmailVerifiedAt.IsZero(), FullName: b.FullName,
			Admin: b.Role == models.RoleAdmin, PersonalTokenID: row.ID,
		},
		Scopes: Granted(row.Scope).effective(b.Role), TokenID: row.ID, Personal: true,
		IssuedAt: row.CreatedAt.Time(), ExpiresAt: row.ExpiresAt.Time(),
	}, nil
}
