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

// accessDead is long enough for an access token to expire, including the leeway.
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
			if result.Identity == nil || result.Identity.Username != "ada" || result.Tokens == nil || result.Over {
				p.T.Fatalf("access %s: %+v, want ada with new tokens", presented.name, result)
			}
			after := p.Session(sid)
			if after.Generation != before+1 || after.DeliveredAt != models.At(p.Clock.Now()) || after.LastSeenAt != after.DeliveredAt {
				p.T.Errorf("access %s: generation %d → %d at %d, seen %d", presented.name, before, after.Generation, after.DeliveredAt, after.LastSeenAt)
			}
			_, claims := decoded(p.T, result.Tokens.Refresh)
			if claims["gen"] != float64(after.Generation) || claims["iat"] != float64(p.Clock.Now().Unix()) {
				p.T.Errorf("access %s: refresh claims %v", presented.name, claims)
			}
			in.Tokens = result.Tokens
		}
		if result := p.Present(in.Tokens.Access, in.Tokens.Refresh); result.Identity == nil || result.Tokens != nil {
			p.T.Error("a live access token is not enough by itself")
		}
		if result := p.Present("", ""); result.Identity != nil || result.Over {
			p.T.Errorf("no tokens: %+v, want no one and nothing to forget", result)
		}
		result := p.Present(in.Tokens.Refresh, in.Tokens.Access)
		if result != (auth.Result{}) {
			p.T.Errorf("tokens in each other's place: %+v, want no one and nothing to forget", result)
		}
	})
}

// rounds presents one expired access token and its refresh token from many callers
// at once, several times. Each round has one successor, and every request is signed
// in with the same refresh token.
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

// TestParallelRefreshTwoServices splits the callers between two services with
// separate stores on one database.
func TestParallelRefreshTwoServices(t *testing.T) {
	twoServices(t, func(p, q *portal) { rounds(p.T, []*portal{p, q}, 50, 20) })
}

// twoServices runs f with two services with separate stores on one database, for
// each engine.
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

// TestSameRefreshToken checks that every process derives the same token, byte for
// byte, from the row of a generation, at any time.
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

// TestPredecessor presents the immediate predecessor of a session's refresh token.
// Parallel requests get the same successor, and a browser that may have lost it gets
// another delivery. In any other case someone has a copy.
func TestPredecessor(t *testing.T) {
	const same, anew, replay = "the same successor", "another delivery", "replay"
	const never = -1
	tests := []struct {
		name  string
		used  time.Duration // when the successor is first used, after its delivery
		after time.Duration // when the predecessor is presented
		want  string
	}{
		{"at once, unused", never, 0, same},
		{"at the end of the grace, unused", never, grace, same},
		{"at the end of the grace, used", 0, grace, same},
		{"after the grace, unused: the response was lost", never, grace + time.Microsecond, anew},
		{"days later, unused", never, 5 * 24 * time.Hour, anew},
		{"after the grace, used at once: the browser crashed", 0, grace + time.Microsecond, anew},
		{"after the grace, used at the end of the crash window", time.Minute, 2 * time.Minute, anew},
		{"days later, used in the crash window", 30 * time.Second, 5 * 24 * time.Hour, anew},
		{"used after the crash window", time.Minute + time.Microsecond, 2 * time.Minute, replay},
		{"days later, used after the crash window", 2 * time.Minute, 5 * 24 * time.Hour, replay},
	}
	each(t, nil, func(p *portal) {
		p.Join("ada")
		for _, test := range tests {
			old := p.SignIn("ada").Tokens
			other := p.SignIn("ada").Tokens
			sid := p.Identity(old).SessionID
			p.Clock.Advance(accessDead)
			successor := p.Rotated(old.Refresh)
			if test.used != never {
				p.Clock.Advance(test.used)
				p.Identity(successor)
				p.Clock.Advance(-test.used)
			}
			p.Clock.Advance(test.after)
			result := p.Present("", old.Refresh)
			if test.want == replay {
				if result.Identity != nil || result.Tokens != nil || result.Ended != models.ReasonReplay || !result.Over {
					p.T.Errorf("%s: %+v, want a replay", test.name, result)
				}
				continue
			}
			if result.Identity == nil || result.Tokens == nil {
				p.T.Errorf("%s: %+v, want %s", test.name, result, test.want)
				continue
			}
			if got := p.Session(sid); got.Generation != 2 || got.Delivery != map[string]int64{same: 0, anew: 1}[test.want] {
				p.T.Errorf("%s: generation %d, delivery %d; want %s", test.name, got.Generation, got.Delivery, test.want)
			}
			if isSame := result.Tokens.Refresh == successor.Refresh; isSame != (test.want == same) {
				p.T.Errorf("%s: the same successor: %v, want %s", test.name, isSame, test.want)
			}
			if p.Present(result.Tokens.Access, "").Identity == nil || p.Present("", other.Refresh).Identity == nil {
				p.T.Errorf("%s: the new access token or the other session is refused", test.name)
			}
			p.Rotated(result.Tokens.Refresh)
		}
	})
}

