package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// denied reports whether a jti or sid is on the denylist. It looks the id up with a
// session that is live, so that only the denylist can refuse it.
func (p *portal) denied(bystander, id string) bool {
	p.T.Helper()
	presence, err := p.Store.Sessions.Identify(p.T.Context(), bystander, id, time.Unix(0, 0))
	if err != nil {
		p.T.Fatal(err)
	}
	return presence.Over == models.ReasonLogout
}

func TestLogout(t *testing.T) {
	twoServices(t, func(p, q *portal) {
		tokens, other := p.Join("ada").Tokens, p.SignIn("ada").Tokens
		_, access := decoded(p.T, tokens.Access)
		_, refresh := decoded(p.T, tokens.Refresh)
		bystander := p.Identity(other).SessionID
		if q.Present(tokens.Access, "").Identity == nil {
			p.T.Fatal("the second service does not accept the session")
		}
		err := p.Auth.Logout(p.T.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.Client)
		if err != nil {
			p.T.Fatal(err)
		}
		q.WantOver(tokens, models.ReasonLogout)
		p.WantOver(tokens, models.ReasonLogout)
		// Each denial is checked separately, with a session that is not denied.
		for name, id := range map[string]any{"access jti": access["jti"], "refresh jti": refresh["jti"], "sid": access["sid"]} {
			if !p.denied(bystander, id.(string)) {
				p.T.Errorf("the %s is not on the denylist", name)
			}
		}
		if p.denied(bystander, "") || q.Present(other.Access, "").Identity == nil {
			p.T.Error("the other session ended too")
		}
		if p.Session(access["sid"].(string)).EndReason != models.ReasonLogout {
			p.T.Error("the row is not ended")
		}
		if n := p.Events(audit.Logout); n != 1 {
			p.T.Errorf("%d logouts in the audit log, want 1", n)
		}
	})
}

// TestLogoutPresented checks that any single token ends its session, that tokens of
// two sessions end both, and that tokens that are not ours end none.
func TestLogoutPresented(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		first, second := p.SignIn("ada").Tokens, p.SignIn("ada").Tokens
		logout := func(access, refresh string) {
			p.T.Helper()
			if err := p.Auth.Logout(p.T.Context(), auth.Presented{Access: access, Refresh: refresh}, p.Client); err != nil {
				p.T.Errorf("logout: %v", err)
			}
		}
		logout("", "")
		logout("x.y.z", "x.y.z")
		logout(first.Refresh, first.Access)
		p.Identity(first)
		logout(first.Access, "")
		p.WantOver(first, models.ReasonLogout)
		logout(first.Access, first.Refresh)
		third := p.SignIn("ada").Tokens
		logout(second.Access, third.Refresh)
		p.WantOver(second, models.ReasonLogout)
		p.WantOver(third, models.ReasonLogout)

		fourth := p.SignIn("ada").Tokens
		p.Clock.Advance(accessDead)
		rotated := p.Rotated(fourth.Refresh)
		logout("", fourth.Refresh) // a browser that missed the rotation
		p.WantOver(rotated, models.ReasonLogout)
	})
}

// TestPurge checks that a denial is kept until the last token that it denies has
// expired, including the leeway for clocks, and is then removed.
func TestPurge(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens, other := p.Join("ada").Tokens, p.SignIn("ada").Tokens
		_, access := decoded(p.T, tokens.Access)
		_, refresh := decoded(p.T, tokens.Refresh)
		bystander := p.Identity(other).SessionID
		began := p.Clock.Now()
		if err := p.Auth.Logout(p.T.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.Client); err != nil {
			p.T.Fatal(err)
		}
		const dead = 10 * time.Second // twice the leeway
		for _, test := range []struct {
			lives time.Duration
			ids   object
		}{
			{accessTTL, object{"access jti": access["jti"]}},
			{sessionTTL, object{"refresh jti": refresh["jti"], "sid": access["sid"]}},
		} {
			p.Pass(began.Add(test.lives + dead - time.Second).Sub(p.Clock.Now()))
			for name, id := range test.ids {
				if !p.denied(bystander, id.(string)) {
					p.T.Errorf("%s: purged while its token could live", name)
				}
			}
			p.Pass(2 * time.Second)
			for name, id := range test.ids {
				if p.denied(bystander, id.(string)) {
					p.T.Errorf("%s: still there when its token is dead", name)
				}
			}
		}
		p.WantOver(tokens, models.ReasonLogout)
	})
}

// TestPurgeKeeps checks how long all other rows are kept.
func TestPurgeKeeps(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		in := p.Join("ada")
		user := p.User("ada")
		sid := p.Identity(in.Tokens).SessionID
		_, link, err := p.Accounts.CreateResetLink(ctx, auth.Shell(), user.ID)
		if err != nil {
			p.T.Fatal(err)
		}
		wrong := p.Credentials("ada")
		wrong.Password = "wrong"
		_, _ = p.Login(ctx, wrong)

		p.Pass(sessionTTL + 29*24*time.Hour)
		p.Session(sid) // still listed
		if got, err := p.Accounts.SetPasswordLink(ctx, link); err != nil || got.State != account.LinkUnknown {
			p.T.Errorf("the old link: %v, %v; want it forgotten", got.State, err)
		}
		p.Pass(2 * 24 * time.Hour)
		if _, err := p.Store.Sessions.ByID(ctx, sid); err == nil {
			p.T.Error("an old session is kept")
		}
		if known, err := p.Store.Devices.Known(ctx, models.HashToken(in.Device), user.ID); err != nil || !known {
			p.T.Errorf("the device is forgotten early (%v)", err)
		}
		if p.Events(audit.SignUp) != 1 {
			p.T.Error("the audit log is purged early")
		}
		if p.Events(audit.LoginFailed) != 0 {
			p.T.Error("failed sign-ins, which may be strangers', are kept")
		}
		p.Pass(180 * 24 * time.Hour)
		if known, err := p.Store.Devices.Known(ctx, models.HashToken(in.Device), user.ID); err != nil || known {
			p.T.Errorf("the device is kept (%v)", err)
		}
		if p.Events(audit.SignUp) != 0 {
			p.T.Error("the audit log is kept")
		}
		if n, err := p.Auth.Purge(ctx); n != 0 || err != nil {
			p.T.Errorf("purged %d rows (%v), want none left", n, err)
		}
	})
}
