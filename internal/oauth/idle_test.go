package oauth_test

import (
	"testing"
	"time"

	"latchkey/internal/servicetest"
)

// TestUseKeepsTheSession checks that a program that only uses its access token keeps
// its session, and so its refresh token, until the absolute limit. Its workers may
// share an older access token.
func TestUseKeepsTheSession(t *testing.T) {
	const idle, lifetime = time.Hour, 6 * time.Hour
	change := func(o *servicetest.Options) { o.AccessTTL, o.RefreshTTL, o.SessionTTL = 24*time.Hour, idle, lifetime }
	each(t, change, func(p *portal) {
		p.Join("ada")
		first := p.Grant("ada", "")
		end := p.Clock.Now().Add(lifetime)
		second := p.Refreshed(first.Refresh)
		p.Caller(second.Access)
		for _, access := range []string{second.Access, second.Access, first.Access, first.Access, first.Access} {
			p.Clock.Advance(idle * 9 / 10)
			p.Caller(access)
		}
		third := p.Refreshed(second.Refresh)
		for p.Clock.Now().Add(idle / 2).Before(end) {
			p.Clock.Advance(idle / 2)
			p.Caller(third.Access)
		}
		p.Clock.Advance(end.Sub(p.Clock.Now()))
		p.WantDead("at the absolute limit", third)
	})
}

// TestExpiresInIsTrue checks that expires_in is at most the remaining time of the
// token, of the session, and until the idle limit, which only a use extends.
func TestExpiresInIsTrue(t *testing.T) {
	for _, test := range []struct {
		name                   string
		access, idle, lifetime time.Duration
		after                  time.Duration // from the sign-in to the refresh
		first, refreshed       time.Duration
	}{
		{"the token's life", 5 * time.Minute, time.Hour, 2 * time.Hour, 10 * time.Minute, 5 * time.Minute, 5 * time.Minute},
		{"the idle limit", time.Hour, 10 * time.Minute, 2 * time.Hour, 9 * time.Minute, 10 * time.Minute, 10 * time.Minute},
		{"the absolute limit", time.Hour, 30 * time.Minute, 35 * time.Minute, 20*time.Minute + 600*time.Millisecond, 30 * time.Minute, 14*time.Minute + 59*time.Second},
	} {
		change := func(o *servicetest.Options) {
			o.AccessTTL, o.RefreshTTL, o.SessionTTL = test.access, test.idle, test.lifetime
		}
		each(t, change, func(p *portal) {
			p.Join("ada")
			tokens := p.Grant("ada", "")
			if got := tokens.ExpiresIn; got != test.first {
				p.T.Errorf("%s: expires in %v, want %v", test.name, got, test.first)
			}
			p.Clock.Advance(test.after)
			if got := p.Refreshed(tokens.Refresh).ExpiresIn; got != test.refreshed {
				p.T.Errorf("%s, refreshed: expires in %v, want %v", test.name, got, test.refreshed)
			}
		})
	}
}

// TestExpiresInOfRenewal checks expires_in of a renewed token. Renewing does not
// extend the idle limit, so it is at most the time until then.
func TestExpiresInOfRenewal(t *testing.T) {
	change := func(o *servicetest.Options) { o.AccessTTL, o.RefreshTTL = time.Hour, 10*time.Minute }
	each(t, change, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		p.Clock.Advance(4 * time.Minute)
		caller, err := p.OAuth.PeekBearer(p.T.Context(), tokens.Access, p.Client)
		if err != nil {
			p.T.Fatal(err)
		}
		fresh, err := p.OAuth.RenewAccess(p.T.Context(), caller)
		if err != nil {
			p.T.Fatal(err)
		}
		kept, err := p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client)
		if err != nil {
			p.T.Fatal(err)
		}
		if want := 6 * time.Minute; fresh.ExpiresIn != want || kept.ExpiresIn != want {
			p.T.Errorf("expires in %v, and with a kept refresh token in %v, want %v", fresh.ExpiresIn, kept.ExpiresIn, want)
		}
		p.Clock.Advance(fresh.ExpiresIn)
		p.WantNoBearer("unused for as long as expires_in", fresh.Access)
	})
}
