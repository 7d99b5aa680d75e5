package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// neighbours starts two servers of one portal on one database, the second once
// the first is ready. On SQLite this happens while one server replaces another.
func neighbours(t *testing.T, databaseURL string, more ...string) (environment, [2]*server) {
	t.Helper()
	e := newEnvironment(t, databaseURL, more...)
	e = e.with("LATCHKEY_PUBLIC_URL=http://" + e.get("LATCHKEY_ADDR"))
	return e, [2]*server{start(t, e), start(t, e.with(fmt.Sprintf("LATCHKEY_ADDR=localhost:%d", freePort(t))))}
}

// TestParallelAPIRefresh sends one refresh token twenty times at once to two
// servers, in twenty rounds. At most one request gets a pair. The others are
// replays, so all tokens of the session are refused afterwards.
func TestParallelAPIRefresh(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e, pair := neighbours(t, databaseURL)
		_, p := office(t, e, pair[0])
		newBrowser(t, pair[0].addr).signUp(pair[0], "ana")
		bystander, won := p.signIn(pair[0], "ana"), 0
		for round := range 20 {
			g := p.refreshed(pair[(round+1)%2], p.signIn(pair[round%2], "ana"))
			p.accepted(pair[0], g)
			p.accepted(pair[1], g)
			winners := p.refreshAtOnce(pair, g, 20)
			if len(winners) > 1 {
				t.Errorf("round %d: one refresh token got %d pairs, want 1 at most", round, len(winners))
			}
			won += len(winners)
			for i, dead := range append(winners, g) {
				p.refused(pair[round%2], dead, i)
				p.refused(pair[(round+1)%2], dead, i)
			}
		}
		if won == 0 {
			t.Error("no request got a pair in any round")
		}
		p.accepted(pair[1], bystander) // another session of the same person
	})
}

// TestAPIRefusedEverywhere ends a person's API sessions at one server: the other
// server refuses all their tokens at the next request. Personal access tokens
// stop working with the account, not with its sessions.
func TestAPIRefusedEverywhere(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e, pair := neighbours(t, databaseURL, "LATCHKEY_LIMITS=off")
		here, there := pair[0], pair[1]
		boss, program := office(t, e, here)
		inPanel := func(m *member, act string, pairs ...string) {
			boss.in(m.t).do(here, http.MethodPost, "/admin/users/"+m.id+"/"+act, 303, pairs...)
		}
		each := func(m *member, end func(g grant)) {
			for _, g := range m.sessions {
				end(g)
			}
		}
		for i, test := range []struct {
			name     string
			personal bool // whether a personal access token keeps working
			end      func(m *member)
		}{
			{"user disable", false, func(m *member) { command(m.t, e, "", "user", "disable", m.name).exits(exitDone) }},
			{"disable in the panel", false, func(m *member) { inPanel(m, "disable") }},
			{"delete in the panel", false, func(m *member) { inPanel(m, "delete", "confirm", m.name+"@example.org") }},
			{"user sign-out", true, func(m *member) { command(m.t, e, "", "user", "sign-out", m.name).exits(exitDone) }},
			{"sign-out in the panel", true, func(m *member) { inPanel(m, "sign-out") }},
			{"sessions deleted", true, func(m *member) {
				m.do(here, m.inspector, http.MethodDelete, "/users/"+m.id+"/sessions", 200)
			}},
			{"revoke", true, func(m *member) {
				each(m, func(g grant) { m.do(here, "", http.MethodPost, "/revoke", 200, "token", g.Refresh) })
			}},
			{"revoke-token", true, func(m *member) {
				each(m, func(g grant) { m.do(here, g.Access, http.MethodPost, "/revoke-token", 200) })
			}},
			{"sign-out everywhere else", true, func(m *member) {
				m.browser.do(here, http.MethodPost, "/profile/sessions/end-others", 303)
			}},
			{"password change", true, func(m *member) {
				m.browser.do(here, http.MethodPost, "/profile/password", 303,
					"current_password", secretWord, "new_password", "copper meadow 17 whistles")
			}},
		} {
			t.Run(test.name, func(t *testing.T) {
				m := newMember(program.in(t), fmt.Sprintf("member%d", i), here, there)
				personal := m.browser.personalToken(here, "me")
				m.callsItself(there, personal)
				m.introspects(there, personal, true)
				test.end(m)
				for first, g := range m.sessions {
					m.refused(there, g, first)
					m.refused(here, g, first)
				}
				status := map[bool]int{true: 200, false: 401}[test.personal]
				for _, s := range []*server{there, here} {
					m.do(s, personal, http.MethodGet, "/users/me", status)
					m.introspects(s, personal, test.personal)
				}
			})
		}
	})
}

