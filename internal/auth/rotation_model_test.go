package auth_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/internal/token"
	"latchkey/models"
)

// The model test of rotation: an honest browser, and a browser whose cookies a
// thief has copied, take every short sequence of steps and many long random ones
// against the real service. The honest browser is never signed out. A thief who
// continues is detected at the latest at the owner's second refresh after their
// tokens first differ. No more than one refresh token is ever live.
//
// The model assumes that a browser saves its cookies within 30 seconds, and that a
// response arrives within the grace period of its delivery or never
// (docs/adr/0018-deliveries.md has the other case).

// savedWithin is how long a browser may take to save its cookies.
const savedWithin = 30 * time.Second

// pair has the tokens of one delivery, as a browser or a thief has them.
type pair struct {
	generation, delivery int64
	dies                 time.Time // when the access token and its cookie expire
}

func (p pair) sameRefresh(q pair) bool {
	return p.generation == q.generation && p.delivery == q.delivery
}

// world is one state: the session's row, the owner's browser, and the thief.
type world struct {
	row     models.Session
	now     time.Time
	jar     pair      // the cookies of the owner's browser
	changed time.Time // when jar changed
	saved   pair      // the cookies on its disk
	flight  []pair    // responses that are on their way to the browser
	thief   []pair    // the tokens that the thief copied or received, newest last
	parted  int       // how far owner and thief have continued with different tokens
	minted  []pair    // one of each delivery so far
	over    bool      // the session has ended
	path    []string  // the steps that led to this state
}

// The values of parted.
const (
	together   = iota // they have the same refresh token, or the owner has not refreshed since the copy
	ownerOn           // the owner has refreshed
	thiefOnToo        // and the thief after that: the owner's next refresh has to end the session
)

// step is an event. It changes the world in place and reports whether it was
// possible in that state.
type step struct {
	name string
	do   func(m *model, w *world) bool
}

// model takes steps against a service on SQLite.
type model struct {
	*portal
	user    *models.User
	keyring *token.Keyring
	first   world
	taken   int // how many steps
}

func newModel(t *testing.T) *model {
	// The model makes tens of thousands of writes, and none has to survive.
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		t.Setenv("TMPDIR", "/dev/shm")
	}
	p := newPortal(t, testdb.SQLite(t), servicetest.NewClock(servicetest.Start), nil)
	keyring, err := token.NewKeyring(issuer, secret, nil, p.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	in := p.Join("ada")
	m := &model{portal: p, user: p.User("ada"), keyring: keyring}
	m.first = world{row: *p.Session(p.SID(in.Tokens)), now: p.Clock.Now(), jar: m.read(in.Tokens), changed: p.Clock.Now()}
	m.first.saved, m.first.minted = m.first.jar, []pair{m.first.jar}
	return m
}

func (m *model) read(tokens *auth.Tokens) pair {
	claims, err := m.keyring.Verify(token.WebRefresh, tokens.Refresh)
	if err != nil {
		m.T.Fatal(err)
	}
	return pair{claims.Generation, claims.Delivery, tokens.AccessExpires}
}

// take returns the world after a step, and false if the step is not possible. Each
// step has its own session row, so that many steps can start from one world.
func (m *model) take(w world, s step) (world, bool) {
	w.row.ID = models.NewID()
	w.flight, w.thief = slices.Clone(w.flight), slices.Clone(w.thief)
	w.minted, w.path = slices.Clone(w.minted), append(slices.Clone(w.path), s.name)
	m.Clock.Advance(w.now.Sub(m.Clock.Now()))
	if !s.do(m, &w) {
		return w, false
	}
	m.taken++
	return w, true
}

// inSession runs f with the world's row in the database.
func (m *model) inSession(w *world, f func()) {
	if err := m.Store.Sessions.Create(m.T.Context(), &w.row); err != nil {
		m.T.Fatal(err)
	}
	f()
	w.row = *m.Session(w.row.ID)
	w.over = !w.row.EndedAt.IsZero()
}

// sign returns the tokens of a pair for the world's session, without an access
// token if that has expired.
func (m *model) sign(w *world, p pair) (access, refresh string) {
	claims := token.Claims{
		Subject: m.user.ID, SessionID: w.row.ID, ID: models.NewID(), Generation: p.generation, Delivery: p.delivery,
		IssuedAt: token.DateOf(w.now), ExpiresAt: token.DateOf(p.dies),
	}
	if p.dies.After(w.now) {
		access = m.keyring.Sign(token.WebAccess, claims)
	}
	claims.ID, claims.ExpiresAt = token.RefreshID(w.row.ID, p.generation, p.delivery), token.DateOf(w.now.Add(time.Hour))
	return access, m.keyring.Sign(token.WebRefresh, claims)
}

