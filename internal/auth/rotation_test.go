package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// accessDead is long enough for an access token to die, leeway included.
const accessDead = accessTTL + 10*time.Second

func TestSilentRefresh(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		sid := p.Identity(in.Tokens).SessionID
		if p.Session(sid).ConfirmedGeneration != 1 {
			t.Error("the first use does not confirm generation 1")
		}
		for _, presented := range []struct{ name, access string }{
			{"expired", in.Tokens.Access}, {"missing", ""}, {"unusable", "x.y.z"}, {"the refresh token", in.Tokens.Refresh},
		} {
			p.Clock.Advance(accessDead)
			before := p.Session(sid).Generation
			result := p.Present(presented.access, in.Tokens.Refresh)
			if result.Identity == nil || result.Identity.Username != "ada" || result.Tokens == nil || result.Clear {
				p.T.Fatalf("access %s: %+v, want ada with new tokens", presented.name, result)
			}
			after := p.Session(sid)
			if after.Generation != before+1 || after.RotatedAt != models.At(p.Clock.Now()) || after.LastSeenAt != after.RotatedAt {
				p.T.Errorf("access %s: generation %d → %d at %d, seen %d", presented.name, before, after.Generation, after.RotatedAt, after.LastSeenAt)
			}
			_, claims := decoded(p.T, result.Tokens.Refresh)
			if claims["gen"] != float64(after.Generation) || claims["iat"] != float64(p.Clock.Now().Unix()) {
				p.T.Errorf("access %s: refresh claims %v", presented.name, claims)
			}
			in.Tokens = result.Tokens
		}
		if result := p.Present(in.Tokens.Access, in.Tokens.Refresh); result.Identity == nil || result.Tokens != nil {
			p.T.Error("a live access token does not do alone")
		}
		if result := p.Present("", ""); result.Identity != nil || result.Clear {
			p.T.Errorf("no tokens: %+v, want nobody and nothing to clear", result)
		}
		result := p.Present(in.Tokens.Refresh, in.Tokens.Access)
		if result.Identity != nil || !result.Clear {
			p.T.Errorf("tokens in each other's place: %+v", result)
		}
	})
}

// rounds presents one expired access token and its refresh token from many
// callers at once, round after round: each round has one successor, and
// everybody is signed in with the same refresh token.
func rounds(t *testing.T, portals []*portal, n, callers int) {
	t.Helper()
	p := portals[0]
	tokens := p.Join("ada").Tokens
	sid := p.Identity(tokens).SessionID
	for round := range n {
		p.Clock.Advance(accessDead)
		results := make([]auth.Result, callers)
		errs := make([]error, callers)
		parallel(callers, func(i int) {
			q := portals[i%len(portals)]
			results[i], errs[i] = q.Auth.Authenticate(t.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, q.Client)
		})
		for i, result := range results {
			if errs[i] != nil || result.Identity == nil || result.Tokens == nil {
				t.Fatalf("round %d, caller %d: error %v, ended %q", round, i, errs[i], result.Ended)
			}
			if result.Tokens.Refresh != results[0].Tokens.Refresh {
				t.Fatalf("round %d: callers have different refresh tokens", round)
			}
			if i > 0 && result.Tokens.Access == results[i-1].Tokens.Access {
				t.Fatalf("round %d: callers share an access token", round)
			}
			if q := portals[(i+1)%len(portals)]; q.Present(result.Tokens.Access, "").Identity == nil {
				t.Fatalf("round %d: the access token of caller %d is refused", round, i)
			}
		}
		if got, want := p.Session(sid).Generation, int64(round+2); got != want {
			t.Fatalf("round %d: generation %d, want %d", round, got, want)
		}
		tokens = results[round%callers].Tokens
	}
	if n := p.Events(audit.Replay); n != 0 {
		t.Errorf("%d replays in the audit log, want none", n)
	}
}

