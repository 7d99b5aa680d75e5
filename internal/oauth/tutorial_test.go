package oauth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// TestRefreshedAccess checks that a refresh token gets access tokens for exactly ten
// hours after the sign-in and does not change.
func TestRefreshedAccess(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "me me:write")
		_, claims := decoded(p.T, tokens.Refresh)
		sid := claims["sid"].(string)
		before, start := p.Session(sid), p.Clock.Now()
		for p.Clock.Now().Sub(start) < 10*time.Hour-time.Minute {
			fresh, err := p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client)
			if err != nil {
				p.T.Fatalf("after %v: %v", p.Clock.Now().Sub(start), err)
			}
			if fresh.Refresh != "" || fresh.Scope != "me me:write" || fresh.ExpiresIn != accessTTL {
				p.T.Fatalf("got %+v", fresh)
			}
			if caller := p.Caller(fresh.Access); caller.SessionID != sid || caller.Username != "ada" {
				p.T.Fatalf("got %+v", caller)
			}
			p.Clock.Advance(59 * time.Minute)
		}
		if got := p.Session(sid); got.Generation != before.Generation || got.DeliveredAt != before.DeliveredAt || got.ExpiresAt != before.ExpiresAt {
			p.T.Errorf("the session changed: got %+v, want %+v", got, before)
		}
		p.Clock.Advance(start.Add(10*time.Hour - time.Minute).Sub(p.Clock.Now()))
		last, err := p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client)
		if err != nil || last.ExpiresIn != time.Minute {
			p.T.Fatalf("a minute before the end: got %+v, %v; want a token for a minute", last, err)
		}
		p.Clock.Advance(time.Minute)
		_, err = p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client)
		wantKind(p.T, "ten hours after the sign-in", err, apperr.Unauthorized)
		// The refresh token itself keeps working. A new one does not extend the ten hours.
		next := p.Refreshed(tokens.Refresh)
		_, err = p.OAuth.RefreshedAccess(p.T.Context(), next.Refresh, p.Client)
		wantKind(p.T, "the next refresh token", err, apperr.Unauthorized)
	})
}

// TestRefreshedAccessRefuses lists the tokens that get no access token.
func TestRefreshedAccessRefuses(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		p.Join("grace")
		personal, _ := p.Personal(in.Tokens, "me", 30)
		revoked, disabled, rotated := p.Grant("ada", ""), p.Grant("grace", ""), p.Grant("ada", "")
		if err := p.OAuth.RevokeToken(p.T.Context(), revoked.Access, "", p.Client); err != nil {
			p.T.Fatal(err)
		}
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), p.User("grace").ID, ""); err != nil {
			p.T.Fatal(err)
		}
		successor := p.Refreshed(rotated.Refresh)
		for name, token := range map[string]string{
			"no token": "", "junk": "junk", "an access token": p.Grant("ada", "").Access, "a personal access token": personal,
			"a browser's refresh token": in.Tokens.Refresh, "a browser's access token": in.Tokens.Access,
			"of a revoked session": revoked.Refresh, "of a disabled person": disabled.Refresh,
		} {
			_, err := p.OAuth.RefreshedAccess(p.T.Context(), token, p.Client)
			wantKind(p.T, name, err, apperr.Unauthorized)
		}
		// A rotated token is a copy, so the session ends with its current tokens.
		if _, err := p.OAuth.RefreshedAccess(p.T.Context(), successor.Refresh, p.Client); err != nil {
			p.T.Fatal(err)
		}
		_, err := p.OAuth.RefreshedAccess(p.T.Context(), rotated.Refresh, p.Client)
		wantKind(p.T, "a rotated one", err, apperr.Unauthorized)
		_, err = p.OAuth.RefreshedAccess(p.T.Context(), successor.Refresh, p.Client)
		wantKind(p.T, "its successor", err, apperr.Unauthorized)
		p.WantNoBearer("its access token", successor.Access)
	})
}

// TestRefreshedAccessIsNoUse checks that such a request does not extend the idle
// limit.
func TestRefreshedAccessIsNoUse(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		_, claims := decoded(p.T, tokens.Refresh)
		before := p.Session(claims["sid"].(string)).LastSeenAt
		p.Clock.Advance(2 * time.Hour)
		if _, err := p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client); err != nil {
			p.T.Fatal(err)
		}
		if got := p.Session(claims["sid"].(string)).LastSeenAt; got != before {
			p.T.Errorf("last seen %v, want %v", got.Time(), before.Time())
		}
	})
}

// TestRefreshedAccessRole checks that the token has the scopes of the current role.
func TestRefreshedAccessRole(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Admin("root-of-all")
		p.Admin("grace")
		tokens := p.Grant("grace", "me users")
		if err := p.Store.Users.SetRole(p.T.Context(), p.User("grace").ID, models.RoleUser, p.Clock.Now()); err != nil {
			p.T.Fatal(err)
		}
		fresh, err := p.OAuth.RefreshedAccess(p.T.Context(), tokens.Refresh, p.Client)
		if err != nil || fresh.Scope != "me" {
			p.T.Errorf("got %+v, %v; want the scope me", fresh, err)
		}
	})
}

func TestRefreshedAccessOff(t *testing.T) {
	each(t, func(o *servicetest.Options) { o.RenewalOff = true }, func(p *portal) {
		p.Join("ada")
		_, err := p.OAuth.RefreshedAccess(p.T.Context(), p.Grant("ada", "").Refresh, p.Client)
		wantKind(p.T, "renewal is off", err, apperr.NotFound)
	})
}
