package oauth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestRefreshGrant(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "me me:write")
		sid := p.Caller(tokens.Access).SessionID
		for generation := int64(2); generation < 5; generation++ {
			p.Clock.Advance(24 * time.Hour)
			tokens = p.Refreshed(tokens.Refresh)
			if tokens.Scope != "me me:write" || tokens.ExpiresIn != accessTTL {
				t.Errorf("scope %q for %v", tokens.Scope, tokens.ExpiresIn)
			}
			if caller := p.Caller(tokens.Access); caller.SessionID != sid || p.Session(sid).Generation != generation {
				t.Errorf("session %s at generation %d, want %s at %d", caller.SessionID, p.Session(sid).Generation, sid, generation)
			}
		}
		// Rotating does not move the absolute limit.
		p.Clock.Advance(6 * 24 * time.Hour)
		tokens = p.Refreshed(tokens.Refresh)
		for range 3 {
			p.Clock.Advance(6 * 24 * time.Hour)
			tokens = p.Refreshed(tokens.Refresh)
		}
		p.Clock.Advance(3 * 24 * time.Hour)
		p.WantDead("past the absolute limit", tokens)

		tokens = p.Grant("ada", "")
		p.Clock.Advance(refreshTTL + time.Minute)
		p.WantDead("past the idle limit", tokens)
	})
}

func TestRefreshScope(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Admin("boss")
		tokens, err := p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{
			Username: "boss", Password: goodPassword, Scope: "me users", ClientID: "cli",
		}, p.Client)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			scope, clientID, want string
			err                   error
		}{
			{"me", "", "me", nil},
			{"me users", "cli", "me users", nil}, // narrower in the request before; the session keeps its scopes
			{" ", "", "me users", nil},
			{"users", "cli", "users", nil},
			{"me me:write", "", "", oauth.ErrInvalidScope},
			{"introspect", "", "", oauth.ErrInvalidScope},
			{"nothing", "", "", oauth.ErrInvalidScope},
			{"", "another", "", oauth.ErrInvalidGrant},
			{"", "new\nline", "", oauth.ErrInvalidRequest},
			{"", "", "me users", nil}, // refused requests did not use the token
		} {
			got, err := p.OAuth.RefreshGrant(t.Context(), oauth.RefreshGrant{RefreshToken: tokens.Refresh, Scope: test.scope, ClientID: test.clientID}, p.Client)
			if !errors.Is(err, test.err) {
				t.Errorf("scope %q, client %q: %v, want %v", test.scope, test.clientID, err, test.err)
			}
			if err != nil {
				continue
			}
			if caller := p.Caller(got.Access); got.Scope != test.want || caller.Scopes.String() != test.want || caller.ClientID != "cli" {
				t.Errorf("scope %q: given %q, worth %q, of client %q", test.scope, got.Scope, caller.Scopes, caller.ClientID)
			}
			tokens = got
		}
	})
}

// TestStrictRotation checks that there is neither a grace period nor a confirmation
// rule: presenting a used token ends the session at once.
func TestStrictRotation(t *testing.T) {
	each(t, nil, func(p *portal) {
		for name, between := range map[string]func(*oauth.Tokens){
			"within what a browser is forgiven":     func(*oauth.Tokens) {},
			"after its successor was used":          func(next *oauth.Tokens) { p.Caller(next.Access) },
			"after another rotation":                func(next *oauth.Tokens) { p.Refreshed(next.Refresh) },
			"after the access token was renewed":    func(next *oauth.Tokens) { _, _ = p.OAuth.RenewAccess(t.Context(), p.Caller(next.Access)) },
			"long after what a browser is forgiven": func(*oauth.Tokens) { p.Clock.Advance(time.Minute) },
		} {
			user := models.NewID()[:12]
			p.Join(user)
			first, other := p.Grant(user, ""), p.Grant(user, "")
			before := p.Events(audit.Replay)
			next := p.Refreshed(first.Refresh)
			between(next)
			if _, err := p.RefreshAPI(first.Refresh, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
				t.Errorf("%s: %v, want %v", name, err, oauth.ErrInvalidGrant)
			}
			p.WantDead(name+": the first tokens", first)
			p.WantDead(name+": their successors", next)
			p.Caller(other.Access)
			if n := p.Events(audit.Replay) - before; n != 1 {
				t.Errorf("%s: %d audit events, want 1", name, n)
			}
		}
	})
}

// TestParallelRefreshGrant sends one refresh token from many callers at once, several
// times. At most one gets tokens, and none of them work afterwards.
func TestParallelRefreshGrant(t *testing.T) {
	const callers, rounds = 20, 10
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		clock := servicetest.NewClock(servicetest.Start)
		p, q := newPortal(t, store, clock, nil), newPortal(t, store, clock, nil)
		p.Join("ada")
		for round := range rounds {
			tokens := p.Grant("ada", "")
			results := make([]*oauth.Tokens, callers)
			errs := make([]error, callers)
			parallel(callers, func(i int) {
				service := []*portal{p, q}[i%2]
				results[i], errs[i] = service.OAuth.RefreshGrant(t.Context(), oauth.RefreshGrant{RefreshToken: tokens.Refresh}, p.Client)
			})
			given := []*oauth.Tokens{tokens}
			for i, result := range results {
				if result != nil {
					given = append(given, result)
				} else if !errors.Is(errs[i], oauth.ErrInvalidGrant) {
					t.Errorf("round %d: %v", round, errs[i])
				}
			}
			if len(given) > 2 {
				t.Errorf("round %d: %d callers were given tokens", round, len(given)-1)
			}
			for i, tokens := range given {
				p.WantDead(fmt.Sprintf("round %d, tokens %d", round, i), tokens)
			}
		}
		if n := p.Events(audit.Replay); n != rounds {
			t.Errorf("%d audit events, want one for each of %d rounds", n, rounds)
		}
	})
}

func TestRefreshLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		for range 60 {
			tokens = p.Refreshed(tokens.Refresh)
		}
		p.Clock.Advance(10 * time.Second)
		_, err := p.RefreshAPI(tokens.Refresh, "")
		wantWait(t, "the 61st in a minute", err, 50*time.Second)
		if message := apperr.Details(err).Message; message == "" {
			t.Error("no message for the client")
		}
		p.Clock.Advance(50 * time.Second)
		p.Refreshed(tokens.Refresh) // the token was not used
	})
}

func TestRenewAccess(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "me:write")
		p.Clock.Advance(time.Minute)
		caller := p.Caller(tokens.Access)
		fresh, err := p.OAuth.RenewAccess(t.Context(), caller)
		if err != nil {
			t.Fatal(err)
		}
		if fresh.Refresh != "" || fresh.Scope != "me:write" || fresh.ExpiresIn != accessTTL {
			t.Errorf("renewed: refresh %q, scope %q, %v", fresh.Refresh, fresh.Scope, fresh.ExpiresIn)
		}
		renewed := p.Caller(fresh.Access)
		if renewed.SessionID != caller.SessionID || renewed.TokenID == caller.TokenID || p.Session(caller.SessionID).Generation != 1 {
			t.Errorf("renewed: %+v from %+v", renewed, caller)
		}
		p.Refreshed(tokens.Refresh)
		_, err = p.OAuth.RenewAccess(t.Context(), p.Caller(fresh.Access))
		wantKind(t, "renew after a rotation", err, apperr.Unauthorized)
	})
}
