package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// peeked returns the result of Peek, which must not issue tokens.
func (p *portal) peeked(refresh string) auth.Result {
	p.T.Helper()
	result, err := p.Auth.Peek(p.T.Context(), refresh, p.Client)
	if err != nil {
		p.T.Fatalf("peek: %v", err)
	}
	if result.Tokens != nil || result.Over && result.Identity != nil {
		p.T.Errorf("peek: %+v", result)
	}
	return result
}

// TestPeek alternately peeks at a session and rotates it.
func TestPeek(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.Join("ana").Tokens
		for range 3 { // peeking can be repeated
			if got := p.peeked(first.Refresh); got.Identity == nil || got.Identity.Username != "ana" {
				t.Fatalf("the current token: %+v", got)
			}
		}
		sid := p.peeked(first.Refresh).Identity.SessionID
		if got := p.Session(sid); got.Generation != 1 || got.ConfirmedGeneration != 1 {
			t.Errorf("generation %d, confirmed %d; want 1 and 1", got.Generation, got.ConfirmedGeneration)
		}
		second := p.Rotated(first.Refresh)
		p.Clock.Advance(time.Hour)
		if p.peeked(first.Refresh).Identity == nil {
			t.Error("the predecessor of an unused generation is refused")
		}
		if got := p.Session(sid).ConfirmedGeneration; got != 1 {
			t.Errorf("the predecessor confirms generation %d", got)
		}
		if p.peeked(second.Refresh).Identity == nil {
			t.Error("the new current token is refused")
		}
		if got := p.Session(sid); got.ConfirmedGeneration != 2 || got.LastSeenAt != models.At(p.Clock.Now()) {
			t.Errorf("confirmed %d, last seen %v; want 2, and now", got.ConfirmedGeneration, got.LastSeenAt.Time())
		}
		if got := p.peeked(first.Refresh); got.Identity != nil || got.Ended != models.ReasonReplay {
			t.Errorf("a predecessor whose successor was used: %+v, want a replay", got)
		}
		p.WantOver(second, models.ReasonReplay)
		if n := p.Events(audit.Replay); n != 1 {
			t.Errorf("%d replays in the audit log, want 1", n)
		}
	})
}

// TestPeekGrace checks that the predecessor is accepted within the grace period, for
// parallel requests.
func TestPeekGrace(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.Join("ana").Tokens
		second := p.Rotated(first.Refresh)
		p.Identity(second) // confirmed
		p.Clock.Advance(grace)
		if p.peeked(first.Refresh).Identity == nil {
			t.Error("refused within the grace")
		}
		third := p.Rotated(second.Refresh)
		if got := p.peeked(first.Refresh); got.Ended != models.ReasonReplay {
			t.Errorf("two generations old, within the grace: %+v, want a replay", got)
		}
		p.WantOver(third, models.ReasonReplay)
	})
}

// TestPeekRefuses checks tokens whose session has ended, and tokens that are not a
// browser's refresh token.
func TestPeekRefuses(t *testing.T) {
	each(t, nil, func(p *portal) {
		admin := p.Admin("ruth")
		in := p.Join("ana")
		for name, token := range map[string]string{
			"nothing": "", "no token": "x", "an access token": in.Tokens.Access, "a changed one": in.Tokens.Refresh + "A",
		} {
			if got := p.peeked(token); got != (auth.Result{}) {
				t.Errorf("%s: %+v, want no one and nothing to forget", name, got)
			}
		}
		out := p.SignIn("ana").Tokens
		if err := p.Auth.Logout(t.Context(), auth.Presented{Refresh: out.Refresh}, p.Client); err != nil {
			t.Fatal(err)
		}
		if got := p.peeked(out.Refresh); !got.Over || got.Ended != models.ReasonLogout {
			t.Errorf("signed out: %+v", got)
		}
		if _, _, err := p.Accounts.Disable(t.Context(), admin, p.User("ana").ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := p.peeked(in.Tokens.Refresh); !got.Over || got.Ended != models.ReasonDisabled {
			t.Errorf("disabled: %+v", got)
		}
		p.Join("bo")
		idle := p.SignIn("bo").Tokens
		p.Clock.Advance(refreshTTL)
		if got := p.peeked(idle.Refresh); got.Identity != nil {
			t.Errorf("idle: %+v", got)
		}
		live := p.SignIn("bo").Tokens
		if err := p.Store.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Auth.Peek(t.Context(), live.Refresh, p.Client); apperr.KindOf(err) != apperr.Unavailable {
			t.Errorf("the database gone: got %v", err)
		}
	})
}
