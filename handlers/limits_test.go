package handlers_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// attemptFrom is a sign-in from an address.
func (s *site) attemptFrom(address, name, password string) *answer {
	b := s.browser()
	b.address = address
	return b.post("/login", "username", name, "password", password)
}

// TestLoginLimit checks that after five wrong passwords any password has to wait,
// even the right one, and that the page is the same for names without an account.
func TestLoginLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		owner, user := s.signedIn("ana", models.RoleUser)
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		limited := map[string]*answer{}
		for i, name := range []string{"ana", "nobody-here"} {
			address := "198.51.100." + strconv.Itoa(i+1) + ":1"
			for range 5 {
				s.attemptFrom(address, name, "wrong").status(422).says(wrong)
			}
			limited[name] = s.attemptFrom(address, name, secretWord).status(429).touchesNoToken().
				says("Too many sign-in attempts. You can try again in 30 seconds, at 12:01 UTC. Your account is safe. You can also reset your password.").
				has(`<time datetime="2026-11-22T12:01:00Z" data-clock>12:01 UTC</time>`, `<a href="/forgot">reset your password</a>`)
			if got := limited[name].header.Get("Retry-After"); got != "30" {
				t.Errorf("%s: got Retry-After %q, want 30", name, got)
			}
		}
		same := strings.ReplaceAll(limited["nobody-here"].body, "nobody-here", "ana")
		if same != limited["ana"].body {
			t.Errorf("the pages differ:\n%s\n%s", limited["ana"].text(), limited["nobody-here"].text())
		}
		// The owner's known browser can still sign in, and the admin area shows the
		// pause.
		twin := owner.clone()
		twin.forget("access", "refresh")
		twin.post("/login", "username", "ana", "password", secretWord).redirects("/profile")
		boss.get("/admin/users").says("ana ana@example.org Locked until 12:01 UTC User", "bo bo@example.org Active Admin").
			has(`Locked until <time datetime="2026-11-22T12:01:00Z" data-clock>12:01 UTC</time>`)
		boss.get("/admin/users?status=active&sort=-created&limit=50&q=an").says("1 of 1 user", "Locked until 12:01 UTC")
		boss.get("/admin/users/"+user.ID).says("ana@example.org Locked", "Sign-in paused", "Clear sign-in limits")
		boss.post("/admin/users/" + user.ID + "/unlock").redirects("/admin/users/" + user.ID)
		boss.get("/admin/users/"+user.ID).says("The sign-in limits of ana are cleared.").hides("Sign-in paused", "Locked")
		boss.get("/admin/users").hides("Locked")
		s.attemptFrom("198.51.100.3:1", "ana", secretWord).redirects("/profile")

		// For the other browser, each further failure makes the wait longer.
		s.Clock.Advance(30 * time.Second)
		s.attemptFrom("198.51.100.4:1", "nobody-here", "wrong").status(422)
		a := s.attemptFrom("198.51.100.4:1", "nobody-here", "wrong").status(429)
		if got := a.header.Get("Retry-After"); got != "60" {
			t.Errorf("got Retry-After %q, want 60", got)
		}
	}, withLimits)
}

// TestAPIPaused checks that wrong passwords over the API pause sign-in only there,
// and that the admin area has its own message for it.
func TestAPIPaused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		guess := oauth.PasswordGrant{Username: "ana", Password: "wrong"}
		for range 5 {
			if _, err := s.OAuth.PasswordGrant(t.Context(), guess, auth.Client{}); !errors.Is(err, oauth.ErrInvalidGrant) {
				t.Errorf("a wrong password over the API: %v", err)
			}
		}
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/users").says("ana ana@example.org API sign-in paused User").hides("Locked")
		boss.get("/admin/users/"+user.ID).hides("Locked").
			says("ana@example.org API sign-in paused", "API sign-in paused Until 22 Nov 2026, 12:01 UTC", "Sign-in over the API is paused because of too many wrong passwords.")
		s.attemptFrom("198.51.100.1:1", "ana", secretWord).redirects("/profile")
		boss.post("/admin/users/" + user.ID + "/unlock").redirects("/admin/users/" + user.ID)
		boss.get("/admin/users/"+user.ID).says("The sign-in limits of ana are cleared.").hides("API sign-in paused", "over the API")
	}, withLimits)
}

