package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// accessDead is long enough for an access token to die, leeway included.
const accessDead = accessTTL + 10*time.Second

func TestSilentRefresh(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.signUp("ada")
		sid := p.identity(in.Tokens).SessionID
		if p.session(sid).ConfirmedGeneration != 1 {
			t.Error("the first use does not confirm generation 1")
		}
		for _, presented := range []struct{ name, access string }{
			{"expired", in.Tokens.Access}, {"missing", ""}, {"unusable", "x.y.z"}, {"the refresh token", in.Tokens.Refresh},
		} {
			p.clock.advance(accessDead)
			before := p.session(sid).Generation
			result := p.present(presented.access, in.Tokens.Refresh)
			if result.Identity == nil || result.Identity.Username != "ada" || result.Tokens == nil || result.Clear {
				p.t.Fatalf("access %s: %+v, want ada with new tokens", presented.name, result)
			}
			after := p.session(sid)
			if after.Generation != before+1 || after.RotatedAt != models.At(p.clock.now()) || after.LastSeenAt != after.RotatedAt {
				p.t.Errorf("access %s: generation %d → %d at %d, seen %d", presented.name, before, after.Generation, after.RotatedAt, after.LastSeenAt)
			}
			_, claims := decoded(p.t, result.Tokens.Refresh)
			if claims["gen"] != float64(after.Generation) || claims["iat"] != float64(p.clock.now().Unix()) {
				p.t.Errorf("access %s: refresh claims %v", presented.name, claims)
			}
			in.Tokens = result.Tokens
		}
		if result := p.present(in.Tokens.Access, in.Tokens.Refresh); result.Identity == nil || result.Tokens != nil {
			p.t.Error("a live access token does not do alone")
		}
		if result := p.present("", ""); result.Identity != nil || result.Clear {
			p.t.Errorf("no tokens: %+v, want nobody and nothing to clear", result)
		}
		result := p.present(in.Tokens.Refresh, in.Tokens.Access)
		if result.Identity != nil || !result.Clear {
			p.t.Errorf("tokens in each other's place: %+v", result)
		}
	})
}