func TestParallelRefresh(t *testing.T) {
	each(t, nil, func(p *portal) { rounds(p.T, []*portal{p}, 50, 20) })
}

// TestParallelRefreshTwoServices splits the callers over two services with a
// store each on one database.
func TestParallelRefreshTwoServices(t *testing.T) {
	twoServices(t, func(p, q *portal) { rounds(p.T, []*portal{p, q}, 50, 20) })
}

// twoServices runs f with two services, each with a store of its own, on one
// database of each engine.
func twoServices(t *testing.T, f func(p, q *portal)) {
	t.Helper()
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		clock := servicetest.NewClock(servicetest.Start)
		var portals []*portal
		for range 2 {
			portals = append(portals, newPortal(t, openStore(t, databaseURL), clock, nil))
		}
		f(portals[0], portals[1])
	})
}

func openStore(t *testing.T, databaseURL string) *models.Store {
	t.Helper()
	store, err := models.Open(t.Context(), models.Options{URL: databaseURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// TestSameRefreshToken: the token of a generation is made from the row, byte
// for byte, whenever and by whomever.
func TestSameRefreshToken(t *testing.T) {
	twoServices(t, func(p, q *portal) {
		first := p.Join("ada").Tokens
		p.Clock.Advance(accessDead)
		second := p.Rotated(first.Refresh)
		p.Clock.Advance(1300 * time.Millisecond)
		for name, replica := range map[string]*portal{"the same service": p, "another": q} {
			if again := replica.Rotated(first.Refresh); again.Refresh != second.Refresh || again.RefreshExpires != second.RefreshExpires {
				p.T.Errorf("%s: the successor comes out differently", name)
			}
		}
	})
}

func TestOverlap(t *testing.T) {
	tests := []struct {
		name   string
		used   func(p *portal, successor *auth.Tokens) // what is done with the successor
		after  time.Duration                           // then the predecessor comes
		replay bool
	}{
		{"at once, unused", func(*portal, *auth.Tokens) {}, 0, false},
		{"at the end of the grace, used", useAccess, grace, false},
		{"after the grace, used", useAccess, grace + time.Microsecond, true},
		{"after the grace, unused: the response was lost", func(*portal, *auth.Tokens) {}, grace + time.Microsecond, false},
		{"days later, unused", func(*portal, *auth.Tokens) {}, 5 * 24 * time.Hour, false},
		{"days later, used", useAccess, 5 * 24 * time.Hour, true},
	}
	each(t, nil, func(p *portal) {
		p.Join("ada")
		for _, test := range tests {
			old := p.SignIn("ada").Tokens
			other := p.SignIn("ada").Tokens
			sid := p.Identity(old).SessionID
			p.Clock.Advance(accessDead)
			successor := p.Rotated(old.Refresh)
			test.used(p, successor)
			p.Clock.Advance(test.after)
			result := p.Present("", old.Refresh)
			if test.replay {
				if result.Identity != nil || result.Tokens != nil || result.Ended != models.ReasonReplay || !result.Clear {
					p.T.Errorf("%s: %+v, want a replay", test.name, result)
				}
				continue
			}
			if result.Identity == nil || result.Tokens == nil || result.Tokens.Refresh != successor.Refresh {
				p.T.Errorf("%s: %+v, want the same successor", test.name, result)
				continue
			}
			if got := p.Session(sid).Generation; got != 2 {
				p.T.Errorf("%s: generation %d, want 2", test.name, got)
			}
			if p.Present(result.Tokens.Access, "").Identity == nil || p.Present("", other.Refresh).Identity == nil {
				p.T.Errorf("%s: the fresh access token or the other session is refused", test.name)
			}
		}
	})
}

func useAccess(p *portal, tokens *auth.Tokens) { p.Identity(tokens) }

func TestReplay(t *testing.T) {
	// Each returns the newest tokens of the session.
	tests := map[string]func(p *portal, first *auth.Tokens) *auth.Tokens{
		"the last generation, used, after the grace": func(p *portal, first *auth.Tokens) *auth.Tokens {
			second := p.Rotated(first.Refresh)
			p.Identity(second)
			p.Clock.Advance(grace + time.Second)
			return second
		},
		"an older generation, within the grace": func(p *portal, first *auth.Tokens) *auth.Tokens {
			return p.Rotated(p.Rotated(first.Refresh).Refresh)
		},
		"a much older generation": func(p *portal, tokens *auth.Tokens) *auth.Tokens {
			for range 5 {
				p.Clock.Advance(time.Hour)
				tokens = p.Rotated(tokens.Refresh)
			}
			return tokens
		},
	}
	each(t, nil, func(p *portal) {
		p.Join("ada")
		replays := p.Events(audit.Replay)
		for name, use := range tests {
			first, other := p.SignIn("ada").Tokens, p.SignIn("ada").Tokens
			p.Clock.Advance(accessDead)
			newest := use(p, first)
			result := p.Present("", first.Refresh)
			if result.Ended != models.ReasonReplay || result.Identity != nil || result.Tokens != nil || !result.Clear {
				p.T.Errorf("%s: %+v, want a replay", name, result)
			}
			p.WantOver(newest, models.ReasonReplay)
			p.WantOver(first, models.ReasonReplay)
			replays++
			if got := p.Events(audit.Replay); got != replays {
				p.T.Errorf("%s: %d replays in the audit log, want %d", name, got, replays)
			}
			_, claims := decoded(p.T, first.Refresh)
			_, bystander := decoded(p.T, other.Refresh)
			if !p.denied(bystander["sid"].(string), claims["sid"].(string)) {
				p.T.Errorf("%s: the sid is not on the denylist", name)
			}
			if p.Present("", other.Refresh).Identity == nil {
				p.T.Errorf("%s: the other session ended too", name)
			}
			if again := p.SignIn("ada"); !again.Replayed {
				p.T.Errorf("%s: the next sign-in does not tell", name)
			}
			if again := p.SignIn("ada"); again.Replayed {
				p.T.Errorf("%s: the sign-in after it tells again", name)
			}
		}
	})
}

// TestParallelReplay: many callers with one replayed token write one event.
func TestParallelReplay(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.Join("ada").Tokens
		p.Clock.Advance(accessDead)
		second := p.Rotated(first.Refresh)
		p.Identity(second)
		p.Clock.Advance(accessDead)
		parallel(10, func(int) {
			result, err := p.Auth.Authenticate(p.T.Context(), auth.Presented{Refresh: first.Refresh}, p.Client)
			if err != nil || result.Ended != models.ReasonReplay {
				p.T.Errorf("%v, ended %q", err, result.Ended)
			}
		})
		if n := p.Events(audit.Replay); n != 1 {
			p.T.Errorf("%d replays in the audit log, want 1", n)
		}
		p.WantOver(second, models.ReasonReplay)
	})
}

// TestRotationLimit: the 61st rotation of a minute waits and the session stays.
func TestRotationLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		tokens := p.Join("ada").Tokens
		p.Clock.Advance(accessDead)
		for range 60 {
			tokens = p.Rotated(tokens.Refresh)
		}
		p.Clock.Advance(20 * time.Second)
		_, err := p.Auth.Authenticate(p.T.Context(), auth.Presented{Refresh: tokens.Refresh}, p.Client)
		wantKind(p.T, "61st rotation", err, apperr.TooMany)
		if got := apperr.Details(err).RetryAfter; got != 40*time.Second {
			p.T.Errorf("wait %v, want 40s", got)
		}
		if p.Present(tokens.Access, "").Identity == nil {
			p.T.Error("the session ended")
		}
		p.Clock.Advance(40 * time.Second)
		p.Rotated(tokens.Refresh)
	})
}
