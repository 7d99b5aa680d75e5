package oauth

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/token"
)

// The types of tokens in an introspection.
const (
	TokenTypeBearer  = "Bearer"        // access tokens and personal access tokens (RFC 6750)
	TokenTypeRefresh = "refresh_token" // never to be accepted in place of an access token
)

// Introspection is the state of a token (RFC 7662 §2.2). When Active is false,
// all other fields are empty.
type Introspection struct {
	Active    bool
	Scope     string // the current scopes; empty for a refresh token, which gives no access
	ClientID  string
	Username  string
	TokenType string
	Subject   string // the user's id
	Issuer    string
	Audience  string // empty for a personal access token
	ID        string // the jti, or the id of a personal access token
	ExpiresAt time.Time
	IssuedAt  time.Time
	NotBefore time.Time
	Identity  auth.Identity // of the owner, for callers that need more than Username
}

// Introspect returns the state of an access token or a personal access token.
// Refresh tokens are active only if refresh is set; otherwise a service that reads
// only Active would accept one as an access token. Browsers' tokens are never
// active here. Introspection of an access token or a personal access token counts
// as a use from an unknown address, because client is the service that asks. The
// caller decides whether the service may ask. Introspect returns
// apperr.Unavailable or apperr.Canceled when the token could not be checked.
func (s *Service) Introspect(ctx context.Context, text string, refresh bool, client auth.Client) (*Introspection, error) {
	if refresh {
		if claims, err := s.keyring.Verify(token.APIRefresh, text); err == nil {
			return s.introspectRefresh(ctx, claims)
		}
	}
	caller, err := s.identify(ctx, text, client, use{})
	if errors.Is(err, apperr.Unauthorized) || Held(err) {
		return &Introspection{}, nil
	}
	if err != nil {
		return nil, err
	}
	found := &Introspection{
		Active: true, Scope: caller.Scopes.String(), ClientID: caller.ClientID, Username: caller.Username,
		TokenType: TokenTypeBearer, Subject: caller.UserID, Issuer: s.keyring.Issuer(), ID: caller.TokenID,
		ExpiresAt: caller.ExpiresAt, IssuedAt: caller.IssuedAt, NotBefore: caller.IssuedAt, Identity: caller.Identity,
	}
	if !caller.Personal {
		found.Audience = token.APIAccess.Audience()
	}
	return found, nil
}

// introspectRefresh checks a refresh token without using it: it is active as long
// as it is the session's newest.
func (s *Service) introspectRefresh(ctx context.Context, claims *token.Claims) (*Introspection, error) {
	p, err := s.auth.ProgramOf(ctx, claims)
	if errors.Is(err, apperr.Unauthorized) || err == nil && claims.Generation != p.Session.Generation {
		return &Introspection{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.held(ctx, auth.IdentityOf(p)); err != nil {
		if Held(err) {
			return &Introspection{}, nil
		}
		return nil, err
	}
	return &Introspection{
		Active: true, ClientID: claims.ClientID, Username: p.Username, TokenType: TokenTypeRefresh, Subject: claims.Subject,
		Issuer: claims.Issuer, Audience: claims.Audience, ID: claims.ID, ExpiresAt: claims.ExpiresAt.Time().UTC(),
		IssuedAt: claims.IssuedAt.Time().UTC(), NotBefore: claims.NotBefore.Time().UTC(), Identity: *auth.IdentityOf(p),
	}, nil
}
