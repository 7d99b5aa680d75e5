package oauth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/servicetest"
)

// TestRenewalEnds checks that an access token can be renewed for exactly an hour
// after the last grant, however often, so that a stolen one cannot replace the
// refresh token.
func TestRenewalEnds(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		chain := func(tokens string) string {
			p.T.Helper()
			start := p.Clock.Now()
			for {
				caller, err := p.OAuth.PeekBearer(p.T.Context(), tokens, p.Client)
				if err != nil {
					p.T.Fatal(err)
				}
				fresh, err := p.OAuth.RenewAccess(p.T.Context(), caller)
				if err != nil {
					p.T.Fatalf("after %v: %v", p.Clock.Now().Sub(start), err)
				}
				if end := p.Clock.Now().Add(fresh.ExpiresIn); end.After(start.Add(time.Hour)) {
					p.T.Fatalf("a renewed token lives to %v after the grant", end.Sub(start))
				}
				tokens = fresh.Access
				if p.Clock.Now().Sub(start) >= 56*time.Minute {
					return tokens
				}
				p.Clock.Advance(4 * time.Minute)
			}
		}
		last := chain(tokens.Access)
		p.Clock.Advance(5 * time.Minute) // its end, leeway included
		p.WantNoBearer("the last of the chain", last)
		// The next grant starts another hour.
		chain(p.Refreshed(tokens.Refresh).Access)
	})
}

// TestRenewalWithLongTokens checks that access tokens that live longer than the hour
// cannot be renewed after it.
func TestRenewalWithLongTokens(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.AccessTTL = 24 * time.Hour }, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		p.Clock.Advance(59 * time.Minute)
		fresh, err := p.OAuth.RenewAccess(p.T.Context(), p.Caller(tokens.Access))
		if err != nil || fresh.ExpiresIn > time.Minute {
			p.T.Errorf("after 59 minutes: %+v, %v; want a minute", fresh, err)
		}
		p.Clock.Advance(time.Minute)
		_, err = p.OAuth.RenewAccess(p.T.Context(), p.Caller(tokens.Access))
		wantKind(p.T, "after an hour", err, apperr.Unauthorized)
	})
}

// TestRenewalMovesNothing checks that renewing does not count as a use of the
// session, so that its idle limit does not change.
func TestRenewalMovesNothing(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		sid := p.Caller(tokens.Access).SessionID
		before := p.Session(sid)
		p.Clock.Advance(3 * time.Minute)
		caller, err := p.OAuth.PeekBearer(p.T.Context(), tokens.Access, p.Client)
		if err != nil {
			p.T.Fatal(err)
		}
		if _, err := p.OAuth.RenewAccess(p.T.Context(), caller); err != nil {
			p.T.Fatal(err)
		}
		if got := p.Session(sid); got.LastSeenAt != before.LastSeenAt || got.Generation != before.Generation || got.ExpiresAt != before.ExpiresAt {
			p.T.Errorf("last seen %v, want %v", got.LastSeenAt.Time(), before.LastSeenAt.Time())
		}
	})
}

func TestRenewalOff(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.RenewalOff = true }, func(p *portal) {
		p.Join("ada")
		_, err := p.OAuth.RenewAccess(p.T.Context(), p.Caller(p.Grant("ada", "").Access))
		wantKind(p.T, "renew", err, apperr.NotFound)
	})
}

// TestIntrospectionAddress checks that the service that introspects a personal access
// token is not recorded as its user.
func TestIntrospectionAddress(t *testing.T) {
	each(t, nil, func(p *portal) {
		draft := p.Draft(p.Join("ada").Tokens)
		value, made, err := p.Accounts.CreatePersonalToken(p.T.Context(), draft)
		if err != nil {
			p.T.Fatal(err)
		}
		p.Clock.Advance(time.Minute)
		if found, err := p.OAuth.Introspect(p.T.Context(), value, false, from("203.0.113.99")); err != nil || !found.Active {
			p.T.Fatalf("%+v, %v", found, err)
		}
		token, err := p.Accounts.PersonalToken(p.T.Context(), p.User("ada").ID, made.ID)
		if err != nil || token.LastUsedIP != "" || token.LastUsedAt.IsZero() {
			p.T.Errorf("last used %v from %q (%v), want a time and no address", token.LastUsedAt, token.LastUsedIP, err)
		}
	})
}
