package auth_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/token"
	"latchkey/models"
)

func TestMaxSessions(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("bob")
		bystander := p.login("bob").Tokens
		all := []*auth.Tokens{p.signUp("ada").Tokens}
		for range 19 {
			p.clock.advance(time.Minute)
			all = append(all, p.login("ada").Tokens)
		}
		p.clock.advance(time.Minute)
		all[0] = p.rotated(all[0].Refresh) // the oldest is in use: the second goes
		for i := 1; i <= 3; i++ {
			p.clock.advance(time.Minute)
			all = append(all, p.login("ada").Tokens)
			p.wantOver(all[i], models.ReasonLimit)
			live, err := p.Sessions(p.t.Context(), p.user("ada").ID, "")
			if err != nil || len(live) != 20 {
				p.t.Errorf("%d live sessions (%v), want 20", len(live), err)
			}
		}
		p.rotated(all[0].Refresh)
		p.rotated(all[4].Refresh)
		p.rotated(bystander.Refresh)
	})
}

// TestCredentialChange: a new password or address ends every session and signs
// this browser in anew, as it was.
func TestCredentialChange(t *testing.T) {
	tests := []struct {
		name     string
		remember bool
		reason   models.Reason
		action   string
		detail   string // of the line in the audit log
		change   func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error)
	}{
		{"ada", true, models.ReasonPassword, audit.PasswordChange, "2 sessions ended", func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error) {
			return p.ChangePassword(p.t.Context(), p.change(in, "another-"+goodPassword))
		}},
		{"bob", false, models.ReasonEmail, audit.EmailChange, "bob@example.org → New@example.org, 2 sessions ended", func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error) {
			return p.ChangeEmail(p.t.Context(), p.change(in, "  New@example.org "))
		}},
	}
	each(t, nil, func(p *portal) {
		for _, test := range tests {
			other := p.signUp(test.name)
			login := p.credentials(test.name)
			login.Remember = test.remember
			here, err := p.Login(p.t.Context(), login)
			if err != nil {
				p.t.Fatal(err)
			}
			before := p.identity(here.Tokens)
			p.clock.advance(time.Second)
			after, err := test.change(p, here)
			if err != nil {
				p.t.Fatal(err)
			}
			p.wantOver(other.Tokens, test.reason)
			p.wantOver(here.Tokens, models.ReasonReplaced)
			who := p.identity(after.Tokens)
			if who.SessionID == before.SessionID || after.Tokens.Remember != test.remember || after.Device != "" {
				p.t.Errorf("%s: sid %v, was %v; %+v", test.reason, who.SessionID, before.SessionID, after)
			}
			if test.reason == models.ReasonEmail && (who.Email != "New@example.org" || p.user("NEW@EXAMPLE.ORG").ID != who.UserID) {
				p.t.Errorf("the address is %q", who.Email)
			}
			p.wantDetail(test.action, test.detail)
			if changed := p.user("ada").PasswordChangedAt == models.At(p.clock.now()); changed != (test.reason == models.ReasonPassword) {
				p.t.Errorf("%s: the password was changed: %v", test.reason, changed)
			}
		}
	})
}

func TestCredentialChangeRefused(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.signUp("ada")
		change := p.change(in, "")
		for _, test := range []struct {
			name, current, value string
			want                 []string
		}{
			{"nothing", "", "", []string{"current_password", "new_password"}},
			{"the same", goodPassword, goodPassword, []string{"new_password"}},
			{"short", goodPassword, "short", []string{"new_password"}},
			{"common", goodPassword, "password1234", []string{"new_password"}},
			{"wrong current one", "wrong", "another-" + goodPassword, []string{"current_password"}},
		} {
			change := change
			change.Current, change.New = test.current, test.value
			_, err := p.ChangePassword(p.t.Context(), change)
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.t.Errorf("password, %s: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		for _, test := range []struct {
			name, current, value string
			want                 []string
		}{
			{"nothing", "", "", []string{"email", "current_password"}},
			{"the same", goodPassword, "ada@example.org", []string{"email"}},
			{"no address", goodPassword, "ada", []string{"email"}},
			{"wrong current password", "wrong", "new@example.org", []string{"current_password"}},
		} {
			change := change
			change.Current, change.New = test.current, test.value
			_, err := p.ChangeEmail(p.t.Context(), change)
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.t.Errorf("email, %s: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		p.identity(in.Tokens)

		// The session ended, or the account was disabled, while the form was open.
		change.Current, change.New = goodPassword, "another-"+goodPassword
		if _, _, err := p.Disable(p.t.Context(), auth.Shell(), change.Who.UserID, ""); err != nil {
			p.t.Fatal(err)
		}
		_, err := p.ChangePassword(p.t.Context(), change)
		wantKind(p.t, "disabled meanwhile", err, apperr.Unauthorized)
		if _, _, err := p.Delete(p.t.Context(), auth.Shell(), change.Who.UserID, "ada@example.org"); err != nil {
			p.t.Fatal(err)
		}
		_, err = p.ChangePassword(p.t.Context(), change)
		wantKind(p.t, "deleted meanwhile", err, apperr.Unauthorized)
	})
}

// TestParallelChange: of many changes that prove the same old password, one
// counts.
func TestParallelChange(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		changes := make([]auth.CredentialChange, 6)
		for i := range changes {
			changes[i] = p.change(p.login("ada"), goodPassword+string(rune('a'+i)))
		}
		errs := make([]error, len(changes))
		parallel(len(changes), func(i int) { _, errs[i] = p.ChangePassword(p.t.Context(), changes[i]) })
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won < 0:
				won = i
			case err == nil:
				p.t.Error("two changes counted")
			case !errors.Is(err, apperr.Conflict) && !errors.Is(err, apperr.Unauthorized) && !errors.Is(err, apperr.Invalid):
				p.t.Errorf("change %d: %v", i, err)
			}
		}
		if won < 0 {
			p.t.Fatalf("no change counted: %v", errs)
		}
		wantKind(p.t, "the password that won", p.try("ada", changes[won].New, ""), "")
		wantKind(p.t, "the old password", p.try("ada", goodPassword, ""), apperr.Unauthorized)
	})
}

