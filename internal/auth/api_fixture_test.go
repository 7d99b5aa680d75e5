package auth_test

import (
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
)

// grant opens an API session of a person.
func (p *portal) grant(name, scope string) *auth.APITokens {
	p.t.Helper()
	tokens, err := p.PasswordGrant(p.t.Context(), auth.PasswordGrant{Username: name, Password: goodPassword, Scope: scope}, p.client)
	if err != nil {
		p.t.Fatalf("grant for %s: %v", name, err)
	}
	return tokens
}

func (p *portal) refreshAPI(token, scope string) (*auth.APITokens, error) {
	return p.RefreshGrant(p.t.Context(), auth.RefreshGrant{RefreshToken: token, Scope: scope}, p.client)
}

// refreshed rotates an API session, which must succeed.
func (p *portal) refreshed(token string) *auth.APITokens {
	p.t.Helper()
	tokens, err := p.refreshAPI(token, "")
	if err != nil {
		p.t.Fatalf("refresh: %v", err)
	}
	return tokens
}

// caller returns whose a bearer token is, who must be somebody.
func (p *portal) caller(token string) *auth.Caller {
	p.t.Helper()
	caller, err := p.AuthenticateBearer(p.t.Context(), token, p.client)
	if err != nil {
		p.t.Fatalf("bearer: %v", err)
	}
	return caller
}

// wantDead checks that neither token of an API session is worth anything,
// anywhere.
func (p *portal) wantDead(what string, tokens *auth.APITokens) {
	p.t.Helper()
	p.wantNoBearer(what, tokens.Access)
	if _, err := p.refreshAPI(tokens.Refresh, ""); !errors.Is(err, auth.ErrInvalidGrant) {
		p.t.Errorf("%s: the refresh token: %v, want %v", what, err, auth.ErrInvalidGrant)
	}
	p.wantInactive(what+": the refresh token", tokens.Refresh)
}

// wantNoBearer checks that a bearer token is refused in the one way there is.
func (p *portal) wantNoBearer(what, token string) {
	p.t.Helper()
	_, err := p.AuthenticateBearer(p.t.Context(), token, p.client)
	wantKind(p.t, what, err, apperr.Unauthorized)
	if details := apperr.Details(err); details.Message != "" || details.Field != "" || details.RetryAfter != 0 {
		p.t.Errorf("%s: says more than that it is refused: %+v", what, details)
	}
	p.wantInactive(what, token)
}

func (p *portal) wantInactive(what, token string) {
	p.t.Helper()
	found, err := p.Introspect(p.t.Context(), token, p.client)
	if err != nil || *found != (auth.Introspection{}) {
		p.t.Errorf("%s: introspection %+v (%v), want inactive and nothing else", what, found, err)
	}
}