// TestNetworkLimit checks that one address cannot try many names.
func TestNetworkLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		for i := range 20 {
			s.attemptFrom("198.51.100.1:1", "name"+strconv.Itoa(i), "wrong").status(422)
		}
		a := s.attemptFrom("198.51.100.1:1", "ana", secretWord).status(429).says("You can try again in 10 minutes, at 12:10 UTC.")
		if got := a.header.Get("Retry-After"); got != "600" {
			t.Errorf("got Retry-After %q, want 600", got)
		}
		// An X-Forwarded-For that no trusted proxy sent changes nothing.
		b := s.browser()
		b.address = "198.51.100.1:1"
		r := b.request(http.MethodPost, "/login", "username=ana&password="+strings.ReplaceAll(secretWord, " ", "+"))
		r.Header.Set("X-Forwarded-For", "203.0.113.99")
		b.do(r).status(429)
		s.attemptFrom("198.51.100.2:1", "ana", secretWord).redirects("/profile")
		s.Clock.Advance(10 * time.Minute)
		s.attemptFrom("198.51.100.1:1", "ana", secretWord).redirects("/profile")
	}, withLimits)
}

// TestLocked checks that after a hundred failures in a row waiting does not help:
// an admin or a reset link has to clear the limit.
func TestLocked(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		for i := range 100 {
			s.Clock.Advance(time.Hour)
			s.attemptFrom("198.51.100.1:1", "ana", "wrong "+strconv.Itoa(i)).status(422)
		}
		s.Clock.Advance(48 * time.Hour)
		s.attemptFrom("198.51.100.1:1", "ana", secretWord).status(429).
			says("Sign-in to this account is paused because of too many failed attempts. Your account is safe. Ask help@example.org to unlock it.")
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/users").says("ana ana@example.org Locked User").hides("Locked until")
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, ""); err != nil {
			t.Fatal(err)
		}
		boss.get("/admin/users").says("ana ana@example.org Disabled User").hides("Locked")
		if _, err := s.Accounts.Enable(t.Context(), auth.Shell(), user.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Accounts.Unlock(t.Context(), auth.Shell(), user.ID); err != nil {
			t.Fatal(err)
		}
		boss.get("/admin/users").says("ana ana@example.org Active User")
		s.attemptFrom("198.51.100.1:1", "ana", secretWord).redirects("/profile")
	}, withLimits, withSupport)
}

// TestPasswordFormsLimited checks that wrong passwords in the forms of signed-in
// people count as well.
func TestPasswordFormsLimited(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		for i := range 10 { // a known device has ten attempts
			form := [][]string{
				{"/profile/password", "current_password", "wrong", "new_password", otherWord},
				{"/profile/email", "current_password", "wrong", "email", "new@example.org"},
			}[i%2]
			b.post(form[0], form[1:]...).status(422).says("The current password is not correct.")
		}
		a := b.post("/profile/password", "current_password", secretWord, "new_password", otherWord).status(429).
			says("Too many attempts with a wrong password. You can try again in 15 minutes, at 12:15 UTC. Your account is safe.").
			has(`<time datetime="2026-11-22T12:15:00Z" data-clock>`).
			hides("sign-in attempts", `aria-invalid="true"`).touchesNoToken()
		if got := a.header.Get("Retry-After"); got != "900" {
			t.Errorf("got Retry-After %q, want 900", got)
		}
		b.post("/profile/email", "current_password", secretWord, "email", "new@example.org").status(429).
			says("Too many attempts with a wrong password.").hides("sign-in attempts")
		b.get("/profile").status(200)
	}, withLimits)
}

// TestAdminLimit checks that an admin's browser that acts faster than a person is
// refused.
func TestAdminLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		for range 60 {
			boss.post("/admin/users/" + user.ID + "/unlock").redirects("/admin/users/" + user.ID)
		}
		a := boss.post("/admin/users/"+user.ID+"/disable", "reason", "x").status(429).says("Please wait a moment")
		if got := a.header.Get("Retry-After"); got != "60" {
			t.Errorf("got Retry-After %q, want 60", got)
		}
		if s.Reload(user).Disabled() {
			t.Error("the account was disabled")
		}
	}, withLimits)
}

// TestLocalTime checks that the script can write the time on the page of a limit in
// the person's zone, and that a program gets it in UTC.
func TestLocalTime(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	s.failWith("/wait", func() error { return apperr.Wait(apperr.TooMany, 4*time.Minute, "", nil) })
	s.browser().get("/wait").has(`Try again at <time datetime="2026-11-22T12:04:00Z" data-clock>12:04 UTC</time> (in 4 minutes).`)
	r := s.browser().request(http.MethodGet, "/wait", "")
	r.Header.Set("Accept", "application/json")
	s.browser().do(r).status(429).has("Try again at 12:04 UTC (in 4 minutes).")
}
