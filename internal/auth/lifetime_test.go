package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
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
		p.Join("ada")
		for _, test := range tests {
			login := p.Credentials("ada")
			login.Remember = test.remember
			in, err := p.Login(p.T.Context(), login)
			if err != nil {
				p.T.Fatal(err)
			}
			if in.Tokens.Remember != test.remember {
				p.T.Errorf("%s: Remember is %v", test.name, in.Tokens.Remember)
			}
			p.Clock.Advance(test.idle - time.Second)
			tokens := p.Rotated(in.Tokens.Refresh)
			p.Clock.Advance(test.idle)
			p.WantOver(tokens, models.ReasonIdle)
		}
	})
}

// TestIdleAfterUse checks that the idle limit counts from the last use of either
// token, not from the delivery of the refresh token.
func TestIdleAfterUse(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.Join("ada").Tokens
		p.Clock.Advance(4 * time.Minute)
		p.Identity(tokens)
		p.Clock.Advance(refreshTTL - time.Second)
		tokens = p.Rotated(tokens.Refresh)
		p.Clock.Advance(refreshTTL)
		p.WantOver(tokens, models.ReasonIdle)
		p.Clock.Advance(time.Hour)
		p.WantOver(tokens, models.ReasonIdle)
	})
}

// TestIdleWhileUsed checks that a session whose client always sends the same tokens,
// such as an app behind forward-auth, lives as long as it is used, up to the
// absolute limit.
func TestIdleWhileUsed(t *testing.T) {
	peek := func(p *portal, tokens *auth.Tokens) auth.Result { return p.peeked(tokens.Refresh) }
	tests := []struct {
		name         string
		access, idle time.Duration
		use          func(p *portal, tokens *auth.Tokens) auth.Result
	}{
		{"access tokens that live longer than the idle limit", 40 * 24 * time.Hour, time.Hour, func(p *portal, tokens *auth.Tokens) auth.Result {
			return p.Present(tokens.Access, "")
		}},
		{"the refresh token behind forward-auth", accessTTL, time.Hour, peek},
		{"an idle limit shorter than a minute", accessTTL, 30 * time.Second, peek},
	}
	for _, test := range tests {
		each(t, func(o *servicetest.Options) {
			o.AccessTTL, o.RefreshTTL, o.SessionTTL = test.access, test.idle, 6*test.idle
		}, func(p *portal) {
			tokens := p.Join("ada").Tokens
			end := p.Clock.Now().Add(6 * test.idle)
			for every := test.idle * 9 / 10; p.Clock.Now().Add(every).Before(end); {
				p.Clock.Advance(every)
				if result := test.use(p, tokens); result.Identity == nil {
					p.T.Fatalf("%s: signed out (%q) %v before the absolute limit", test.name, result.Ended, end.Sub(p.Clock.Now()))
				}
			}
			p.Clock.Advance(end.Sub(p.Clock.Now()))
			if result := test.use(p, tokens); result.Identity != nil || result.Ended != models.ReasonExpired {
				p.T.Errorf("%s: use went on after the absolute limit: %+v", test.name, result)
			}
		})
	}
}