// TestSuperseded checks that once a generation was delivered again, its earlier
// delivery is a replay, also as the predecessor of the next generation.
func TestSuperseded(t *testing.T) {
	tests := map[string]func(p *portal, newest *auth.Tokens) *auth.Tokens{
		"at once":              func(_ *portal, newest *auth.Tokens) *auth.Tokens { return newest },
		"after the next":       func(p *portal, newest *auth.Tokens) *auth.Tokens { return p.Rotated(newest.Refresh) },
		"after two deliveries": nil,
	}
	each(t, nil, func(p *portal) {
		p.Join("ada")
		for name, next := range tests {
			first := p.SignIn("ada").Tokens
			p.Clock.Advance(accessDead)
			superseded := p.Rotated(first.Refresh)
			p.Clock.Advance(grace + time.Second)
			newest := p.Rotated(first.Refresh)
			if next == nil {
				p.Clock.Advance(grace + time.Second)
				newest = p.Rotated(first.Refresh)
			} else {
				newest = next(p, newest)
			}
			if result := p.Present("", superseded.Refresh); result.Ended != models.ReasonReplay || result.Tokens != nil {
				p.T.Errorf("%s: %+v, want a replay", name, result)
			}
			p.WantOver(newest, models.ReasonReplay)
		}
	})
}

// TestLateTogether checks that twelve tabs that return late all get the same
// delivery.
func TestLateTogether(t *testing.T) {
	twoServices(t, func(p, q *portal) {
		first := p.Join("ada").Tokens
		sid := p.SID(first)
		p.Clock.Advance(accessDead)
		p.Rotated(first.Refresh) // its response is lost
		p.Clock.Advance(time.Hour)
		const tabs = 12
		results := make([]auth.Result, tabs)
		parallel(tabs, func(i int) {
			r := []*portal{p, q}[i%2]
			var err error
			if results[i], err = r.Auth.Authenticate(r.T.Context(), auth.Presented{Refresh: first.Refresh}, r.Client); err != nil {
				r.T.Errorf("tab %d: %v", i, err)
			}
		})
		for i, result := range results {
			if result.Tokens == nil || result.Tokens.Refresh != results[0].Tokens.Refresh {
				p.T.Fatalf("tab %d: %+v, want the refresh token of the others", i, result)
			}
		}
		if got := p.Session(sid); got.Generation != 2 || got.Delivery != 1 {
			p.T.Errorf("generation %d, delivery %d; want 2 and 1", got.Generation, got.Delivery)
		}
		p.Rotated(results[0].Tokens.Refresh)
	})
}

// TestDeliveries checks that a generation is delivered again twenty times at most.
// After that, the predecessor is a replay.
func TestDeliveries(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.Join("ada").Tokens
		p.Clock.Advance(accessDead)
		p.Rotated(first.Refresh)
		for range 20 {
			p.Clock.Advance(grace + time.Second)
			p.Rotated(first.Refresh)
		}
		if got := p.Session(p.SID(first)).Delivery; got != 20 {
			p.T.Errorf("delivery %d, want 20", got)
		}
		p.Clock.Advance(grace)
		p.Rotated(first.Refresh) // parallel to the last
		p.Clock.Advance(time.Second)
		if result := p.Present("", first.Refresh); result.Ended != models.ReasonReplay {
			p.T.Errorf("the 21st: %+v, want a replay", result)
		}
		p.WantDetail(audit.Replay, "presented generation 1, delivery 0; current generation 2, delivery 20")
	})
}

// TestLateDeliveryTold checks that the audit log has a late delivery to another
// address or browser than the previous delivery.
func TestLateDeliveryTold(t *testing.T) {
	moved, changed := from("203.0.113.9"), from("198.51.100.7")
	moved.UserAgent = "Firefox"
	tests := []struct {
		name string
		then func(p *portal, refresh string)
		want int64
	}{
		{"where it was", func(p *portal, refresh string) { p.Rotated(refresh) }, 0},
		{"another address", func(p *portal, refresh string) { p.Client = moved; p.Rotated(refresh) }, 1},
		{"another browser", func(p *portal, refresh string) { p.Client = changed; p.Rotated(refresh) }, 1},
		{"the same other one twice", func(p *portal, refresh string) {
			p.Client = moved
			p.Rotated(refresh)
			p.Clock.Advance(grace + time.Second)
			p.Rotated(refresh)
		}, 1},
	}
	each(t, nil, func(p *portal) {
		p.Join("ada")
		home := p.Client
		for _, test := range tests {
			p.Client = home
			first := p.SignIn("ada").Tokens
			before := p.Events(audit.LateDelivery)
			p.Clock.Advance(accessDead)
			p.Rotated(first.Refresh)
			p.Clock.Advance(grace + time.Second)
			test.then(p, first.Refresh)
			if got := p.Events(audit.LateDelivery) - before; got != test.want {
				p.T.Errorf("%s: %d events, want %d", test.name, got, test.want)
			}
		}
	})
}

func TestReplay(t *testing.T) {
	// Each returns the newest tokens of the session.
	tests := map[string]func(p *portal, first *auth.Tokens) *auth.Tokens{
		"the last generation, in use": func(p *portal, first *auth.Tokens) *auth.Tokens {
			second := p.Rotated(first.Refresh)
			p.Clock.Advance(2 * time.Minute)
			p.Identity(second)
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
			if result.Ended != models.ReasonReplay || result.Identity != nil || result.Tokens != nil || !result.Over {
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
				p.T.Errorf("%s: the next sign-in does not report the replay", name)
			}
			if again := p.SignIn("ada"); again.Replayed {
				p.T.Errorf("%s: the sign-in after it reports the replay again", name)
			}
		}
	})
}

// TestParallelReplay checks that many callers with one replayed token cause one
// event.
func TestParallelReplay(t *testing.T) {
	each(t, nil, func(p *portal) {
		first := p.Join("ada").Tokens
		p.Clock.Advance(accessDead)
		second := p.Rotated(first.Refresh)
		p.Clock.Advance(2 * time.Minute)
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

// TestRotationLimit checks that the 61st rotation within a minute has to wait, and
// that the session does not end.
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
