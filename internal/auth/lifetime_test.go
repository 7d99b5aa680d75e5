package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/internal/token"
	"latchkey/models"
)

func TestIdleLimit(t *testing.T) {
	tests := []struct {
		name     string
		remember bool
		idle     time.Duration
	}{
		{"stay signed in", true, refreshTTL},
		{"for now", false, 12 * time.Hour},
	}
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		for _, test := range tests {
			login := p.credentials("ada")
			login.Remember = test.remember
			in, err := p.Login(p.t.Context(), login)
			if err != nil {
				p.t.Fatal(err)
			}
			if in.Tokens.Remember != test.remember {
				p.t.Errorf("%s: Remember is %v", test.name, in.Tokens.Remember)
			}
			p.clock.advance(test.idle - time.Second)
			tokens := p.rotated(in.Tokens.Refresh)
			if got, want := tokens.RefreshExpires, p.clock.now().Add(test.idle).Truncate(time.Second); test.remember && !got.Equal(want) {
				p.t.Errorf("%s: refresh token until %v, want %v", test.name, got, want)
			}
			p.clock.advance(test.idle)
			p.wantOver(tokens, models.ReasonIdle)
		}
	})
}

// TestIdleAfterUse: an access token in use keeps the session's row alive a
// little longer than its refresh token. The person reads why all the same.
func TestIdleAfterUse(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		p.clock.advance(4 * time.Minute)
		p.identity(tokens)
		p.clock.advance(refreshTTL - time.Minute)
		p.wantOver(tokens, models.ReasonIdle)
		p.clock.advance(time.Hour)
		p.wantOver(tokens, models.ReasonIdle)
	})
}

func TestAbsoluteLimit(t *testing.T) {
	tests := []struct {
		name     string
		remember bool
		every    time.Duration
		limit    time.Duration
	}{
		{"stay signed in", true, 3 * 24 * time.Hour, sessionTTL},
		{"for now", false, 5 * time.Hour, 24 * time.Hour},
	}
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		for _, test := range tests {
			login := p.credentials("ada")
			login.Remember = test.remember
			in, err := p.Login(p.t.Context(), login)
			if err != nil {
				p.t.Fatal(err)
			}
			tokens, began := in.Tokens, p.clock.now()
			end := began.Add(test.limit)
			for p.clock.now().Add(test.every).Before(end) {
				p.clock.advance(test.every)
				tokens = p.rotated(tokens.Refresh)
				if tokens.RefreshExpires.After(end) || tokens.AccessExpires.After(end) {
					p.t.Errorf("%s: tokens live beyond the absolute limit", test.name)
				}
			}
			p.clock.advance(end.Sub(p.clock.now()) - time.Minute)
			tokens = p.rotated(tokens.Refresh)
			if got := tokens.AccessExpires; got.After(end) || end.Sub(got) > time.Second {
				p.t.Errorf("%s: the last access token lives until %v, want %v", test.name, got, end)
			}
			p.clock.advance(time.Minute)
			p.wantOver(tokens, models.ReasonExpired)
			p.clock.advance(24 * time.Hour)
			p.wantOver(tokens, models.ReasonExpired)
		}
	})
}

// endings are the ways in which a session ends by what somebody does.
var endings = []struct {
	reason models.Reason
	end    func(p *portal, user *models.User, tokens *auth.Tokens) error
}{
	{models.ReasonLogout, func(p *portal, _ *models.User, tokens *auth.Tokens) error {
		return p.Logout(p.t.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.client)
	}},
	{models.ReasonElse, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		_, err := p.EndOtherSessions(p.t.Context(), p.identity(p.login(user.Username).Tokens), p.client)
		return err
	}},
	{models.ReasonElse, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		id := p.identity(tokens).SessionID
		_, err := p.EndSession(p.t.Context(), p.identity(p.login(user.Username).Tokens), id, p.client)
		return err
	}},
	{models.ReasonAdmin, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, ended, err := p.SignOutUser(p.t.Context(), auth.Shell(), user.ID)
		if ended != 1 {
			p.t.Errorf("%d sessions ended, want 1", ended)
		}
		return err
	}},
	{models.ReasonDisabled, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, _, err := p.Disable(p.t.Context(), auth.Shell(), user.ID, "left")
		return err
	}},
	{models.ReasonPassword, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, err := p.ChangePassword(p.t.Context(), p.change(p.login(user.Username), "another-"+goodPassword))
		return err
	}},
	{models.ReasonPassword, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, token, err := p.CreateResetLink(p.t.Context(), auth.Shell(), user.ID)
		if err != nil {
			return err
		}
		return p.ResetPassword(p.t.Context(), token, "another-"+goodPassword, p.client)
	}},
	{models.ReasonEmail, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, err := p.ChangeEmail(p.t.Context(), p.change(p.login(user.Username), "new-"+user.Email))
		return err
	}},
	{models.ReasonReplaced, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		login := p.credentials(user.Username)
		login.Presented = auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}
		_, err := p.Login(p.t.Context(), login)
		return err
	}},
	{models.ReasonLimit, func(p *portal, user *models.User, _ *auth.Tokens) error {
		for range 20 {
			p.clock.advance(time.Second)
			p.login(user.Username)
		}
		return nil
	}},
}