func TestSessions(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.t.Context()
		p.client.UserAgent = "Old browser"
		old := p.signUp("ada").Tokens
		p.clock.advance(time.Minute)
		p.client = from("2001:db8::7")
		here := p.login("ada").Tokens
		p.clock.advance(time.Minute)
		p.identity(old)
		who := p.identity(here)
		mallory := p.identity(p.signUp("mallory").Tokens)

		live, ended, err := p.bothSessions(who)
		if err != nil || len(live) != 2 || len(ended) != 0 {
			p.t.Fatalf("%d live, %d ended (%v); want 2 and 0", len(live), len(ended), err)
		}
		if !live[0].ThisDevice || live[0].ID != who.SessionID || live[0].IP != "2001:db8::7" || live[0].Method != "password" {
			p.t.Errorf("the first is %+v, want this device", live[0])
		}
		other := live[1]
		if other.ThisDevice || other.UserAgent != "Old browser" || other.IP != "198.51.100.7" || other.Method != "sign-up" {
			p.t.Errorf("the second is %+v", other)
		}
		_, err = p.EndSession(ctx, mallory, other.ID, p.client)
		wantKind(p.t, "end somebody else's session", err, apperr.NotFound)
		for _, id := range []string{"", "x", models.NewID(), "' OR 1=1 --"} {
			_, err = p.EndSession(ctx, who, id, p.client)
			wantKind(p.t, "end "+id, err, apperr.NotFound)
		}
		p.identity(old)
		if info, err := p.EndSession(ctx, who, other.ID, p.client); err != nil || info.UserAgent != "Old browser" || info.EndReason != models.ReasonElse {
			p.t.Errorf("end a session: %+v, %v", info, err)
		}
		_, err = p.EndSession(ctx, who, other.ID, p.client)
		wantKind(p.t, "end it twice", err, apperr.NotFound)
		live, ended, err = p.bothSessions(who)
		if err != nil || len(live) != 1 || len(ended) != 1 || ended[0].ID != other.ID {
			p.t.Errorf("%d live, %d ended (%v); want 1 and 1", len(live), len(ended), err)
		}

		p.login("ada")
		p.login("ada")
		if n, err := p.EndOtherSessions(ctx, who, p.client); n != 2 || err != nil {
			p.t.Errorf("end others: %d (%v), want 2", n, err)
		}
		if n, err := p.EndOtherSessions(ctx, who, p.client); n != 0 || err != nil {
			p.t.Errorf("end others again: %d (%v), want 0", n, err)
		}
		p.identity(here)
		if p.present("", old.Refresh).Identity != nil {
			p.t.Error("an ended session rotates")
		}
		if n := p.events(audit.OtherSessionsEnd); n != 1 {
			p.t.Errorf("%d lines in the audit log, want 1", n)
		}
	})
}

// TestSubOwnsSession: a signed token of one person and the session of another
// is nobody's.
func TestSubOwnsSession(t *testing.T) {
	each(t, nil, func(p *portal) {
		ada, mallory := p.signUp("ada").Tokens, p.signUp("mallory").Tokens
		ring := newKeyring(p.t, p.clock.now)
		for _, class := range []token.Class{token.WebAccess, token.WebRefresh} {
			genuine := ada.Access
			if class == token.WebRefresh {
				genuine = ada.Refresh
			}
			claims, err := ring.Verify(class, genuine)
			if err != nil {
				p.t.Fatal(err)
			}
			claims.Subject = p.identity(mallory).UserID
			mixed := ring.Sign(class, *claims)
			presented := auth.Presented{Access: mixed}
			if class == token.WebRefresh {
				presented = auth.Presented{Refresh: mixed}
			}
			result, err := p.Authenticate(p.t.Context(), presented, p.client)
			if err != nil || result.Identity != nil || result.Ended != "" {
				p.t.Errorf("%+v (%v), want nobody", result, err)
			}
			if err := p.Logout(p.t.Context(), presented, p.client); err != nil {
				p.t.Error(err)
			}
		}
		if got := p.session(p.sid(ada)); got.Generation != 1 || !got.EndedAt.IsZero() {
			p.t.Errorf("the session was touched: %+v", got)
		}
	})
}

func (p *portal) bothSessions(who *auth.Identity) (live, ended []auth.SessionInfo, err error) {
	live, err = p.Sessions(p.t.Context(), who.UserID, who.SessionID)
	if err == nil {
		ended, err = p.EndedSessions(p.t.Context(), who.UserID)
	}
	return live, ended, err
}
