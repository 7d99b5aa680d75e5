package oauth_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestClassesApart checks that a browser's tokens do not work in the API, and the
// reverse.
func TestClassesApart(t *testing.T) {
	each(t, nil, func(p *portal) {
		web := p.Join("ada").Tokens
		api := p.Grant("ada", "")
		for what, token := range map[string]string{
			"a browser's access token": web.Access, "a browser's refresh token": web.Refresh, "an API refresh token": api.Refresh,
			"nothing": "", "text": "lk_", "an unknown token": oauth.PersonalPrefix + "abcdefghijklmnopqrstuvwxyz" + "abcdefghijklmnopqrstuvwxyz",
		} {
			_, err := p.OAuth.AuthenticateBearer(t.Context(), token, p.Client)
			wantKind(t, what+" as a bearer", err, apperr.Unauthorized)
			if token != api.Refresh {
				p.WantInactive(what, token)
				if _, err := p.RefreshAPI(token, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
					t.Errorf("%s as an API refresh token: %v", what, err)
				}
				if err := p.OAuth.RevokeToken(t.Context(), token, "", p.Client); err != nil {
					t.Errorf("revoke %s: %v", what, err)
				}
			}
		}
		if _, err := p.RefreshAPI(api.Access, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
			t.Errorf("an access token as a refresh token: %v", err)
		}
		for what, presented := range map[string]auth.Presented{
			"API tokens in cookies": {Access: api.Access, Refresh: api.Refresh}, "an API refresh token in a cookie": {Refresh: api.Refresh},
		} {
			result, err := p.Auth.Authenticate(t.Context(), presented, p.Client)
			if err != nil || result != (auth.Result{}) {
				t.Errorf("%s: %+v (%v)", what, result, err)
			}
			if err := p.Auth.Logout(t.Context(), presented, p.Client); err != nil {
				t.Error(err)
			}
		}
		if p.Present(web.Access, "").Identity == nil {
			t.Error("the browser was signed out")
		}
		p.Caller(api.Access)
		p.Refreshed(api.Refresh)
	})
}

// TestEndsAPISessions checks that every action that ends a person's sessions also
// ends their API sessions, from the next request on, in every process.
func TestEndsAPISessions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		clock := servicetest.NewClock(servicetest.Start)
		p, q := newPortal(t, store, clock, nil), newPortal(t, store, clock, nil)
		boss := p.Admin("boss")
		for _, test := range []struct {
			name string
			end  func(user *models.User, browser *auth.SignedIn, api *oauth.Tokens) error
		}{
			{"disable", func(user *models.User, _ *auth.SignedIn, _ *oauth.Tokens) error {
				_, _, err := p.Accounts.Disable(t.Context(), boss, user.ID, "")
				return err
			}},
			{"disable-by-api", func(user *models.User, _ *auth.SignedIn, _ *oauth.Tokens) error {
				disabled := true
				_, err := p.Accounts.ChangeUser(t.Context(), boss, user.ID, account.UserChange{Disabled: &disabled})
				return err
			}},
			{"delete", func(user *models.User, _ *auth.SignedIn, _ *oauth.Tokens) error {
				_, _, err := p.Accounts.Delete(t.Context(), boss, user.ID, user.Email)
				return err
			}},
			{"sign-out", func(user *models.User, _ *auth.SignedIn, _ *oauth.Tokens) error {
				_, _, err := p.Accounts.SignOutUser(t.Context(), boss, user.ID)
				return err
			}},
			{"end-others", func(_ *models.User, browser *auth.SignedIn, _ *oauth.Tokens) error {
				_, err := p.Auth.EndOtherSessions(t.Context(), p.Identity(browser.Tokens), p.Client)
				return err
			}},
			{"end-it", func(_ *models.User, browser *auth.SignedIn, api *oauth.Tokens) error {
				_, err := p.Auth.EndSession(t.Context(), p.Identity(browser.Tokens), q.Caller(api.Access).SessionID, p.Client)
				return err
			}},
			{"password", func(_ *models.User, browser *auth.SignedIn, _ *oauth.Tokens) error {
				_, err := p.Accounts.ChangePassword(t.Context(), account.CredentialChange{
					Identity: p.Identity(browser.Tokens), Current: goodPassword, New: "another-quiet-lantern-29", Client: p.Client,
				})
				return err
			}},
			{"email", func(_ *models.User, browser *auth.SignedIn, _ *oauth.Tokens) error {
				_, err := p.Accounts.ChangeEmail(t.Context(), account.CredentialChange{
					Identity: p.Identity(browser.Tokens), Current: goodPassword, New: "new@example.org", Client: p.Client,
				})
				return err
			}},
			{"reset", func(user *models.User, _ *auth.SignedIn, _ *oauth.Tokens) error {
				_, token, err := p.Accounts.CreateResetLink(t.Context(), boss, user.ID)
				_, resetErr := p.Accounts.ResetPassword(t.Context(), account.Reset{Token: token, Password: "another-quiet-lantern-29", Client: p.Client})
				return errors.Join(err, resetErr)
			}},
			{"revoke-access", func(_ *models.User, _ *auth.SignedIn, api *oauth.Tokens) error {
				return p.OAuth.RevokeToken(t.Context(), api.Access, "", p.Client)
			}},
			{"revoke-refresh", func(_ *models.User, _ *auth.SignedIn, api *oauth.Tokens) error {
				return p.OAuth.RevokeToken(t.Context(), api.Refresh, "", p.Client)
			}},
		} {
			browser := p.Join(test.name)
			api := p.Grant(test.name, "")
			q.Caller(api.Access)
			if err := test.end(p.User(test.name), browser, api); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			q.WantDead(test.name, api)
			if err := q.OAuth.RevokeToken(t.Context(), api.Access, "", p.Client); err != nil {
				t.Errorf("%s: revoke what is over: %v", test.name, err)
			}
		}
		if n := p.Events(audit.APILogout); n != 2 {
			t.Errorf("%d sign-outs of the API in the audit log, want 2", n)
		}
	})
}