// TestEndReasons: the reason is told at once, and still when the refresh token
// is expired too.
func TestEndReasons(t *testing.T) {
	each(t, nil, func(p *portal) {
		for i, test := range endings {
			name := "user" + string(rune('a'+i))
			tokens := p.signUp(name).Tokens
			if err := test.end(p, p.user(name), tokens); err != nil {
				p.t.Errorf("%s: %v", test.reason, err)
				continue
			}
			p.wantOver(tokens, test.reason)
			before := p.clock.now()
			p.clock.advance(refreshTTL + time.Minute)
			p.wantOver(tokens, test.reason)
			p.clock.advance(before.Sub(p.clock.now()))
		}
	})
}

// change is a change of a credential by somebody who just signed in.
func (p *portal) change(in *auth.SignedIn, value string) auth.CredentialChange {
	p.t.Helper()
	return auth.CredentialChange{
		Who: p.identity(in.Tokens), Current: goodPassword, New: value, Device: in.Device, Client: p.client,
		Presented: auth.Presented{Access: in.Tokens.Access, Refresh: in.Tokens.Refresh},
	}
}

// TestRestored: a token from the future of a database that was restored from
// a backup ends its session without alarm.
func TestRestored(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens, other := p.signUp("ada").Tokens, p.login("ada").Tokens
		ring := newKeyring(p.t, p.clock.now)
		claims, err := ring.Verify(token.WebRefresh, tokens.Refresh)
		if err != nil {
			p.t.Fatal(err)
		}
		claims.Generation, claims.ID = 4, "from-the-future"
		future := ring.Sign(token.WebRefresh, *claims)
		access := ring.Sign(token.WebAccess, *claims)
		if p.present(access, "").Identity != nil {
			p.t.Error("an access token of a generation that is not there yet is accepted")
		}
		result := p.present(access, future)
		if result.Identity != nil || result.Ended != models.ReasonRestored || !result.Clear {
			p.t.Errorf("%+v, want the session ended as restored", result)
		}
		p.wantOver(tokens, models.ReasonRestored)
		if p.events(audit.Replay) != 0 || p.events(audit.Restored) != 1 {
			p.t.Error("the audit log tells of a replay, or nothing")
		}
		if p.login("ada").Replayed || p.present("", other.Refresh).Identity == nil {
			p.t.Error("the person is alarmed, or the other session ended")
		}
	})
}

// TestRestart: a program that starts between rotations goes on where the last
// one stopped; what was rotated stays so.
func TestRestart(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		clock := newClock()
		start := func() (*portal, func()) {
			store := openStore(t, databaseURL)
			return newPortal(t, store, clock, nil), func() { _ = store.Close() }
		}
		p, stop := start()
		first := p.signUp("ada").Tokens
		clock.advance(accessDead)
		second := p.rotated(first.Refresh)
		stop()

		p, stop = start()
		if again := p.rotated(first.Refresh); again.Refresh != second.Refresh {
			t.Error("the predecessor gives another successor after a restart")
		}
		p.identity(second)
		clock.advance(accessDead)
		third := p.rotated(second.Refresh)
		p.identity(third)
		stop()

		p, _ = start()
		clock.advance(grace)
		if result := p.present("", first.Refresh); result.Ended != models.ReasonReplay {
			t.Errorf("a rotated token after a restart: ended %q, want a replay", result.Ended)
		}
		p.wantOver(third, models.ReasonReplay)
	})
}

// TestDatabaseGone: nothing is known, so nothing is said.
func TestDatabaseGone(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		store := openStore(t, databaseURL)
		p := newPortal(t, store, newClock(), nil)
		tokens := p.signUp("ada").Tokens
		who := p.identity(tokens)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for name, presented := range map[string]auth.Presented{
			"access": {Access: tokens.Access}, "refresh": {Refresh: tokens.Refresh}, "both": {Access: tokens.Access, Refresh: tokens.Refresh},
		} {
			result, err := p.Authenticate(ctx, presented, p.client)
			wantKind(t, name, err, apperr.Unavailable)
			if result.Identity != nil || result.Tokens != nil {
				t.Errorf("%s: %+v, want nothing", name, result)
			}
		}
		_, err := p.Login(ctx, p.credentials("ada"))
		wantKind(t, "login", err, apperr.Unavailable)
		err = p.Logout(ctx, auth.Presented{Access: tokens.Access}, p.client)
		wantKind(t, "logout", err, apperr.Unavailable)
		_, err = p.EndOtherSessions(ctx, who, p.client)
		wantKind(t, "end others", err, apperr.Unavailable)
		_, err = p.SignUp(ctx, auth.Signup{Account: account("bob"), Password: goodPassword})
		wantKind(t, "sign up", err, apperr.Unavailable)
		wantKind(t, "ready", p.Ready(ctx), apperr.Unavailable)
	})
}