// TestSeenOncePerMinute checks that the use of a session is recorded at most once a
// minute.
func TestSeenOncePerMinute(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		p.Identity(in.Tokens)
		began := p.Session(in.SessionID).LastSeenAt
		p.Clock.Advance(time.Minute - time.Second)
		p.Identity(in.Tokens)
		if got := p.Session(in.SessionID).LastSeenAt; got != began {
			p.T.Errorf("seen at %v, within a minute of %v", got.Time(), began.Time())
		}
		p.Clock.Advance(time.Second)
		p.Identity(in.Tokens)
		if got, want := p.Session(in.SessionID).LastSeenAt, models.At(p.Clock.Now()); got != want {
			p.T.Errorf("seen at %v, want %v", got.Time(), want.Time())
		}
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
		p.Join("ada")
		for _, test := range tests {
			login := p.Credentials("ada")
			login.Remember = test.remember
			in, err := p.Login(p.T.Context(), login)
			if err != nil {
				p.T.Fatal(err)
			}
			tokens, began := in.Tokens, p.Clock.Now()
			end := began.Add(test.limit)
			for p.Clock.Now().Add(test.every).Before(end) {
				p.Clock.Advance(test.every)
				tokens = p.Rotated(tokens.Refresh)
				if tokens.RefreshExpires.After(end) || tokens.AccessExpires.After(end) {
					p.T.Errorf("%s: tokens live beyond the absolute limit", test.name)
				}
			}
			p.Clock.Advance(end.Sub(p.Clock.Now()) - time.Minute)
			tokens = p.Rotated(tokens.Refresh)
			if got := tokens.AccessExpires; got.After(end) || end.Sub(got) > time.Second {
				p.T.Errorf("%s: the last access token lives until %v, want %v", test.name, got, end)
			}
			p.Clock.Advance(time.Minute)
			p.WantOver(tokens, models.ReasonExpired)
			p.Clock.Advance(24 * time.Hour)
			p.WantOver(tokens, models.ReasonExpired)
		}
	})
}

// endings are the actions that end a session.
var endings = []struct {
	reason models.Reason
	end    func(p *portal, user *models.User, tokens *auth.Tokens) error
}{
	{models.ReasonLogout, func(p *portal, _ *models.User, tokens *auth.Tokens) error {
		return p.Auth.Logout(p.T.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, p.Client)
	}},
	{models.ReasonEndedElsewhere, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		_, err := p.Auth.EndOtherSessions(p.T.Context(), p.Identity(p.SignIn(user.Username).Tokens), p.Client)
		return err
	}},
	{models.ReasonEndedElsewhere, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		id := p.Identity(tokens).SessionID
		_, err := p.Auth.EndSession(p.T.Context(), p.Identity(p.SignIn(user.Username).Tokens), id, p.Client)
		return err
	}},
	{models.ReasonAdmin, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, ended, err := p.Accounts.SignOutUser(p.T.Context(), auth.Shell(), user.ID)
		if ended != 1 {
			p.T.Errorf("%d sessions ended, want 1", ended)
		}
		return err
	}},
	{models.ReasonDisabled, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), user.ID, "left")
		return err
	}},
	{models.ReasonPassword, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, err := p.Accounts.ChangePassword(p.T.Context(), p.Change(p.SignIn(user.Username), "another-"+goodPassword))
		return err
	}},
	{models.ReasonPassword, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, token, err := p.Accounts.CreateResetLink(p.T.Context(), auth.Shell(), user.ID)
		if err != nil {
			return err
		}
		_, err = p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: "another-" + goodPassword, Client: p.Client})
		return err
	}},
	{models.ReasonEmail, func(p *portal, user *models.User, _ *auth.Tokens) error {
		_, err := p.Accounts.ChangeEmail(p.T.Context(), p.Change(p.SignIn(user.Username), "new-"+user.Email))
		return err
	}},
	{models.ReasonReplaced, func(p *portal, user *models.User, tokens *auth.Tokens) error {
		login := p.Credentials(user.Username)
		login.Presented = auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}
		_, err := p.Login(p.T.Context(), login)
		return err
	}},
	{models.ReasonLimit, func(p *portal, user *models.User, _ *auth.Tokens) error {
		for range 20 {
			p.Clock.Advance(time.Second)
			p.SignIn(user.Username)
		}
		return nil
	}},
}

// TestEndReasons checks that the reason is returned at once, and also after the
// refresh token has expired.
func TestEndReasons(t *testing.T) {
	each(t, nil, func(p *portal) {
		for i, test := range endings {
			name := "user" + string(rune('a'+i))
			tokens := p.Join(name).Tokens
			if err := test.end(p, p.User(name), tokens); err != nil {
				p.T.Errorf("%s: %v", test.reason, err)
				continue
			}
			p.WantOver(tokens, test.reason)
			before := p.Clock.Now()
			p.Clock.Advance(refreshTTL + time.Minute)
			p.WantOver(tokens, test.reason)
			p.Clock.Advance(before.Sub(p.Clock.Now()))
		}
	})
}

