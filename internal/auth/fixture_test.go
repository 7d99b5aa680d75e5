package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	issuer       = "https://portal.example"
	goodPassword = "violet-harbour-mosaic-71"
	accessTTL    = 5 * time.Minute
	refreshTTL   = 7 * 24 * time.Hour
	sessionTTL   = 30 * 24 * time.Hour
	grace        = 10 * time.Second
)

var (
	secret   = []byte("9f#Lk2!qVw7$Zr4^Tb8&Ny1*Hc5(Jd0)")
	previous = []byte("Q3@mXe6%Ug9-Pi2+Fo5=Sa8_Rh1~Wt4,")
)

// clock is a time that moves only when a test says so.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 3, 1, 8, 30, 0, 250_000_000, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// portal is a service on a database of its own, with a clock and one client.
type portal struct {
	*auth.Service
	t      *testing.T
	store  *models.Store
	clock  *clock
	client auth.Client
	tries  int // how many sign-ins try has made
}

// each runs f against a portal on every engine. change may be nil.
func each(t *testing.T, change func(*auth.Options), f func(p *portal)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f(newPortal(t, store, newClock(), change))
	})
}

func newPortal(t *testing.T, store *models.Store, clock *clock, change func(*auth.Options)) *portal {
	t.Helper()
	options := auth.Options{
		Store: store, Logger: slog.New(slog.DiscardHandler), Now: clock.now, PublicURL: issuer, Secret: secret,
		AccessTTL: accessTTL, RefreshTTL: refreshTTL, SessionTTL: sessionTTL, RefreshGrace: grace,
		SignupOpen: true, PasswordGrant: true, Hasher: fastHasher(), Policy: password.NewPolicy(password.PolicyOptions{}),
	}
	if change != nil {
		change(&options)
	}
	service, err := auth.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return &portal{
		Service: service, t: t, store: store, clock: clock,
		client: auth.Client{IP: netip.MustParseAddr("198.51.100.7"), UserAgent: "Firefox", RequestID: "4FJK-9Q2M"},
	}
}

func limited(o *auth.Options) { o.Limits = true }

func fastHasher() *password.Hasher {
	return password.NewHasher(password.HasherOptions{Params: password.Params{Memory: 64, Time: 1, Threads: 1}})
}

// signUp creates an account whose address is name@example.org.
func (p *portal) signUp(name string) *auth.SignedIn {
	p.t.Helper()
	in, err := p.SignUp(p.t.Context(), auth.Signup{Account: account(name), Password: goodPassword, Client: p.client})
	if err != nil {
		p.t.Fatalf("sign up %s: %v", name, err)
	}
	return in
}

func account(name string) auth.Account {
	return auth.Account{Username: name, Email: name + "@example.org"}
}

// admin creates an admin and returns it as the one who acts.
func (p *portal) admin(name string) auth.Actor {
	p.t.Helper()
	user, _, err := p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{
		Account: account(name), Role: models.RoleAdmin, Password: goodPassword,
	})
	if err != nil {
		p.t.Fatalf("create admin %s: %v", name, err)
	}
	return auth.Actor{UserID: user.ID, Name: user.Username, SessionID: p.sessionOf(user), Client: p.client}
}

// sessionOf opens a session without a sign-in.
func (p *portal) sessionOf(user *models.User) string {
	p.t.Helper()
	return testdb.Session(p.t, p.store, user.ID, p.clock.now())
}

func (p *portal) credentials(name string) auth.Login {
	return auth.Login{Identifier: name, Password: goodPassword, Remember: true, Client: p.client}
}

func (p *portal) login(name string) *auth.SignedIn {
	p.t.Helper()
	in, err := p.Login(p.t.Context(), p.credentials(name))
	if err != nil {
		p.t.Fatalf("sign in %s: %v", name, err)
	}
	return in
}

// present returns what the tokens of a session are worth.
func (p *portal) present(access, refresh string) auth.Result {
	p.t.Helper()
	result, err := p.Authenticate(p.t.Context(), auth.Presented{Access: access, Refresh: refresh}, p.client)
	if err != nil {
		p.t.Fatalf("authenticate: %v", err)
	}
	return result
}

