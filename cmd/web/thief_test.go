package main

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// TestThief copies the cookies of a signed-in browser and uses them at the built
// server. After both have used them, the session ends at the latest when the owner
// refreshes for the second time, and the owner is told.
func TestThief(t *testing.T) {
	refresh := func(s *server, b *browser, want int) {
		delete(b.cookies, "access") // it has expired
		b.get(s, "/profile", want)
	}
	tests := []struct {
		name string
		act  func(s *server, owner, thief *browser)
	}{
		{"the owner refreshes first", func(s *server, owner, thief *browser) {
			refresh(s, owner, http.StatusOK)
			refresh(s, thief, http.StatusOK) // within the minute of a crash
		}},
		{"the thief refreshes first", func(s *server, owner, thief *browser) {
			refresh(s, thief, http.StatusOK)
			refresh(s, owner, http.StatusOK)
			refresh(s, thief, http.StatusSeeOther)
		}},
		{"the thief presents the copy again and again", func(s *server, owner, thief *browser) {
			served := 0
			for range 100 {
				copied := thief.clone()
				delete(copied.cookies, "access")
				if r, err := copied.send(s, http.MethodGet, "/profile", nil); err == nil && r.code == http.StatusOK {
					served++
				}
			}
			if served > 21 { // one rotation and 20 deliveries
				owner.t.Errorf("the thief was served %d of 100 times", served)
			}
		}},
	}
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		s := start(t, newEnvironment(t, databaseURL, "LATCHKEY_REFRESH_GRACE=0s"))
		for i, test := range tests {
			owner := newBrowser(t, s.addr)
			owner.signUp(s, "person"+string(rune('a'+i)))
			thief := owner.clone()
			test.act(s, owner, thief)

			refresh(s, owner, http.StatusSeeOther)
			if r := owner.get(s, "/login", http.StatusOK); !strings.Contains(r.body, "someone may have used a copy of it") {
				t.Errorf("%s: the owner is not told:\n%s", test.name, r.body)
			}
			for what, b := range map[string]*browser{"owner": owner, "thief": thief} {
				if r := b.get(s, "/profile", http.StatusSeeOther); !strings.HasPrefix(r.location, "/login") {
					t.Errorf("%s: the %s is led to %q", test.name, what, r.location)
				}
			}
		}
	})
}
