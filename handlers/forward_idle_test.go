package handlers_test

import (
	"testing"
	"time"

	"latchkey/models"
)

// TestForwardAuthKeepsTheSession checks an app that only sends requests from a
// script and so cannot renew a cookie. Its requests still count as use, so a
// person who has it open stays signed in until the absolute limit.
func TestForwardAuthKeepsTheSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		for _, test := range []struct {
			name           string
			remember       string
			idle, lifetime time.Duration
		}{
			{name: "stay signed in", remember: "on", idle: 7 * 24 * time.Hour, lifetime: 30 * 24 * time.Hour},
			{name: "for now", idle: 12 * time.Hour, lifetime: 24 * time.Hour},
		} {
			b, unused := s.browser(), s.browser()
			for _, one := range []*browser{b, unused} {
				one.post("/login", "username", "ana", "password", secretWord, "remember", test.remember).redirects("/profile")
			}
			end := s.Clock.Now().Add(test.lifetime)
			for every := test.idle * 9 / 10; s.Clock.Now().Add(every).Before(end); {
				s.Clock.Advance(every)
				if a := b.forward("GET", "/poll", script...); a.code != 200 {
					t.Fatalf("%s: got status %d, %v before the absolute limit", test.name, a.code, end.Sub(s.Clock.Now()))
				}
				if s.Clock.Now().After(end.Add(-test.lifetime + test.idle)) {
					unused.forward("GET", "/poll", script...).status(401)
				}
			}
			b.get("/profile").status(200)
			s.Clock.Advance(end.Sub(s.Clock.Now()))
			b.forward("GET", "/poll", script...).status(401)
		}
	}, behindForwardAuth)
}