// TestRestored checks that a token that is newer than a restored database ends its
// session without reporting a copied token.
func TestRestored(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens, other := p.Join("ada").Tokens, p.SignIn("ada").Tokens
		ring := newKeyring(p.T, p.Clock.Now)
		claims, err := ring.Verify(token.WebRefresh, tokens.Refresh)
		if err != nil {
			p.T.Fatal(err)
		}
		claims.Generation, claims.ID = 4, "from-the-future"
		future := ring.Sign(token.WebRefresh, *claims)
		access := ring.Sign(token.WebAccess, *claims)
		if p.Present(access, "").Identity != nil {
			p.T.Error("an access token of a generation that does not exist yet is accepted")
		}
		result := p.Present(access, future)
		if result.Identity != nil || result.Ended != models.ReasonRestored || !result.Over {
			p.T.Errorf("%+v, want the session ended as restored", result)
		}
		p.WantOver(tokens, models.ReasonRestored)
		if p.Events(audit.Replay) != 0 || p.Events(audit.Restored) != 1 {
			p.T.Error("the audit log has a replay, or no event")
		}
		if p.SignIn("ada").Replayed || p.Present("", other.Refresh).Identity == nil {
			p.T.Error("the person is told of a replay, or the other session ended")
		}
	})
}

// TestRestart checks that a restart between rotations changes nothing: sessions
// continue, and rotated tokens stay rotated.
func TestRestart(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		clock := servicetest.NewClock(servicetest.Start)
		start := func() (*portal, func()) {
			store := openStore(t, databaseURL)
			return newPortal(t, store, clock, nil), func() { _ = store.Close() }
		}
		p, stop := start()
		first := p.Join("ada").Tokens
		clock.Advance(accessDead)
		second := p.Rotated(first.Refresh)
		stop()

		p, stop = start()
		if again := p.Rotated(first.Refresh); again.Refresh != second.Refresh {
			t.Error("the predecessor gives another successor after a restart")
		}
		p.Identity(second)
		clock.Advance(accessDead)
		third := p.Rotated(second.Refresh)
		p.Identity(third)
		stop()

		p, _ = start()
		clock.Advance(grace)
		if result := p.Present("", first.Refresh); result.Ended != models.ReasonReplay {
			t.Errorf("a rotated token after a restart: ended %q, want a replay", result.Ended)
		}
		p.WantOver(third, models.ReasonReplay)
	})
}

// TestDatabaseGone checks that without a database nothing is reported about tokens.
func TestDatabaseGone(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		store := openStore(t, databaseURL)
		p := newPortal(t, store, servicetest.NewClock(servicetest.Start), nil)
		tokens := p.Join("ada").Tokens
		identity := p.Identity(tokens)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for name, presented := range map[string]auth.Presented{
			"access": {Access: tokens.Access}, "refresh": {Refresh: tokens.Refresh}, "both": {Access: tokens.Access, Refresh: tokens.Refresh},
		} {
			result, err := p.Auth.Authenticate(ctx, presented, p.Client)
			wantKind(t, name, err, apperr.Unavailable)
			if result.Identity != nil || result.Tokens != nil {
				t.Errorf("%s: %+v, want nothing", name, result)
			}
		}
		_, err := p.Login(ctx, p.Credentials("ada"))
		wantKind(t, "login", err, apperr.Unavailable)
		err = p.Auth.Logout(ctx, auth.Presented{Access: tokens.Access}, p.Client)
		wantKind(t, "logout", err, apperr.Unavailable)
		_, err = p.Auth.EndOtherSessions(ctx, identity, p.Client)
		wantKind(t, "end others", err, apperr.Unavailable)
		_, err = p.Accounts.SignUp(ctx, account.Signup{Account: profile("bob"), Password: goodPassword})
		wantKind(t, "sign up", err, apperr.Unavailable)
	})
}