// request presents a pair and returns the pair of the response, nil if it has none.
func (m *model) request(w *world, p pair) (given *pair, signedIn bool) {
	m.inSession(w, func() {
		result := m.Present(m.sign(w, p))
		signedIn = result.Identity != nil
		if result.Tokens == nil {
			return
		}
		fresh := m.read(result.Tokens)
		given = &fresh
		if !slices.ContainsFunc(w.minted, fresh.sameRefresh) {
			w.minted = append(w.minted, fresh)
		}
	})
	return given, signedIn
}

// arrive stores the cookies of a response in the owner's browser.
func (w *world) arrive(p pair) { w.jar, w.changed = p, w.now }

// wait lets time pass: the browser saves its cookies, and responses later than the
// grace period are lost.
func wait(d time.Duration) step {
	return step{"wait " + d.String(), func(_ *model, w *world) bool {
		w.now = w.now.Add(d)
		if w.now.Sub(w.changed) >= savedWithin {
			w.saved = w.jar
		}
		if w.now.Sub(w.row.DeliveredAt.Time()) > grace {
			w.flight = nil
		}
		return true
	}}
}

// crash restarts the owner's browser with the cookies that it has saved.
var crash = step{"crash", func(_ *model, w *world) bool {
	if w.jar == w.saved && len(w.flight) == 0 {
		return false
	}
	w.jar, w.changed, w.flight, w.parted = w.saved, w.now, nil, together
	return true
}}

// honest returns the steps of a browser whose tokens were not copied. It
// fails the test when the browser is signed out.
func honest() []step {
	visit := func(name string, answer func(w *world, p pair)) step {
		return step{name, func(m *model, w *world) bool {
			given, signedIn := m.request(w, w.jar)
			if !signedIn {
				m.T.Fatalf("an honest browser is signed out: %s", strings.Join(w.path, ", "))
			}
			if given != nil {
				answer(w, *given)
			}
			return true
		}}
	}
	arrives := func(name string, choose func(n int) int) step {
		return step{name, func(_ *model, w *world) bool {
			if len(w.flight) == 0 {
				return false
			}
			i := choose(len(w.flight))
			w.arrive(w.flight[i])
			w.flight = slices.Delete(w.flight, i, i+1)
			return true
		}}
	}
	return []step{
		visit("visit", (*world).arrive),
		visit("visit, response lost", func(*world, pair) {}),
		visit("visit, response late", func(w *world, p pair) { w.flight = append(w.flight, p) }),
		arrives("the first late response arrives", func(int) int { return 0 }),
		arrives("the last late response arrives", func(n int) int { return n - 1 }),
		{"peek", func(m *model, w *world) bool {
			if w.jar.dies.After(w.now) {
				return false
			}
			m.inSession(w, func() {
				_, refresh := m.sign(w, w.jar)
				if result, err := m.Auth.Peek(m.T.Context(), refresh, m.Client); err != nil || result.Identity == nil {
					m.T.Fatalf("an honest browser is signed out: %s (%v)", strings.Join(w.path, ", "), err)
				}
			})
			return true
		}},
		crash,
	}
}

func jarOf(w *world) pair   { return w.jar }
func savedOf(w *world) pair { return w.saved }

// steal gives the thief a copy.
func steal(name string, of func(w *world) pair) step {
	return step{name, func(_ *model, w *world) bool {
		if slices.Contains(w.thief, of(w)) {
			return false
		}
		w.thief = append(w.thief, of(w))
		if w.jar.sameRefresh(of(w)) {
			w.parted = together
		}
		return true
	}}
}

// robbed returns the steps of an owner and a thief who has copied cookies. It fails
// the test if the thief has refreshed after the owner and the owner's next refresh
// does not end the session.
func robbed() []step {
	visit := func(name string, lost bool) step {
		return step{name, func(m *model, w *world) bool {
			given, _ := m.request(w, w.jar)
			if given == nil {
				return true
			}
			if !lost {
				w.arrive(*given)
			}
			switch {
			case len(w.thief) > 0 && w.jar.sameRefresh(w.thief[len(w.thief)-1]):
				w.parted = together
			case w.parted == thiefOnToo:
				m.T.Fatalf("a thief is not detected: %s", strings.Join(w.path, ", "))
			case len(w.thief) > 0 && !lost:
				w.parted = ownerOn
			}
			return true
		}}
	}
	use := func(name string, choose func(n int) int, withAccess bool) step {
		return step{name, func(m *model, w *world) bool {
			if len(w.thief) == 0 {
				return false
			}
			p := w.thief[choose(len(w.thief))]
			if !withAccess {
				p.dies = time.Time{}
			} else if !p.dies.After(w.now) {
				return false
			}
			given, _ := m.request(w, p)
			if given == nil {
				return true
			}
			w.thief = append(w.thief, *given)
			switch {
			case w.jar.sameRefresh(*given):
				w.parted = together
			case w.parted == ownerOn:
				w.parted = thiefOnToo
			}
			return true
		}}
	}
	first, last := func(int) int { return 0 }, func(n int) int { return n - 1 }
	return []step{
		visit("the owner visits", false),
		visit("the owner visits, response lost", true),
		crash,
		steal("the thief copies the cookies", jarOf),
		steal("the thief copies the saved cookies", savedOf),
		use("the thief refreshes with the newest", last, false),
		use("the thief refreshes with the first copy", first, false),
		use("the thief visits with the newest access token", last, true),
	}
}