// rounds presents one expired access token and its refresh token from many
// callers at once, round after round: each round has one successor, and
// everybody is signed in with the same refresh token.
func rounds(t *testing.T, portals []*portal, n, callers int) {
	t.Helper()
	p := portals[0]
	tokens := p.signUp("ada").Tokens
	sid := p.identity(tokens).SessionID
	for round := range n {
		p.clock.advance(accessDead)
		results := make([]auth.Result, callers)
		errs := make([]error, callers)
		parallel(callers, func(i int) {
			q := portals[i%len(portals)]
			results[i], errs[i] = q.Authenticate(t.Context(), auth.Presented{Access: tokens.Access, Refresh: tokens.Refresh}, q.client)
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
			if q := portals[(i+1)%len(portals)]; q.present(result.Tokens.Access, "").Identity == nil {
				t.Fatalf("round %d: the access token of caller %d is refused", round, i)
			}
		}
		if got, want := p.session(sid).Generation, int64(round+2); got != want {
			t.Fatalf("round %d: generation %d, want %d", round, got, want)
		}
		tokens = results[round%callers].Tokens
	}
	if n := p.events(audit.Replay); n != 0 {
		t.Errorf("%d replays in the audit log, want none", n)
	}
}

func TestParallelRefresh(t *testing.T) {
	each(t, nil, func(p *portal) { rounds(p.t, []*portal{p}, 50, 20) })
}

// TestParallelRefreshTwoServices splits the callers over two services with a
// store each on one database.
func TestParallelRefreshTwoServices(t *testing.T) {
	twoServices(t, func(p, q *portal) { rounds(p.t, []*portal{p, q}, 50, 20) })
}

// twoServices runs f with two services, each with a store of its own, on one
// database of each engine.
func twoServices(t *testing.T, f func(p, q *portal)) {
	t.Helper()
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		clock := newClock()
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
		first := p.signUp("ada").Tokens
		p.clock.advance(accessDead)
		second := p.rotated(first.Refresh)
		p.clock.advance(1300 * time.Millisecond)
		for name, replica := range map[string]*portal{"the same service": p, "another": q} {
			if again := replica.rotated(first.Refresh); again.Refresh != second.Refresh || again.RefreshExpires != second.RefreshExpires {
				p.t.Errorf("%s: the successor comes out differently", name)
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
		p.signUp("ada")
		for _, test := range tests {
			old := p.login("ada").Tokens
			other := p.login("ada").Tokens
			sid := p.identity(old).SessionID
			p.clock.advance(accessDead)
			successor := p.rotated(old.Refresh)
			test.used(p, successor)
			p.clock.advance(test.after)
			result := p.present("", old.Refresh)
			if test.replay {
				if result.Identity != nil || result.Tokens != nil || result.Ended != models.ReasonReplay || !result.Clear {
					p.t.Errorf("%s: %+v, want a replay", test.name, result)
				}
				continue
			}
			if result.Identity == nil || result.Tokens == nil || result.Tokens.Refresh != successor.Refresh {
				p.t.Errorf("%s: %+v, want the same successor", test.name, result)
				continue
			}
			if got := p.session(sid).Generation; got != 2 {
				p.t.Errorf("%s: generation %d, want 2", test.name, got)
			}
			if p.present(result.Tokens.Access, "").Identity == nil || p.present("", other.Refresh).Identity == nil {
				p.t.Errorf("%s: the fresh access token or the other session is refused", test.name)
			}
		}
	})
}

func useAccess(p *portal, tokens *auth.Tokens) { p.identity(tokens) }

func TestReplay(t *testing.T) {
	// Each returns the newest tokens of the session.
	tests := map[string]func(p *portal, first *auth.Tokens) *auth.Tokens{
		"the last generation, used, after the grace": func(p *portal, first *auth.Tokens) *auth.Tokens {
			second := p.rotated(first.Refresh)
			p.identity(second)
			p.clock.advance(grace + time.Second)
			return second
		},
		"an older generation, within the grace": func(p *portal, first *auth.Tokens) *auth.Tokens {
			return p.rotated(p.rotated(first.Refresh).Refresh)
		},
		"a much older generation": func(p *portal, tokens *auth.Tokens) *auth.Tokens {
			for range 5 {
				p.clock.advance(time.Hour)
				tokens = p.rotated(tokens.Refresh)
			}
			return tokens
		},
	}
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		replays := p.events(audit.Replay)
		for name, use := range tests {
			first, other := p.login("ada").Tokens, p.login("ada").Tokens
			p.clock.advance(accessDead)
			newest := use(p, first)
			result := p.present("", first.Refresh)
			if result.Ended != models.ReasonReplay || result.Identity != nil || result.Tokens != nil || !result.Clear {
				p.t.Errorf("%s: %+v, want a replay", name, result)
			}
			p.wantOver(newest, models.ReasonReplay)
			p.wantOver(first, models.ReasonReplay)
			replays++
			if got := p.events(audit.Replay); got != replays {
				p.t.Errorf("%s: %d replays in the audit log, want %d", name, got, replays)
			}
			_, claims := decoded(p.t, first.Refresh)
			_, bystander := decoded(p.t, other.Refresh)
			if !p.denied(bystander["sid"].(string), claims["sid"].(string)) {
				p.t.Errorf("%s: the sid is not on the denylist", name)
			}
			if p.present("", other.Refresh).Identity == nil {
				p.t.Errorf("%s: the other session ended too", name)
			}
			if again := p.login("ada"); !again.Replayed {
				p.t.Errorf("%s: the next sign-in does not tell", name)
			}
			if again := p.login("ada"); again.Replayed {
				p.t.Errorf("%s: the sign-in after it tells again", name)
			}
		}
	})
}

// TestParallelReplay: many callers with one replayed token write one event.
func TestParallelReplay(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.signUp("ada").Tokens
		p.clock.advance(accessDead)
		second := p.rotated(first.Refresh)
		p.identity(second)
		p.clock.advance(accessDead)
		parallel(10, func(int) {
			result, err := p.Authenticate(p.t.Context(), auth.Presented{Refresh: first.Refresh}, p.client)
			if err != nil || result.Ended != models.ReasonReplay {
				p.t.Errorf("%v, ended %q", err, result.Ended)
			}
		})
		if n := p.events(audit.Replay); n != 1 {
			p.t.Errorf("%d replays in the audit log, want 1", n)
		}
		p.wantOver(second, models.ReasonReplay)
	})
}

// TestRotationLimit: the 61st rotation of a minute waits and the session stays.
func TestRotationLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		p.clock.advance(accessDead)
		for range 60 {
			tokens = p.rotated(tokens.Refresh)
		}
		p.clock.advance(20 * time.Second)
		_, err := p.Authenticate(p.t.Context(), auth.Presented{Refresh: tokens.Refresh}, p.client)
		wantKind(p.t, "61st rotation", err, apperr.TooMany)
		if got := apperr.Details(err).RetryAfter; got != 40*time.Second {
			p.t.Errorf("wait %v, want 40s", got)
		}
		if p.present(tokens.Access, "").Identity == nil {
			p.t.Error("the session ended")
		}
		p.clock.advance(40 * time.Second)
		p.rotated(tokens.Refresh)
	})
}
