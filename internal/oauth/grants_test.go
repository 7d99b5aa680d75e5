package oauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func TestPasswordGrant(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{
			Username: " ADA@example.org", Password: goodPassword, Scope: "me:write me", ClientID: "backup script",
		}, p.Client)
		if err != nil {
			t.Fatal(err)
		}
		if tokens.ExpiresIn != accessTTL || tokens.Scope != "me me:write" || tokens.Refresh == "" {
			t.Errorf("tokens for %v with scope %q", tokens.ExpiresIn, tokens.Scope)
		}
		user, now := p.User("ada"), p.Clock.Now().Truncate(time.Second)
		caller := p.Caller(tokens.Access)
		header, claims := decoded(t, tokens.Access)
		if header["typ"] != "at+jwt" || claims["aud"] != "latchkey:api" || claims["scope"] != "me me:write" || claims["client_id"] != "backup script" {
			t.Errorf("access token %v %v", header, claims)
		}
		if header, claims := decoded(t, tokens.Refresh); header["typ"] != "rt+jwt" || claims["aud"] != "latchkey:api-refresh" || claims["scope"] != "me me:write" {
			t.Errorf("refresh token %v %v", header, claims)
		}
		want := auth.Identity{
			UserID: user.ID, Username: "ada", Email: "ada@example.org", SessionID: caller.SessionID,
			AuthTime: p.Clock.Now(), ACR: models.ACR1,
		}
		if diff := cmp.Diff(want, caller.Identity); diff != "" {
			t.Errorf("identity (-want +got):\n%s", diff)
		}
		if caller.Scopes.String() != "me me:write" || caller.ClientID != "backup script" || caller.Personal || caller.TokenID != claims["jti"] ||
			!caller.IssuedAt.Equal(now) || !caller.ExpiresAt.Equal(now.Add(accessTTL)) {
			t.Errorf("caller %+v", caller)
		}
		session := p.Session(caller.SessionID)
		if session.Kind != models.KindAPI || session.Scope != "me me:write" || session.ClientID != "backup script" || session.UserAgent != p.Client.UserAgent {
			t.Errorf("session %+v", session)
		}
		live, err := p.Auth.Sessions(t.Context(), user.ID, "")
		if err != nil || len(live) != 2 {
			t.Fatalf("%d sessions in the list (%v), want the browser and the client", len(live), err)
		}
		for _, info := range live {
			if want := info.ID == session.ID; (info.Kind == models.KindAPI) != want || (info.ClientID == "backup script") != want {
				t.Errorf("in the list: %+v", info)
			}
		}
		if got := p.Grant("ada", "").Scope; got != "me" {
			t.Errorf("scope %q without one asked for, want me", got)
		}
		if user := p.User("ada"); user.LastSignInAt != models.At(p.Clock.Now()) {
			t.Errorf("last sign-in %v, want now", user.LastSignInAt.Time())
		}
		if n := p.Events(audit.APILogin); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
		p.Clock.Advance(accessDead)
		p.WantNoBearer("an expired access token", tokens.Access)
	})
}

// TestNoGrant checks that a wrong password, an unknown name and a disabled account
// get the same error and count the same in the limits.
func TestNoGrant(t *testing.T) {
	each(t, limited, func(p *portal) {
		for _, name := range []string{"ada", "bob", "cyd"} {
			p.Join(name)
		}
		if _, _, err := p.Accounts.Disable(t.Context(), auth.Shell(), p.User("bob").ID, ""); err != nil {
			t.Fatal(err)
		}
		tests := []struct{ what, name, password string }{
			{"wrong", "ada", "wrong"},
			{"unknown", "nobody-here", goodPassword},
			{"disabled, right", "bob", goodPassword},
			{"no password", "cyd", ""},
			{"a very long password", "dot", strings.Repeat("x", 2000)},
		}
		for i, test := range tests {
			for n := range 5 {
				_, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: test.name, Password: test.password}, from(fmt.Sprintf("10.0.%d.%d", i, n)))
				if !errors.Is(err, oauth.ErrInvalidGrant) || apperr.KindOf(err) != "" {
					t.Errorf("%s: %v (kind %q), want %v alone", test.what, err, apperr.KindOf(err), oauth.ErrInvalidGrant)
				}
			}
			_, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: test.name, Password: goodPassword}, from(fmt.Sprintf("10.0.%d.9", i)))
			wantWait(t, test.what+", five times", err, 30*time.Second)
		}
		if n := p.Events(audit.LoginDisabled); n != 5 {
			t.Errorf("%d events of a disabled account, want 5", n)
		}
		if n := p.Events(audit.LoginFailed); n != 20 {
			t.Errorf("%d events of wrong passwords, want 20", n)
		}
	})
}

