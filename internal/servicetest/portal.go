package servicetest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// Password is the password of everyone in a Portal.
const Password = "violet-harbour-mosaic-71"

// Portal has the services of a portal on its own database, with a clock and one
// client.
type Portal struct {
	Services
	T      *testing.T
	Store  *models.Store
	Clock  *Clock
	Client auth.Client

	tries int // how many sign-ins Try has made
}

// NewPortal returns a portal. change may be nil.
func NewPortal(t *testing.T, store *models.Store, clock *Clock, change func(*Options)) *Portal {
	t.Helper()
	options := Options{Store: store, Now: clock.Now}
	if change != nil {
		change(&options)
	}
	return &Portal{
		Services: New(t, options), T: t, Store: store, Clock: clock,
		Client: auth.Client{IP: netip.MustParseAddr("198.51.100.7"), UserAgent: "Firefox", RequestID: "4FJK-9Q2M"},
	}
}

// Each runs f with a portal of its own on each database. change may be nil.
func Each(t *testing.T, change func(*Options), f func(p *Portal)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) { f(NewPortal(t, store, NewClock(Start), change)) })
}

// Limited is a change of the options: attempts are limited.
func Limited(o *Options) { o.Limits = true }

// Profile returns the profile of someone whose address is name@example.org.
func Profile(name string) account.Profile {
	return account.Profile{Username: name, Email: name + "@example.org"}
}

// Join creates the account of Profile(name) and signs it in.
func (p *Portal) Join(name string) *auth.SignedIn {
	p.T.Helper()
	in, err := p.Accounts.SignUp(p.T.Context(), account.Signup{Account: Profile(name), Password: Password, Client: p.Client})
	if err != nil {
		p.T.Fatalf("sign up %s: %v", name, err)
	}
	return in
}

// Admin creates an admin and returns it as an actor.
func (p *Portal) Admin(name string) auth.Actor {
	p.T.Helper()
	user, _, err := p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{
		Account: Profile(name), Role: models.RoleAdmin, Password: Password,
	})
	if err != nil {
		p.T.Fatalf("create admin %s: %v", name, err)
	}
	return auth.Actor{UserID: user.ID, Name: user.Username, SessionID: p.SessionOf(user), Client: p.Client}
}

// SessionOf opens a session without a sign-in and returns its id.
func (p *Portal) SessionOf(user *models.User) string {
	p.T.Helper()
	return testdb.Session(p.T, p.Store, user.ID, p.Clock.Now())
}

// Credentials returns the correct name and password of an account.
func (p *Portal) Credentials(name string) auth.Login {
	return auth.Login{Identifier: name, Password: Password, Remember: true, Client: p.Client}
}

// Login is a sign-in whose refusal is an error.
func (p *Portal) Login(ctx context.Context, in auth.Login) (*auth.SignedIn, error) {
	outcome, err := p.Auth.Login(ctx, in)
	if err == nil {
		err = outcome.Cause
	}
	return outcome.SignedIn, err
}

// SignIn signs an account in.
func (p *Portal) SignIn(name string) *auth.SignedIn {
	p.T.Helper()
	in, err := p.Login(p.T.Context(), p.Credentials(name))
	if err != nil {
		p.T.Fatalf("sign in %s: %v", name, err)
	}
	return in
}

// Present returns the result of authenticating with the tokens.
func (p *Portal) Present(access, refresh string) auth.Result {
	p.T.Helper()
	result, err := p.Auth.Authenticate(p.T.Context(), auth.Presented{Access: access, Refresh: refresh}, p.Client)
	if err != nil {
		p.T.Fatalf("authenticate: %v", err)
	}
	return result
}

// Rotated presents a refresh token without an access token and returns the new
// tokens, which it must get.
func (p *Portal) Rotated(refresh string) *auth.Tokens {
	p.T.Helper()
	result := p.Present("", refresh)
	if result.Identity == nil || result.Tokens == nil {
		p.T.Fatalf("rotate: no one is signed in (ended: %q)", result.Ended)
	}
	return result.Tokens
}

// Identity returns the person of an access token, who must be signed in.
func (p *Portal) Identity(tokens *auth.Tokens) *auth.Identity {
	p.T.Helper()
	result := p.Present(tokens.Access, "")
	if result.Identity == nil {
		p.T.Fatalf("no one is signed in (ended: %q)", result.Ended)
	}
	return result.Identity
}

// User returns the row of an account.
func (p *Portal) User(name string) *models.User {
	p.T.Helper()
	user, err := p.Store.Users.ByName(p.T.Context(), name)
	if err != nil {
		p.T.Fatal(err)
	}
	return user
}

// Session returns the row of a session.
func (p *Portal) Session(id string) *models.Session {
	p.T.Helper()
	session, err := p.Store.Sessions.ByID(p.T.Context(), id)
	if err != nil {
		p.T.Fatal(err)
	}
	return session
}

// From returns a client at an address.
func From(address string) auth.Client {
	return auth.Client{IP: netip.MustParseAddr(address), UserAgent: "curl", RequestID: "R-" + address}
}

// Parallel starts n goroutines at one moment and waits for all.
func Parallel(n int, f func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { <-start; f(i) })
	}
	close(start)
	all.Wait()
}

// Try signs in from a different address each time, so that the limits of
// addresses do not interfere.
func (p *Portal) Try(name, secret, device string) error {
	p.tries++
	_, err := p.Login(p.T.Context(), auth.Login{
		Identifier: name, Password: secret, Device: device,
		Client: From(fmt.Sprintf("10.%d.%d.%d", p.tries>>16, p.tries>>8&255, p.tries&255)),
	})
	return err
}

// Change is a change of a credential by someone who just signed in.
func (p *Portal) Change(in *auth.SignedIn, value string) account.CredentialChange {
	p.T.Helper()
	return account.CredentialChange{
		Identity: p.Identity(in.Tokens), Current: Password, New: value, Device: in.Device, Client: p.Client,
		Presented: auth.Presented{Access: in.Tokens.Access, Refresh: in.Tokens.Refresh},
	}
}

// Draft is a personal access token that the person in a browser wants to create.
func (p *Portal) Draft(tokens *auth.Tokens) account.PersonalTokenDraft {
	p.T.Helper()
	return account.PersonalTokenDraft{
		Identity: p.Identity(tokens), Name: "Backup", Scopes: []string{"me"}, Days: account.DefaultTokenDays, Current: Password, Client: p.Client,
	}
}

// Personal creates a personal access token of the person in a browser.
func (p *Portal) Personal(tokens *auth.Tokens, scope string, days int) (string, account.PersonalToken) {
	p.T.Helper()
	draft := p.Draft(tokens)
	draft.Scopes, draft.Days = strings.Fields(scope), days
	secret, token, err := p.Accounts.CreatePersonalToken(p.T.Context(), draft)
	if err != nil {
		p.T.Fatalf("create a personal access token: %v", err)
	}
	return secret, token
}

// Pass lets time pass on a portal that runs: it purges once a day and at the end.
// A jump of the clock before may hold the purge for a day.
func (p *Portal) Pass(d time.Duration) {
	p.T.Helper()
	for d > 0 {
		step := min(d, 24*time.Hour)
		p.Clock.Advance(step)
		d -= step
		if _, err := p.Auth.Purge(p.T.Context()); err != nil && (d <= 0 || !errors.Is(err, auth.ErrClock)) {
			p.T.Fatalf("purge: %v", err)
		}
	}
}
