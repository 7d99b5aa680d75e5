package auth_test

import (
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
		p.Join("bob")
		bystander := p.SignIn("bob").Tokens
		all := []*auth.Tokens{p.Join("ada").Tokens}
		for range 19 {
			p.Clock.Advance(time.Minute)
			all = append(all, p.SignIn("ada").Tokens)
		}
		p.Clock.Advance(time.Minute)
		all[0] = p.Rotated(all[0].Refresh) // the oldest is in use: the second goes
		for i := 1; i <= 3; i++ {
			p.Clock.Advance(time.Minute)
			all = append(all, p.SignIn("ada").Tokens)
			p.WantOver(all[i], models.ReasonLimit)
			live, err := p.Auth.Sessions(p.T.Context(), p.User("ada").ID, "")
			if err != nil || len(live) != 20 {
				p.T.Errorf("%d live sessions (%v), want 20", len(live), err)
			}
		}
		p.Rotated(all[0].Refresh)
		p.Rotated(all[4].Refresh)
		p.Rotated(bystander.Refresh)
	})
}

func TestSessions(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Client.UserAgent = "Old browser"
		old := p.Join("ada").Tokens
		p.Clock.Advance(time.Minute)
		p.Client = from("2001:db8::7")
		here := p.SignIn("ada").Tokens
		p.Clock.Advance(time.Minute)
		p.Identity(old)
		identity := p.Identity(here)
		mallory := p.Identity(p.Join("mallory").Tokens)

		live, ended, err := p.bothSessions(identity)
		if err != nil || len(live) != 2 || len(ended) != 0 {
			p.T.Fatalf("%d live, %d ended (%v); want 2 and 0", len(live), len(ended), err)
		}
		if !live[0].ThisDevice || live[0].ID != identity.SessionID || live[0].IP != "2001:db8::7" || live[0].Method != "password" {
			p.T.Errorf("the first is %+v, want this device", live[0])
		}
		other := live[1]
		if other.ThisDevice || other.UserAgent != "Old browser" || other.IP != "198.51.100.7" || other.Method != "sign-up" {
			p.T.Errorf("the second is %+v", other)
		}
		_, err = p.Auth.EndSession(ctx, mallory, other.ID, p.Client)
		wantKind(p.T, "end another person's session", err, apperr.NotFound)
		for _, id := range []string{"", "x", models.NewID(), "' OR 1=1 --"} {
			_, err = p.Auth.EndSession(ctx, identity, id, p.Client)
			wantKind(p.T, "end "+id, err, apperr.NotFound)
		}
		p.Identity(old)
		if info, err := p.Auth.EndSession(ctx, identity, other.ID, p.Client); err != nil || info.UserAgent != "Old browser" || info.EndReason != models.ReasonEndedElsewhere {
			p.T.Errorf("end a session: %+v, %v", info, err)
		}
		_, err = p.Auth.EndSession(ctx, identity, other.ID, p.Client)
		wantKind(p.T, "end it twice", err, apperr.NotFound)
		live, ended, err = p.bothSessions(identity)
		if err != nil || len(live) != 1 || len(ended) != 1 || ended[0].ID != other.ID {
			p.T.Errorf("%d live, %d ended (%v); want 1 and 1", len(live), len(ended), err)
		}

		p.SignIn("ada")
		p.SignIn("ada")
		if n, err := p.Auth.EndOtherSessions(ctx, identity, p.Client); n != 2 || err != nil {
			p.T.Errorf("end others: %d (%v), want 2", n, err)
		}
		if n, err := p.Auth.EndOtherSessions(ctx, identity, p.Client); n != 0 || err != nil {
			p.T.Errorf("end others again: %d (%v), want 0", n, err)
		}
		p.Identity(here)
		if p.Present("", old.Refresh).Identity != nil {
			p.T.Error("an ended session rotates")
		}
		if n := p.Events(audit.OtherSessionsEnd); n != 1 {
			p.T.Errorf("%d lines in the audit log, want 1", n)
		}
	})
}

// TestSubOwnsSession checks that a signed token that names one person and the
// session of another is not accepted.
func TestSubOwnsSession(t *testing.T) {
	each(t, nil, func(p *portal) {
		ada, mallory := p.Join("ada").Tokens, p.Join("mallory").Tokens
		ring := newKeyring(p.T, p.Clock.Now)
		for _, class := range []token.Class{token.WebAccess, token.WebRefresh} {
			genuine := ada.Access
			if class == token.WebRefresh {
				genuine = ada.Refresh
			}
			claims, err := ring.Verify(class, genuine)
			if err != nil {
				p.T.Fatal(err)
			}
			claims.Subject = p.Identity(mallory).UserID
			mixed := ring.Sign(class, *claims)
			presented := auth.Presented{Access: mixed}
			if class == token.WebRefresh {
				presented = auth.Presented{Refresh: mixed}
			}
			result, err := p.Auth.Authenticate(p.T.Context(), presented, p.Client)
			if err != nil || result.Identity != nil || result.Ended != "" {
				p.T.Errorf("%+v (%v), want no one", result, err)
			}
			if err := p.Auth.Logout(p.T.Context(), presented, p.Client); err != nil {
				p.T.Error(err)
			}
		}
		if got := p.Session(p.SID(ada)); got.Generation != 1 || !got.EndedAt.IsZero() {
			p.T.Errorf("the session was touched: %+v", got)
		}
	})
}

func (p *portal) bothSessions(identity *auth.Identity) (live, ended []auth.SessionInfo, err error) {
	live, err = p.Auth.Sessions(p.T.Context(), identity.UserID, identity.SessionID)
	if err == nil {
		ended, err = p.Auth.EndedSessions(p.T.Context(), identity.UserID)
	}
	return live, ended, err
}
