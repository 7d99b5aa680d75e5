package oauth_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func TestIntrospect(t *testing.T) {
	each(t, nil, func(p *portal) {
		browser := p.Join("ada").Tokens
		user, now := p.User("ada"), p.Clock.Now()
		second := now.Truncate(time.Second)
		tokens, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{
			Username: "ada", Password: goodPassword, Scope: "me me:write", ClientID: "cli",
		}, p.Client)
		if err != nil {
			t.Fatal(err)
		}
		identity := auth.Identity{
			UserID: user.ID, Username: "ada", Email: "ada@example.org",
			SessionID: p.Caller(tokens.Access).SessionID, AuthTime: now, ACR: models.ACR1,
		}
		_, access := decoded(t, tokens.Access)
		_, refresh := decoded(t, tokens.Refresh)
		secret, personal := p.Personal(browser, "me:write", 30)
		owner := identity
		owner.SessionID, owner.PersonalTokenID = "", personal.ID
		owner.AuthTime, owner.ACR = time.Time{}, ""
		for _, test := range []struct {
			name, token string
			refresh     bool
			want        oauth.Introspection
		}{
			{"access", tokens.Access, false, oauth.Introspection{
				Active: true, Scope: "me me:write", ClientID: "cli", Username: "ada", TokenType: "Bearer", Subject: user.ID, Issuer: issuer,
				Audience: "latchkey:api", ID: access["jti"].(string), ExpiresAt: second.Add(accessTTL), IssuedAt: second, NotBefore: second, Identity: identity,
			}},
			{"refresh, not asked for as one", tokens.Refresh, false, oauth.Introspection{}},
			{"refresh", tokens.Refresh, true, oauth.Introspection{
				Active: true, ClientID: "cli", Username: "ada", TokenType: "refresh_token", Subject: user.ID, Issuer: issuer,
				Audience: "latchkey:api-refresh", ID: refresh["jti"].(string), ExpiresAt: second.Add(servicetest.SessionTTL), IssuedAt: second, NotBefore: second, Identity: identity,
			}},
			{"personal", secret, false, oauth.Introspection{
				Active: true, Scope: "me:write", Username: "ada", TokenType: "Bearer", Subject: user.ID, Issuer: issuer,
				ID: personal.ID, ExpiresAt: now.Add(30 * 24 * time.Hour), IssuedAt: now, NotBefore: now, Identity: owner,
			}},
			{"browser access", browser.Access, false, oauth.Introspection{}},
			{"browser refresh", browser.Refresh, true, oauth.Introspection{}},
			{"nothing", "", false, oauth.Introspection{}},
			{"changed", tokens.Access[:len(tokens.Access)-3] + "AAA", true, oauth.Introspection{}},
		} {
			found, err := p.OAuth.Introspect(t.Context(), test.token, test.refresh, p.Client)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			if diff := cmp.Diff(test.want, *found); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.name, diff)
			}
		}
		next := p.Refreshed(tokens.Refresh)
		p.WantInactive("a used refresh token", tokens.Refresh)
		if found, err := p.OAuth.Introspect(t.Context(), next.Refresh, true, p.Client); err != nil || !found.Active {
			t.Errorf("asking about a used token ended the session: %+v (%v)", found, err)
		}
	})
}
