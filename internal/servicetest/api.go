package servicetest

import (
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/oauth"
)

// Grant opens an API session of a person.
func (p *Portal) Grant(name, scope string) *oauth.Tokens {
	p.T.Helper()
	tokens, err := p.OAuth.PasswordGrant(p.T.Context(), oauth.PasswordGrant{Username: name, Password: Password, Scope: scope}, p.Client)
	if err != nil {
		p.T.Fatalf("grant for %s: %v", name, err)
	}
	return tokens
}

// RefreshAPI presents the refresh token of an API session.
func (p *Portal) RefreshAPI(token, scope string) (*oauth.Tokens, error) {
	return p.OAuth.RefreshGrant(p.T.Context(), oauth.RefreshGrant{RefreshToken: token, Scope: scope}, p.Client)
}

// Refreshed rotates an API session, which must succeed.
func (p *Portal) Refreshed(token string) *oauth.Tokens {
	p.T.Helper()
	tokens, err := p.RefreshAPI(token, "")
	if err != nil {
		p.T.Fatalf("refresh: %v", err)
	}
	return tokens
}

// Caller returns the person of a bearer token, which must work.
func (p *Portal) Caller(token string) *oauth.Caller {
	p.T.Helper()
	caller, err := p.OAuth.AuthenticateBearer(p.T.Context(), token, p.Client)
	if err != nil {
		p.T.Fatalf("bearer: %v", err)
	}
	return caller
}

// WantDead checks that neither token of an API session works anywhere.
func (p *Portal) WantDead(what string, tokens *oauth.Tokens) {
	p.T.Helper()
	p.WantNoBearer(what, tokens.Access)
	if _, err := p.RefreshAPI(tokens.Refresh, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
		p.T.Errorf("%s: the refresh token: %v, want %v", what, err, oauth.ErrInvalidGrant)
	}
	p.WantInactive(what+": the refresh token", tokens.Refresh)
}

// WantNoBearer checks that a bearer token is refused like any other.
func (p *Portal) WantNoBearer(what, token string) {
	p.T.Helper()
	_, err := p.OAuth.AuthenticateBearer(p.T.Context(), token, p.Client)
	WantKind(p.T, what, err, apperr.Unauthorized)
	if details := apperr.Details(err); details.Message != "" || details.Field != "" || details.RetryAfter != 0 {
		p.T.Errorf("%s: says more than that it is refused: %+v", what, details)
	}
	p.WantInactive(what, token)
}

// WantInactive checks that introspection reveals nothing about a token but that
// it is inactive.
func (p *Portal) WantInactive(what, token string) {
	p.T.Helper()
	for _, refresh := range []bool{false, true} {
		found, err := p.OAuth.Introspect(p.T.Context(), token, refresh, p.Client)
		if err != nil || *found != (oauth.Introspection{}) {
			p.T.Errorf("%s: introspection %+v (%v), want inactive and nothing else", what, found, err)
		}
	}
}
