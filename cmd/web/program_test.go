package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// program is an API client of a portal with one public host and several servers.
type program struct {
	t         *testing.T
	host      string
	inspector string // a token with the scope introspect
}

// grant is the token pair that a program receives.
type grant struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// in returns the same program for a subtest.
func (p *program) in(t *testing.T) *program {
	return &program{t: t, host: p.host, inspector: p.inspector}
}

// send makes a request with a bearer token, "" for none, and a form. It is safe
// for concurrent use.
func (p *program) send(s *server, bearer, method, path string, pairs ...string) (*reply, error) {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+s.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Host = p.host
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	return exchange(request)
}

// do sends a request and checks the status.
func (p *program) do(s *server, bearer, method, path string, want int, pairs ...string) *reply {
	p.t.Helper()
	r, err := p.send(s, bearer, method, path, pairs...)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.code != want {
		p.t.Errorf("%s %s at %s: got status %d (Location %q), want %d\n%s", method, path, s.addr, r.code, r.location, want, r.body)
	}
	return r
}

// into decodes a JSON reply.
func (r *reply) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("got status %d and %q: %v", r.code, r.body, err)
	}
}

func (p *program) signIn(s *server, name string) grant {
	p.t.Helper()
	var g grant
	p.do(s, "", http.MethodPost, "/token", 200, "username", name, "password", secretWord).into(p.t, &g)
	return g
}

// refreshed refreshes a session and returns the next pair.
func (p *program) refreshed(s *server, g grant) grant {
	p.t.Helper()
	var next grant
	p.do(s, "", http.MethodPost, "/token", 200, "grant_type", "refresh_token", "refresh_token", g.Refresh).into(p.t, &next)
	if next.Refresh == "" || next.Refresh == g.Refresh || next.Access == g.Access {
		p.t.Fatalf("got the tokens %+v in exchange for %+v", next, g)
	}
	return next
}

// callsItself checks that a token works and returns the id of its account.
func (p *program) callsItself(s *server, token string) string {
	p.t.Helper()
	var account struct{ ID string }
	p.do(s, token, http.MethodGet, "/users/me", 200).into(p.t, &account)
	return account.ID
}

// introspects checks whether introspection reports a token as active. fields
// are further ones of the form.
func (p *program) introspects(s *server, token string, want bool, fields ...string) {
	p.t.Helper()
	var found struct{ Active *bool }
	r := p.do(s, p.inspector, http.MethodPost, "/introspect", 200, append([]string{"token", token}, fields...)...)
	if r.into(p.t, &found); found.Active == nil || *found.Active != want {
		p.t.Errorf("/introspect at %s: got %s, want active %t", s.addr, r.body, want)
	}
}

// accepted checks that both tokens work.
func (p *program) accepted(s *server, g grant) {
	p.t.Helper()
	p.callsItself(s, g.Access)
	p.introspects(s, g.Access, true)
	p.introspects(s, g.Refresh, true, "token_type_hint", "refresh_token")
}

// refused checks that neither token works in any way. first selects the check
// that runs first.
func (p *program) refused(s *server, g grant, first int) {
	p.t.Helper()
	for i := range 3 {
		switch (first + i) % 3 {
		case 0:
			p.do(s, g.Access, http.MethodGet, "/users/me", 401)
		case 1:
			p.introspects(s, g.Access, false)
			p.introspects(s, g.Refresh, false, "token_type_hint", "refresh_token")
		case 2:
			p.refusedRefresh(s, g.Refresh)
		}
	}
}

func (p *program) refusedRefresh(s *server, token string) {
	p.t.Helper()
	var failure struct{ Error string }
	r := p.do(s, "", http.MethodPost, "/token", 400, "grant_type", "refresh_token", "refresh_token", token)
	if r.into(p.t, &failure); failure.Error != "invalid_grant" {
		p.t.Errorf("/token at %s: got %s, want invalid_grant", s.addr, r.body)
	}
}

// refreshAtOnce sends one refresh token n times at once, to both servers, and
// returns the pairs that were issued. Every other request must get the error of
// a dead token.
func (p *program) refreshAtOnce(pair [2]*server, g grant, n int) []grant {
	p.t.Helper()
	replies := make([]*reply, n)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-begin
			r, err := p.send(pair[i%2], "", http.MethodPost, "/token", "grant_type", "refresh_token", "refresh_token", g.Refresh)
			if err != nil {
				p.t.Error(err)
			}
			replies[i] = r
		})
	}
	close(begin)
	group.Wait()
	var winners []grant
	for _, r := range replies {
		switch {
		case r != nil && r.code == http.StatusOK:
			var next grant
			r.into(p.t, &next)
			winners = append(winners, next)
		case r == nil || r.code != http.StatusBadRequest || !strings.Contains(r.body, `"invalid_grant"`):
			p.t.Errorf("got %+v, want 200, or 400 with invalid_grant", r)
		}
	}
	return winners
}

// in returns the same browser for a subtest.
func (b *browser) in(t *testing.T) *browser {
	same := b.clone()
	same.t = t
	return same
}

// personalToken creates a personal access token on the page and returns it.
func (b *browser) personalToken(s *server, scopes ...string) string {
	b.t.Helper()
	pairs := []string{"name", "for a test", "days", "30", "current_password", secretWord}
	for _, scope := range scopes {
		pairs = append(pairs, "scope."+scope, "on")
	}
	made := b.do(s, http.MethodPost, "/profile/tokens", 303, pairs...)
	page := b.get(s, made.location, 200)
	secret := regexp.MustCompile(`\blk_[a-z2-7]{52}\b`).FindString(page.body)
	if secret == "" {
		b.t.Fatalf("the page shows no token:\n%s", page.body)
	}
	return secret
}

// office creates an admin and returns the admin's browser and a program with the
// admin's token.
func office(t *testing.T, e environment, s *server) (*browser, *program) {
	t.Helper()
	command(t, e, secretWord, "admin", "create", "--username=boss", "--email=boss@example.org", "--password-stdin").exits(exitDone)
	boss := newBrowser(t, s.addr)
	boss.signIn(s, "boss")
	return boss, &program{t: t, host: s.addr, inspector: boss.personalToken(s, "introspect", "users:write")}
}

// member is a person who is signed in with a browser and API clients.
type member struct {
	*program
	name, id string
	browser  *browser
	sessions []grant
}

// newMember creates an account, opens API sessions at one server and refreshes
// them at the other.
func newMember(p *program, name string, opens, goesOn *server) *member {
	p.t.Helper()
	m := &member{program: p, name: name, browser: newBrowser(p.t, p.host)}
	m.browser.signUp(opens, name)
	for range 3 {
		g := p.refreshed(goesOn, p.signIn(opens, name))
		p.accepted(opens, g)
		p.accepted(goesOn, g)
		m.sessions = append(m.sessions, g)
		m.id = p.callsItself(goesOn, g.Access)
	}
	return m
}

// asCookies checks that a browser with these cookies is not signed in.
func (p *program) asCookies(s *server, cookies map[string]string) {
	p.t.Helper()
	b := &browser{t: p.t, host: p.host, cookies: cookies}
	if r := b.clone().get(s, "/profile", 303); !strings.HasPrefix(r.location, "/login") {
		p.t.Errorf("/profile leads to %q, want /login", r.location)
	}
}