// rotated presents a refresh token alone, which must be answered with new tokens.
func (p *portal) rotated(refresh string) *auth.Tokens {
	p.t.Helper()
	result := p.present("", refresh)
	if result.Identity == nil || result.Tokens == nil {
		p.t.Fatalf("rotate: nobody is signed in (ended: %q)", result.Ended)
	}
	return result.Tokens
}

// identity returns who the access token belongs to, who must be signed in.
func (p *portal) identity(tokens *auth.Tokens) *auth.Identity {
	p.t.Helper()
	result := p.present(tokens.Access, "")
	if result.Identity == nil {
		p.t.Fatalf("nobody is signed in (ended: %q)", result.Ended)
	}
	return result.Identity
}

// wantOver checks that neither token is worth anything, and the reason.
func (p *portal) wantOver(tokens *auth.Tokens, reason models.Reason) {
	p.t.Helper()
	for name, presented := range map[string]auth.Presented{
		"both":    {Access: tokens.Access, Refresh: tokens.Refresh},
		"access":  {Access: tokens.Access},
		"refresh": {Refresh: tokens.Refresh},
	} {
		result := p.present(presented.Access, presented.Refresh)
		if result.Identity != nil || result.Tokens != nil || !result.Clear {
			p.t.Errorf("%s: signed in %v, tokens %v, clear %v; want nobody and cleared",
				name, result.Identity != nil, result.Tokens != nil, result.Clear)
		}
		if name != "access" && result.Ended != reason {
			p.t.Errorf("%s: ended %q, want %q", name, result.Ended, reason)
		}
	}
}

func (p *portal) user(name string) *models.User {
	p.t.Helper()
	user, err := p.store.Users.ByName(p.t.Context(), name)
	if err != nil {
		p.t.Fatal(err)
	}
	return user
}

func (p *portal) session(id string) *models.Session {
	p.t.Helper()
	session, err := p.store.Sessions.ByID(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return session
}

// events counts the lines of the audit log with an action.
func (p *portal) events(action string) int64 {
	p.t.Helper()
	n, err := p.store.Audit.CountSince(p.t.Context(), action, time.UnixMicro(0))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// wantDetail checks what the latest line of the audit log with an action says.
func (p *portal) wantDetail(action, want string) {
	p.t.Helper()
	page, err := p.store.Audit.List(p.t.Context(), models.AuditQuery{Actions: []string{action}, Limit: 1})
	if err != nil || len(page.Events) != 1 || page.Events[0].Detail != want {
		p.t.Errorf("%s: got %+v (%v), want detail %q", action, page.Events, err, want)
	}
}

// wantKind checks the class of an error; "" is no error.
func wantKind(t *testing.T, what string, err error, want apperr.Kind) {
	t.Helper()
	if got := apperr.KindOf(err); got != want || err != nil && want == "" {
		t.Errorf("%s: %v (kind %q), want kind %q", what, err, got, want)
	}
}

// fieldsOf returns the wrong fields in their order.
func fieldsOf(err error) []string {
	var fields apperr.Fields
	if !errors.As(err, &fields) {
		return nil
	}
	var names []string
	for _, field := range fields {
		names = append(names, field.Field)
	}
	return names
}

// parallel starts n goroutines at one moment and waits for all.
func parallel(n int, f func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { <-start; f(i) })
	}
	close(start)
	all.Wait()
}

func from(address string) auth.Client {
	return auth.Client{IP: netip.MustParseAddr(address), UserAgent: "curl", RequestID: fmt.Sprintf("R-%s", address)}
}

func (p *portal) sid(tokens *auth.Tokens) string {
	p.t.Helper()
	_, claims := decoded(p.t, tokens.Access)
	return claims["sid"].(string)
}

// recorder keeps what is logged.
type recorder struct {
	mu     sync.Mutex
	events []string
	text   strings.Builder
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "event" {
			r.events = append(r.events, a.Value.String())
		}
		fmt.Fprintf(&r.text, "%s=%v ", a.Key, a.Value)
		return true
	})
	return nil
}

// check compares the events and looks for what must not be there.
func (r *recorder) check(t *testing.T, want []string, secrets ...string) {
	t.Helper()
	if !slices.Equal(r.events, want) {
		t.Errorf("logged %v, want %v", r.events, want)
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(r.text.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, r.text.String())
		}
	}
}