// TestPersonalTokenRefusedEverywhere removes personal access tokens at one server:
// the other refuses them at the next request.
func TestPersonalTokenRefusedEverywhere(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e, pair := neighbours(t, databaseURL)
		boss, p := office(t, e, pair[0])
		for _, test := range []struct {
			name string
			end  func(p *program, boss *browser, token string)
		}{
			{"revoke", func(p *program, _ *browser, token string) {
				p.do(pair[0], "", http.MethodPost, "/revoke", 200, "token", token)
			}},
			{"revoke-token", func(p *program, _ *browser, token string) {
				p.do(pair[0], token, http.MethodPost, "/revoke-token", 200)
			}},
			{"on the page", func(_ *program, boss *browser, token string) {
				list := boss.get(pair[0], "/profile/tokens", 200)
				end := regexp.MustCompile(`(?s)…` + token[len(token)-4:] + `.*?href="(/profile/tokens/\w+/end)"`).FindStringSubmatch(list.body)
				if end == nil {
					boss.t.Fatalf("the page has no link to remove the token:\n%s", list.body)
				}
				boss.do(pair[0], http.MethodPost, end[1], 303)
			}},
		} {
			t.Run(test.name, func(t *testing.T) {
				p, boss := p.in(t), boss.in(t)
				token := boss.personalToken(pair[0], "me")
				p.callsItself(pair[1], token)
				p.introspects(pair[1], token, true)
				test.end(p, boss, token)
				p.do(pair[1], token, http.MethodGet, "/users/me", 401)
				p.introspects(pair[1], token, false)
			})
		}
	})
}

// TestTokensStayApart presents the tokens of browsers to the API and those of the
// API to the pages, at both servers: each is refused there and keeps working
// where it belongs.
func TestTokensStayApart(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e, pair := neighbours(t, databaseURL)
		_, p := office(t, e, pair[0])
		b := newBrowser(t, pair[0].addr)
		b.signUp(pair[0], "ana")
		g, personal := p.signIn(pair[0], "ana"), b.personalToken(pair[0], "me")
		for _, s := range pair {
			good := func() {
				t.Helper()
				b.get(s, "/profile", 200)
				p.accepted(s, g)
				p.callsItself(s, personal)
			}
			good()
			b.clone().get(s, "/users/me", 401)
			for _, cookie := range b.cookies {
				p.do(s, cookie, http.MethodGet, "/users/me", 401)
				p.introspects(s, cookie, false)
				p.refusedRefresh(s, cookie)
			}
			for _, token := range []string{g.Access, g.Refresh, personal} {
				r := p.do(s, token, http.MethodGet, "/profile", 303)
				if !strings.HasPrefix(r.location, "/login") {
					t.Errorf("a bearer token at /profile leads to %q, want /login", r.location)
				}
				p.asCookies(s, map[string]string{"access": token})
				p.asCookies(s, map[string]string{"refresh": token})
			}
			p.asCookies(s, map[string]string{"access": g.Access, "refresh": g.Refresh})
			p.do(s, g.Refresh, http.MethodGet, "/users/me", 401)
			p.refusedRefresh(s, g.Access)
			p.refusedRefresh(s, personal)
			good()
		}
	})
}