// TestRevokeOne checks that revoking a session ends no other session.
func TestRevokeOne(t *testing.T) {
	each(t, nil, func(p *portal) {
		browser := p.Join("ada").Tokens
		one, other := p.Grant("ada", ""), p.Grant("ada", "")
		sid := p.Caller(one.Access).SessionID
		if err := p.OAuth.RevokeToken(t.Context(), one.Access, "", p.Client); err != nil {
			t.Fatal(err)
		}
		p.WantDead("revoked", one)
		p.Caller(other.Access)
		if p.Present(browser.Access, "").Identity == nil {
			t.Error("the browser was signed out too")
		}
		if reason := p.Session(sid).EndReason; reason != models.ReasonLogout {
			t.Errorf("ended because %q", reason)
		}
	})
}

// TestDemotion checks that every request uses the permissions of the current role.
func TestDemotion(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Admin("boss")
		user := p.Admin("ada")
		tokens := p.Grant("ada", "me users introspect")
		role := func(role models.Role) {
			t.Helper()
			if _, err := p.Accounts.SetRole(t.Context(), auth.Shell(), user.UserID, role); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, scopes string, admin bool) {
			t.Helper()
			caller := p.Caller(tokens.Access)
			found, err := p.OAuth.Introspect(t.Context(), tokens.Access, false, p.Client)
			if err != nil {
				t.Fatal(err)
			}
			if caller.Scopes.String() != scopes || caller.Admin != admin || found.Scope != scopes {
				t.Errorf("%s: may %q, introspection %q, admin %v; want %q, %v", what, caller.Scopes, found.Scope, caller.Admin, scopes, admin)
			}
		}
		check("an admin", "me users introspect", true)
		role(models.RoleUser)
		check("demoted", "me", false)
		if tokens = p.Refreshed(tokens.Refresh); tokens.Scope != "me" {
			t.Errorf("refreshed when demoted: scope %q", tokens.Scope)
		}
		role(models.RoleAdmin)
		check("promoted again, with the token of the demoted", "me", true)
		tokens = p.Refreshed(tokens.Refresh)
		check("promoted again and refreshed", "me users introspect", true)
	})
}

// TestLastSeen checks that a session in use does not become idle, and that its use
// is recorded once a minute.
func TestLastSeen(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		began := p.Session(p.Caller(tokens.Access).SessionID)
		p.Clock.Advance(59 * time.Second)
		p.Caller(tokens.Access)
		if got := p.Session(began.ID).LastSeenAt; got != began.LastSeenAt {
			t.Errorf("written after %v", got.Sub(began.LastSeenAt))
		}
		p.Clock.Advance(time.Second)
		p.Caller(tokens.Access)
		if got := p.Session(began.ID).LastSeenAt; got != models.At(p.Clock.Now()) {
			t.Errorf("last seen %v, want now", got.Time())
		}
	})
}
