package auth_test

import (
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
)

// grant opens an API session of a person.
func (p *portal) grant(name, scope string) *auth.APITokens {
	p.T.Helper()
	tokens, err := p.Auth.PasswordGrant(p.T.Context(), auth.PasswordGrant{Username: name, Password: goodPassword, Scope: scope}, p.Client)
	if err != nil {
		p.T.Fatalf("grant for %s: %v", name, err)
	}
	return tokens
}

func (p *portal) refreshAPI(token, scope string) (*auth.APITokens, error) {
	return p.Auth.RefreshGrant(p.T.Context(), auth.RefreshGrant{RefreshToken: token, Scope: scope}, p.Client)
}

// refreshed rotates an API session, which must succeed.
func (p *portal) refreshed(token string) *auth.APITokens {
	p.T.Helper()
	tokens, err := p.refreshAPI(token, "")
	if err != nil {
		p.T.Fatalf("refresh: %v", err)
	}
	return tokens
}

// caller returns whose a bearer token is, who must be somebody.
func (p *portal) caller(token string) *auth.Caller {
	p.T.Helper()
	caller, err := p.Auth.AuthenticateBearer(p.T.Context(), token, p.Client)
	if err != nil {
		p.T.Fatalf("bearer: %v", err)
	}
	return caller
}

// wantDead checks that neither token of an API session is worth anything,
// anywhere.
func (p *portal) wantDead(what string, tokens *auth.APITokens) {
	p.T.Helper()
	p.wantNoBearer(what, tokens.Access)
	if _, err := p.refreshAPI(tokens.Refresh, ""); !errors.Is(err, auth.ErrInvalidGrant) {
		p.T.Errorf("%s: the refresh token: %v, want %v", what, err, auth.ErrInvalidGrant)
	}
	p.wantInactive(what+": the refresh token", tokens.Refresh)
}

// wantNoBearer checks that a bearer token is refused in the one way there is.
func (p *portal) wantNoBearer(what, token string) {
	p.T.Helper()
	_, err := p.Auth.AuthenticateBearer(p.T.Context(), token, p.Client)
	wantKind(p.T, what, err, apperr.Unauthorized)
	if details := apperr.Details(err); details.Message != "" || details.Field != "" || details.RetryAfter != 0 {
		p.T.Errorf("%s: says more than that it is refused: %+v", what, details)
	}
	p.wantInactive(what, token)
}

func (p *portal) wantInactive(what, token string) {
	p.T.Helper()
	found, err := p.Auth.Introspect(p.T.Context(), token, p.Client)
	if err != nil || *found != (auth.Introspection{}) {
		p.T.Errorf("%s: introspection %+v (%v), want inactive and nothing else", what, found, err)
	}
}
