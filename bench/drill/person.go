package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"
)

// keptEnded is how many ended sessions of a person are tried again at the end.
const keptEnded = 5

// person is somebody who uses the portal, and what the portal has acknowledged to
// them. Only one goroutine uses a person.
type person struct {
	crowd *crowd
	*browser
	name      string
	passwords []string // any of these may be the password; only one if it is certain
	names     []string // any of these may be the full name
	earlier   []dated  // passwords that were certain, oldest first
	signedIn  bool
	certain   bool       // signedIn is known
	ended     []*browser // with the cookies of ended sessions
	gone      bool       // a promise was broken; they use the portal no more
}

// dated is a password that was certain from an instant on.
type dated struct {
	from     time.Time
	password string
}

// newPerson returns somebody without an account.
func (c *crowd) newPerson() *person {
	n := mathrand.N(1 << 24)
	p := &person{crowd: c, name: "drill-" + strings.ToLower(rand.Text()[:14]), certain: true}
	p.browser = newBrowser(c.pick(), c.host, fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255))
	return p
}

func newPassword() string { return "violet harbour " + strings.ToLower(rand.Text()[:12]) }

// know notes the password that the portal has confirmed.
func (p *person) know(password string) {
	p.passwords = []string{password}
	p.earlier = append(p.earlier, dated{time.Now(), password})
}

// request sends a request and counts the answer. usable is false unless the portal
// handled the request.
func (p *person) request(ctx context.Context, path string, form url.Values, fits ...int) (a answer, usable bool) {
	a = p.do(ctx, path, form)
	if ctx.Err() != nil {
		return a, false
	}
	return a, p.crowd.judge(path, a, fits...)
}

// signUp creates an account. It returns false if the outcome is unknown.
func (p *person) signUp(ctx context.Context) bool {
	password := newPassword()
	a, usable := p.request(ctx, "/signup", url.Values{
		"username": {p.name}, "email": {p.name + "@example.org"}, "full_name": {"At first"}, "password": {password},
	}, 303)
	if !usable || a.code != 303 {
		return false
	}
	p.crowd.tally.acknowledge("sign-ups")
	p.know(password)
	p.names, p.signedIn, p.certain = []string{"At first"}, true, true
	return true
}

// signIn signs in with the password, or with each that may be it.
func (p *person) signIn(ctx context.Context) {
	refused := 0
	for i := len(p.passwords) - 1; i >= 0; i-- {
		password := p.passwords[i]
		a, usable := p.request(ctx, "/login", url.Values{"username": {p.name}, "password": {password}, "remember": {"on"}}, 303, 422)
		if !usable {
			return
		}
		if a.code == 303 {
			p.crowd.tally.acknowledge("sign-ins")
			if len(p.passwords) > 1 {
				p.know(password)
			}
			p.signedIn, p.certain = true, true
			return
		}
		refused++
	}
	if refused == len(p.passwords) {
		p.gone = true
		p.crowd.tally.problem(&p.crowd.tally.lost, "%s: the portal refuses every password that it can be", p.name)
	}
}

// view requests the home page in some tabs at once.
func (p *person) view(ctx context.Context, tabs int) {
	answers := make([]answer, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		group.Go(func() { answers[i], _ = p.request(ctx, "/profile", nil, 200, 303) })
	}
	group.Wait()
	for _, a := range answers {
		switch {
		case ctx.Err() != nil:
			return
		case a.signedOut():
			if p.certain {
				p.crowd.tally.problem(&p.crowd.tally.signedOut, "%s: /profile leads to %s", p.name, a.location)
			}
			p.signedIn, p.certain = false, true
			p.forget()
			return
		case a.code == 200:
			p.signedIn, p.certain = true, true
			p.look(a)
		}
	}
}

// look checks that a page is the person's own and shows what they saved.
func (p *person) look(a answer) {
	t := p.crowd.tally
	if !strings.Contains(a.body, p.name) {
		t.problem(&t.wrong, "%s sees the page of someone else", p.name)
		return
	}
	for i := len(p.names) - 1; i >= 0; i-- {
		if strings.Contains(a.body, p.names[i]) {
			return
		}
	}
	if len(p.names) == 0 {
		return // counted before
	}
	t.problem(&t.lost, "%s: the page has none of the names %q", p.name, p.names)
	p.names = nil
}

// rename saves another name.
func (p *person) rename(ctx context.Context) {
	name := "Name " + rand.Text()[:10]
	p.names = append(p.names, name)
	a, usable := p.request(ctx, "/profile/name", url.Values{"full_name": {name}}, 303)
	switch {
	case !usable:
	case a.signedOut():
		p.crowd.tally.problem(&p.crowd.tally.signedOut, "%s: /profile/name leads to %s", p.name, a.location)
		p.signedIn = false
		p.forget()
	default:
		p.crowd.tally.acknowledge("names")
		p.names = []string{name}
	}
}

// signOut signs out and checks at once that the session is over.
func (p *person) signOut(ctx context.Context) {
	before := p.copied(p.addr, p.host)
	a, usable := p.request(ctx, "/logout", url.Values{}, 303)
	if !usable {
		p.certain = false
		return
	}
	p.signedIn, p.certain = false, true
	p.forget()
	if a.signedOut() {
		p.crowd.tally.acknowledge("sign-outs")
		p.over(ctx, before)
	}
}

// changePassword sets another password, which ends every session and begins one.
func (p *person) changePassword(ctx context.Context) {
	if len(p.passwords) != 1 {
		return
	}
	before, password := p.copied(p.addr, p.host), newPassword()
	p.passwords = append(p.passwords, password)
	a, usable := p.request(ctx, "/profile/password", url.Values{"current_password": {p.passwords[0]}, "new_password": {password}}, 303)
	switch {
	case !usable:
		p.certain = false
	case a.signedOut():
		p.crowd.tally.problem(&p.crowd.tally.signedOut, "%s: /profile/password leads to %s", p.name, a.location)
		p.signedIn, p.passwords = false, p.passwords[:1]
		p.forget()
	default:
		p.crowd.tally.acknowledge("password changes")
		p.know(password)
		p.over(ctx, before)
	}
}

// over keeps the cookies of a session that the portal has ended, and tries them.
func (p *person) over(ctx context.Context, before *browser) {
	if p.ended = append(p.ended, before); len(p.ended) > keptEnded {
		p.ended = p.ended[1:]
	}
	p.tryEnded(ctx, before, "at once")
}

// tryEnded requests a page with the cookies of an ended session.
func (p *person) tryEnded(ctx context.Context, before *browser, when string) {
	a := before.do(ctx, "/profile", nil)
	if ctx.Err() == nil && p.crowd.judge("/profile", a, 303, 200) && a.code == 200 {
		p.crowd.tally.problem(&p.crowd.tally.cameBack, "%s: an ended session works (%s)", p.name, when)
	}
	before.client.CloseIdleConnections()
}
