package auth_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

const day = 24 * time.Hour

// wantHeld checks that a purge removes nothing because of the clock.
func (p *portal) wantHeld(when string) {
	p.T.Helper()
	if n, err := p.Auth.Purge(p.T.Context()); n != 0 || !errors.Is(err, auth.ErrClock) {
		p.T.Errorf("%s: purged %d rows (%v), want 0 because of the clock", when, n, err)
	}
}

// aged has one row of each table that is purged.
type aged struct {
	*portal
	user                   *models.User
	sid, device, link, pat string
}

func newAged(p *portal) *aged {
	ctx := p.T.Context()
	in := p.Join("ada")
	a := &aged{portal: p, user: p.User("ada"), sid: p.SID(in.Tokens), device: in.Device}
	var err error
	if _, a.link, err = p.Accounts.CreateResetLink(ctx, auth.Shell(), a.user.ID); err != nil {
		p.T.Fatal(err)
	}
	_, made, err := p.Accounts.CreatePersonalToken(ctx, account.PersonalTokenDraft{
		Identity: p.Identity(in.Tokens), Name: "backup", Scopes: []string{"me"}, Days: 30, Current: goodPassword, Client: p.Client,
	})
	if err != nil {
		p.T.Fatal(err)
	}
	a.pat = made.ID
	if err := p.Auth.Logout(ctx, auth.Presented{Access: in.Tokens.Access, Refresh: in.Tokens.Refresh}, p.Client); err != nil {
		p.T.Fatal(err)
	}
	return a
}

// want checks that all of the rows exist, or that none of them do.
func (a *aged) want(when string, want bool) {
	a.T.Helper()
	ctx := a.T.Context()
	_, sessionErr := a.Store.Sessions.ByID(ctx, a.sid)
	_, tokenErr := a.Store.PersonalTokens.ByID(ctx, a.pat, a.user.ID)
	link, linkErr := a.Accounts.SetPasswordLink(ctx, a.link)
	device, deviceErr := a.Store.Devices.Known(ctx, models.HashToken(a.device), a.user.ID)
	if linkErr != nil || deviceErr != nil {
		a.T.Fatalf("%v, %v", linkErr, deviceErr)
	}
	for what, got := range map[string]bool{
		"audit log": a.Events(audit.SignUp) == 1, "session": sessionErr == nil, "personal access token": tokenErr == nil,
		"reset link": link.State != account.LinkUnknown, "device": device, "denial": a.denied(a.SessionOf(a.user), a.sid),
	} {
		if got != want {
			a.T.Errorf("%s: the %s exists: %t, want %t", when, what, got, want)
		}
	}
}

// TestPurgeClockAhead checks that nothing is removed after a clock jumps ahead, not
// even after a sign-in or a restart. Purging resumes a day after the clock is
// corrected.
func TestPurgeClockAhead(t *testing.T) {
	each(t, nil, func(p *portal) {
		a := newAged(p)
		p.Pass(time.Hour)
		p.Clock.Advance(181 * day)
		p.wantHeld("181 days ahead")
		p.SignIn("ada")
		p.Clock.Advance(time.Hour)
		p.wantHeld("after a sign-in at the wrong time")
		newPortal(p.T, p.Store, p.Clock, nil).wantHeld("after a restart")
		p.Clock.Advance(20 * time.Hour)
		p.wantHeld("20 hours later")
		a.want("ahead", true)

		p.Clock.Advance(-181 * day)
		p.wantHeld("set right")
		p.Pass(day)
		a.want("set right", true)
		p.Pass(180 * day)
		a.want("180 days later", false)
	})
}

// TestPurgeFirstStartAhead checks that nothing is removed if the clock is wrong when
// a portal of an earlier release is updated.
func TestPurgeFirstStartAhead(t *testing.T) {
	each(t, nil, func(p *portal) {
		a := newAged(p)
		p.Clock.Advance(181 * day)
		p.wantHeld("at the first start")
		a.want("at the first start", true)
	})
}

// TestPurgeIdle checks that an idle portal keeps purging, and that a portal that was
// off for months purges again by itself after a day.
func TestPurgeIdle(t *testing.T) {
	each(t, nil, func(p *portal) {
		a := newAged(p)
		for range 181 {
			p.Clock.Advance(day)
			if _, err := p.Auth.Purge(p.T.Context()); err != nil {
				p.T.Fatal(err)
			}
		}
		a.want("an idle portal", false)
	})
	each(t, nil, func(p *portal) {
		a := newAged(p)
		p.Pass(time.Hour)
		p.Clock.Advance(200 * day)
		for hour := range 24 {
			p.wantHeld("it was off")
			if p.Clock.Advance(time.Hour); hour == 22 {
				a.want("it was off", true)
			}
		}
		p.Pass(time.Second)
		a.want("a day after it was off", false)
	})
}

// TestPurgeSkew checks that a server whose clock differs from the database's purges
// nothing and does not stop other servers from purging.
func TestPurgeSkew(t *testing.T) {
	each(t, nil, func(p *portal) {
		a := newAged(p)
		p.Pass(time.Hour)
		for _, skew := range []time.Duration{31 * time.Second, -31 * time.Second, 181 * day} {
			wrong := newPortal(p.T, p.Store, servicetest.NewClock(p.Clock.Now().Add(skew)), func(o *servicetest.Options) { o.DatabaseNow = p.Clock.Now })
			wrong.wantHeld(skew.String())
			a.want(skew.String(), true)
		}
		p.Pass(181 * day)
		a.want("the other server", false)
	})
}