var (
	waits = []step{wait(6 * time.Second), wait(20 * time.Second), wait(70 * time.Second), wait(6 * time.Minute)}
	days  = append(slices.Clone(waits), wait(26*time.Hour))
)

// key identifies a world by all values that its further steps depend on.
func (w *world) key() string {
	since := func(t time.Time) time.Duration { return min(w.now.Sub(t), 7*time.Minute) }
	text := func(p pair) string {
		return fmt.Sprint(p.generation-w.row.Generation, p.delivery, max(p.dies.Sub(w.now), 0))
	}
	var b strings.Builder
	fmt.Fprint(&b, w.row.Delivery, w.row.PreviousDelivery, w.row.ConfirmedGeneration-w.row.Generation, w.row.ConfirmedDelivery,
		since(w.row.DeliveredAt.Time()), since(w.row.LastSeenAt.Time()), since(w.changed), text(w.jar), text(w.saved), w.parted)
	for _, list := range [][]pair{w.flight, w.thief} {
		b.WriteByte(';')
		for _, p := range list {
			b.WriteString(text(p) + ",")
		}
	}
	return b.String()
}

// explore takes every sequence of n steps, but visits no world twice.
func (m *model) explore(w world, steps []step, n int, seen map[string]int) {
	if n == 0 || w.over || seen[w.key()] >= n {
		return
	}
	seen[w.key()] = n
	for _, s := range steps {
		if next, ok := m.take(w, s); ok {
			m.explore(next, steps, n-1, seen)
		}
	}
}

// wantOneLive presents every refresh token of a session, each to the session in its
// current state. At most one of them may rotate it.
func (m *model) wantOneLive(w world) {
	live := 0
	for _, p := range w.minted {
		p.dies = time.Time{}
		after, _ := m.take(w, step{"", func(m *model, w *world) bool { m.request(w, p); return true }})
		if after.row.Generation > w.row.Generation {
			live++
		}
	}
	if live > 1 {
		m.T.Errorf("%d refresh tokens are live: %s", live, strings.Join(w.path, ", "))
	}
}

// walks takes n random walks of 25 steps.
func (m *model) walks(from world, steps []step, n int) {
	for seed := range n {
		random, w := rand.New(rand.NewPCG(uint64(seed), 0)), from
		for len(w.path) < 25 && !w.over {
			if next, ok := m.take(w, steps[random.IntN(len(steps))]); ok {
				w = next
			}
		}
		m.wantOneLive(w)
	}
	m.T.Logf("%d steps taken", m.taken)
}

// after returns the world after a sequence of steps.
func (m *model) after(w world, steps ...step) world {
	for _, s := range steps {
		var ok bool
		if w, ok = m.take(w, s); !ok {
			m.T.Fatalf("the step %q is not possible", s.name)
		}
	}
	return w
}

// TestRotationModel runs the model (see the top of the file). The consequences of a
// lost response or a theft take many steps to show, so the sequences begin with one.
func TestRotationModel(t *testing.T) {
	refreshDue := wait(6 * time.Minute)
	t.Run("honest", func(t *testing.T) {
		m := newModel(t)
		all := honest()
		m.explore(m.first, append(all, waits...), 4, map[string]int{})
		m.explore(m.after(m.first, refreshDue, all[1]), append(all, wait(20*time.Second), refreshDue), 6, map[string]int{})
		m.walks(m.first, append(all, days...), 100)
	})
	t.Run("robbed", func(t *testing.T) {
		m := newModel(t)
		all := robbed()
		m.explore(m.first, append(all, waits...), 4, map[string]int{})
		stolen := m.after(m.first, steal("the thief copies the cookies", jarOf), refreshDue)
		for _, first := range []step{all[0], all[1], all[5]} { // either of them refreshes
			m.explore(m.after(stolen, first), append(all, wait(20*time.Second), refreshDue), 5, map[string]int{})
		}
		m.walks(stolen, append(all, days...), 200)
	})
}
