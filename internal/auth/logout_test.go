package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// denied reports whether a jti or sid stands on the denylist. It asks on
// behalf of a session that did not end, at an instant before it grew old.
func (p *portal) denied(bystander, id string) bool {
	p.t.Helper()
	presence, err := p.store.Sessions.Identify(p.t.Context(), bystander, id, time.Unix(0, 0))
	if err != nil {
		p.t.Fatal(err)
	}
	return presence.Over == models.ReasonLogout
}

func TestLogout(t *testing.T) {
	twoServices(t, func(p, q *portal) {
		tokens, other := p.signUp("ada").Tokens, p.login("ada").Tokens
		_, access := decoded(p.t, tokens.Access)
		_, refresh := decoded(p.t, tokens.Refresh)
		bystander := p.identity(other).SessionID
		if q.present(tokens.Access, "").Identity == nil {
			p.t.Fatal("the second service does not accept the session")
		}
		err := p.Logout(p.t.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.client)
		if err != nil {
			p.t.Fatal(err)
		}
		q.wantOver(tokens, models.ReasonLogout)
		p.wantOver(tokens, models.ReasonLogout)
		// Each denial stands for itself: asked with a session that is not denied.
		for name, id := range map[string]any{"access jti": access["jti"], "refresh jti": refresh["jti"], "sid": access["sid"]} {
			if !p.denied(bystander, id.(string)) {
				p.t.Errorf("the %s is not on the denylist", name)
			}
		}
		if p.denied(bystander, "") || q.present(other.Access, "").Identity == nil {
			p.t.Error("the other session ended too")
		}
		if p.session(access["sid"].(string)).EndReason != models.ReasonLogout {
			p.t.Error("the row is not ended")
		}
		if n := p.events(audit.Logout); n != 1 {
			p.t.Errorf("%d logouts in the audit log, want 1", n)
		}
	})
}

// TestLogoutPresented: any one token ends the session, and tokens of two
// sessions end both. Tokens that are not ours end nothing.
func TestLogoutPresented(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		first, second := p.login("ada").Tokens, p.login("ada").Tokens
		logout := func(access, refresh string) {
			p.t.Helper()
			if err := p.Logout(p.t.Context(), auth.Presented{Access: access, Refresh: refresh}, p.client); err != nil {
				p.t.Errorf("logout: %v", err)
			}
		}
		logout("", "")
		logout("x.y.z", "x.y.z")
		logout(first.Refresh, first.Access)
		p.identity(first)
		logout(first.Access, "")
		p.wantOver(first, models.ReasonLogout)
		logout(first.Access, first.Refresh)
		third := p.login("ada").Tokens
		logout(second.Access, third.Refresh)
		p.wantOver(second, models.ReasonLogout)
		p.wantOver(third, models.ReasonLogout)

		fourth := p.login("ada").Tokens
		p.clock.advance(accessDead)
		rotated := p.rotated(fourth.Refresh)
		logout("", fourth.Refresh) // a browser that missed the rotation
		p.wantOver(rotated, models.ReasonLogout)
	})
}

// TestPurge: a denial stays until the last token that it denies is dead, with
// the leeway that clocks have, and goes afterwards.
func TestPurge(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens, other := p.signUp("ada").Tokens, p.login("ada").Tokens
		_, access := decoded(p.t, tokens.Access)
		_, refresh := decoded(p.t, tokens.Refresh)
		bystander := p.identity(other).SessionID
		began := p.clock.now()
		if err := p.Logout(p.t.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.client); err != nil {
			p.t.Fatal(err)
		}
		const dead = 10 * time.Second // twice the leeway
		for _, test := range []struct {
			name  string
			id    any
			lives time.Duration
		}{
			{"access jti", access["jti"], accessTTL},
			{"refresh jti", refresh["jti"], refreshTTL},
			{"sid", access["sid"], sessionTTL},
		} {
			p.clock.advance(began.Add(test.lives + dead - time.Second).Sub(p.clock.now()))
			p.purge()
			if !p.denied(bystander, test.id.(string)) {
				p.t.Errorf("%s: purged while its token could live", test.name)
			}
			p.clock.advance(2 * time.Second)
			p.purge()
			if p.denied(bystander, test.id.(string)) {
				p.t.Errorf("%s: still there when its token is dead", test.name)
			}
		}
		p.wantOver(tokens, models.ReasonLogout)
	})
}

func (p *portal) purge() {
	p.t.Helper()
	if _, err := p.Purge(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// TestPurgeKeeps is about everything else that ages.
func TestPurgeKeeps(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		in := p.signUp("ada")
		user := p.user("ada")
		sid := p.identity(in.Tokens).SessionID
		_, link, err := p.CreateResetLink(ctx, auth.Shell(), user.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		wrong := p.credentials("ada")
		wrong.Password = "wrong"
		_, _ = p.Login(ctx, wrong)

		p.clock.advance(sessionTTL + 29*24*time.Hour)
		p.purge()
		p.session(sid) // still listed
		if got, err := p.SetPasswordLink(ctx, link); err != nil || got.State != auth.LinkUnknown {
			p.t.Errorf("the old link: %v, %v; want it forgotten", got.State, err)
		}
		p.clock.advance(2 * 24 * time.Hour)
		p.purge()
		if _, err := p.store.Sessions.ByID(ctx, sid); err == nil {
			p.t.Error("an old session is kept")
		}
		if known, err := p.store.Devices.Known(ctx, models.HashToken(in.Device), user.ID); err != nil || !known {
			p.t.Errorf("the device is forgotten early (%v)", err)
		}
		if p.events(audit.SignUp) != 1 {
			p.t.Error("the audit log is purged early")
		}
		if p.events(audit.LoginFailed) != 0 {
			p.t.Error("failed sign-ins, which may be strangers', are kept")
		}
		p.clock.advance(180 * 24 * time.Hour)
		p.purge()
		if known, err := p.store.Devices.Known(ctx, models.HashToken(in.Device), user.ID); err != nil || known {
			p.t.Errorf("the device is kept (%v)", err)
		}
		if p.events(audit.SignUp) != 0 {
			p.t.Error("the audit log is kept")
		}
		if n, err := p.Purge(ctx); n != 0 || err != nil {
			p.t.Errorf("nothing is left to purge, and it purges %d (%v)", n, err)
		}
	})
}