func TestGrantScopes(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		p.Admin("boss")
		for i, test := range []struct {
			name, scope, clientID string
			want                  error
		}{
			{"ada", "me", "", nil},
			{"ada", "users", "", oauth.ErrInvalidScope},
			{"ada", "me introspect", "", oauth.ErrInvalidScope},
			{"ada", "me profile", "", oauth.ErrInvalidScope},
			{"nobody-here", "profile", "", oauth.ErrInvalidScope},
			{"nobody-here", "users", "", oauth.ErrInvalidGrant}, // the error does not reveal the role before the password is right
			{"boss", "me me:write users users:write introspect", "", nil},
			{"boss", "", strings.Repeat("x", 64), nil},
			{"boss", "", strings.Repeat("x", 65), oauth.ErrInvalidRequest},
			{"boss", "", "new\nline", oauth.ErrInvalidRequest},
			{"boss", "", "käse", oauth.ErrInvalidRequest},
		} {
			in := oauth.PasswordGrant{Username: test.name, Password: goodPassword, Scope: test.scope, ClientID: test.clientID}
			tokens, err := p.OAuth.PasswordGrant(t.Context(), in, from(fmt.Sprintf("10.0.0.%d", i)))
			if !errors.Is(err, test.want) {
				t.Errorf("%s, %q, client %q: %v, want %v", test.name, test.scope, test.clientID, err, test.want)
			}
			if (tokens != nil) != (test.want == nil) {
				t.Errorf("%s, %q: tokens %v", test.name, test.scope, tokens != nil)
			}
		}
		// A right password with a wrong scope is not a failed attempt.
		for range 10 {
			_, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: "ada", Password: goodPassword, Scope: "users"}, p.Client)
			if !errors.Is(err, oauth.ErrInvalidScope) {
				t.Fatal(err)
			}
		}
		// The error reveals that the password is right, so the audit log records it.
		if n := p.Events(audit.ScopeRefused); n != 12 {
			t.Errorf("%d events of refused scopes, want 12", n)
		}
	})
}

func TestPasswordGrantOff(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.PasswordsOff = true }, func(p *portal) {
		p.Join("ada")
		_, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: "ada", Password: goodPassword}, p.Client)
		if !errors.Is(err, oauth.ErrUnsupportedGrant) {
			t.Errorf("%v, want %v", err, oauth.ErrUnsupportedGrant)
		}
	})
}

// TestGrantAddressLimit checks the limit of thirty grants a minute from one address,
// for all accounts together.
func TestGrantAddressLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		for range 30 {
			p.Grant("ada", "")
		}
		in := oauth.PasswordGrant{Username: "ada", Password: goodPassword}
		_, err := p.OAuth.PasswordGrant(t.Context(), in, p.Client)
		wantWait(t, "the 31st", err, time.Minute)
		if _, err := p.OAuth.PasswordGrant(t.Context(), in, from("203.0.113.9")); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		p.Clock.Advance(time.Minute)
		p.Grant("ada", "")
	})
}

// TestGrantKeepsReplayNews checks that the person is still told of a replay in the
// browser after a script has signed in.
func TestGrantKeepsReplayNews(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		old := p.Grant("ada", "")
		p.Refreshed(old.Refresh)
		if _, err := p.RefreshAPI(old.Refresh, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
			t.Fatalf("replay: %v", err)
		}
		p.Grant("ada", "")
		if !p.SignIn("ada").Replayed {
			t.Error("the person is not told of the replay")
		}
	})
}

// TestAPISessionsApart checks the limit of twenty sessions of each kind, and that
// neither kind ends sessions of the other.
func TestAPISessionsApart(t *testing.T) {
	each(t, nil, func(p *portal) {
		browser := p.Join("ada").Tokens
		first := p.Grant("ada", "")
		for range 20 {
			p.Clock.Advance(time.Second)
			p.Grant("ada", "")
		}
		p.WantDead("the least recently used client", first)
		second := p.Grant("ada", "")
		for range 19 {
			p.Clock.Advance(time.Second)
			p.SignIn("ada")
		}
		if p.Present(browser.Access, "").Identity == nil {
			t.Error("clients of the API pushed a browser out")
		}
		p.Clock.Advance(time.Second)
		p.SignIn("ada")
		live, err := p.Auth.Sessions(t.Context(), p.User("ada").ID, "")
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[models.SessionKind]int{}
		for _, session := range live {
			kinds[session.Kind]++
		}
		if kinds[models.KindWeb] != 20 || kinds[models.KindAPI] != 20 {
			t.Errorf("%v live sessions, want 20 of each kind", kinds)
		}
		p.Caller(second.Access)
	})
}
