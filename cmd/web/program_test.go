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

// program is a client of the API of a portal that is at one public host,
// whichever of its servers answers.
type program struct {
	t         *testing.T
	host      string
	inspector string // a token that may ask what others are worth
}

// grant is what a program is given.
type grant struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// in is the same program in a subtest.
func (p *program) in(t *testing.T) *program {
	return &program{t: t, host: p.host, inspector: p.inspector}
}

// send makes a request with a bearer token, "" for none, and a form. It may be
// called by many goroutines.
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

// do sends and checks the status.
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

// into reads a reply in JSON.
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

// refreshed is the next pair of a session.
func (p *program) refreshed(s *server, g grant) grant {
	p.t.Helper()
	var next grant
	p.do(s, "", http.MethodPost, "/token", 200, "grant_type", "refresh_token", "refresh_token", g.Refresh).into(p.t, &next)
	if next.Refresh == "" || next.Refresh == g.Refresh || next.Access == g.Access {
		p.t.Fatalf("got the tokens %+v in exchange for %+v", next, g)
	}
	return next
}

// callsItself is the id of the account that a token opens.
func (p *program) callsItself(s *server, token string) string {
	p.t.Helper()
	var account struct{ ID string }
	p.do(s, token, http.MethodGet, "/users/me", 200).into(p.t, &account)
	return account.ID
}

// introspects checks what a service is told of a token.
func (p *program) introspects(s *server, token string, want bool) {
	p.t.Helper()
	var found struct{ Active *bool }
	r := p.do(s, p.inspector, http.MethodPost, "/introspect", 200, "token", token)
	if r.into(p.t, &found); found.Active == nil || *found.Active != want {
		p.t.Errorf("/introspect at %s: got %s, want active %t", s.addr, r.body, want)
	}
}

// accepted checks that both tokens are good.
func (p *program) accepted(s *server, g grant) {
	p.t.Helper()
	p.callsItself(s, g.Access)
	p.introspects(s, g.Access, true)
	p.introspects(s, g.Refresh, true)
}

// refused checks that neither token is good for anything. first is the
// question that is asked first.
func (p *program) refused(s *server, g grant, first int) {
	p.t.Helper()
	for i := range 3 {
		switch (first + i) % 3 {
		case 0:
			p.do(s, g.Access, http.MethodGet, "/users/me", 401)
		case 1:
			p.introspects(s, g.Access, false)
			p.introspects(s, g.Refresh, false)
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

// refreshAtOnce sends one refresh token to both servers in turn, n times at the
// same moment, and returns what was given for it. Whoever gets nothing is told
// so as for any dead token.
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

// in is the same browser in a subtest.
func (b *browser) in(t *testing.T) *browser {
	same := b.clone()
	same.t = t
	return same
}

// personalToken makes a personal access token on the page.
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

// office is an admin's browser, and a program that has the admin's token.
func office(t *testing.T, e environment, s *server) (*browser, *program) {
	t.Helper()
	command(t, e, secretWord, "admin", "create", "--username=boss", "--email=boss@example.org", "--password-stdin").exits(exitDone)
	boss := newBrowser(t, s.addr)
	boss.signIn(s, "boss")
	return boss, &program{t: t, host: s.addr, inspector: boss.personalToken(s, "introspect", "users:write")}
}

// member is somebody with a browser and programs at a portal.
type member struct {
	*program
	name, id string
	browser  *browser
	sessions []grant
}

// newMember makes an account and opens sessions at one server that the other
// server goes on with.
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
