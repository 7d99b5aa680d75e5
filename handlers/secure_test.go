package handlers_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth/factor"
	"latchkey/internal/mail"
	"latchkey/internal/portaltest"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// alarm returns the token of "This wasn't me" in a message.
func (s *site) alarm(m mail.Message) string {
	s.T.Helper()
	token := servicetest.LinkIn(m, s.URL+"/secure")
	if token == "" {
		s.T.Fatalf("no link of “This wasn’t me” in the message:\n%s", m.Text)
	}
	return token
}

const emailChanged = "Your email address was changed"

// TestThief lets a thief who knows the password sign in, create access tokens and change
// the address. The owner presses one button: nothing of the thief's is accepted at the
// next request, and the owner is back in with the mailed link.
func TestThief(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Clock.Tick(time.Millisecond) // what belongs together has not the same instant
		owner, ana := s.signedIn("ana", models.RoleUser)
		s.GivePasskey(ana, "Ana’s phone")
		s.Clock.Advance(2 * time.Minute)
		thief := s.browser()
		thief.signIn("ana")
		s.lastMail("ana@example.org", "New sign-in on Firefox on Linux")
		api := thief.do(thief.request(http.MethodPost, "/token", "grant_type=password&username=ana&password="+strings.ReplaceAll(secretWord, " ", "+"))).status(200)
		personal := thief.follow(thief.post("/profile/tokens", "name", "backup", "scope.me", "on", "days", "30", "current_password", secretWord))
		secret := personal.between(`id="token"`, ">", "<")
		thief.changeEmail("thief@example.net")
		s.GiveApp(ana, factor.NewRecoveryCodes()...)
		s.GivePasskey(ana, "The thief’s phone")
		owner.get("/profile").redirects("/login?next=%2Fprofile")
		accepted := func(bearer string) int {
			r := s.browser().request(http.MethodGet, "/users/me", "")
			r.Header.Set("Authorization", "Bearer "+bearer)
			return s.browser().do(r).code
		}
		if accepted(secret) != 200 {
			t.Fatalf("the thief's access token does not work: %q", secret)
		}

		m := s.lastMail("ana@example.org", emailChanged)
		for _, want := range []string{"from ana@example.org to thief@example.net", "192.0.2.1", "Firefox on Linux", "22 November 2026, 12:02 UTC"} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("the message does not say %q:\n%s", want, m.Text)
			}
		}
		link := "/secure?token=" + s.alarm(m)
		for range 2 { // a scanner that opens the link changes nothing
			s.browser().do(s.browser().request(http.MethodHead, link, "")).status(200)
			s.browser().get(link).status(200).says("Secure your account", "goes back from thief@example.net to ana@example.org")
		}
		thief.get("/profile").status(200)
		b := s.browser()
		b.follow(b.post("/secure", "token", s.alarm(m)).redirects("/login")).says("Your account is secured.")

		thief.get("/profile").redirects("/login?next=%2Fprofile")
		for name, bearer := range map[string]string{"personal": secret, "API": api.between(`"access_token":`, `"`, `"`)} {
			if got := accepted(bearer); got != 401 {
				t.Errorf("the thief's %s token: status %d, want 401", name, got)
			}
		}
		thief.post("/login", "username", "ana", "password", secretWord).status(422)
		if f := s.factors(ana); f.App || f.Passkeys != 1 {
			t.Errorf("of the factors that the thief added, or of those before: %+v", f)
		}
		if got := s.Reload(ana); got.Email != "ana@example.org" {
			t.Errorf("the address is %s", got.Email)
		}
		reset := servicetest.LinkIn(s.lastMail("ana@example.org", "Your account is secured: choose a new password"), s.URL+"/reset")
		b.post("/reset", "token", reset, "password", otherWord).redirects("/login")
		b.post("/login", "username", "ana@example.org", "password", otherWord).redirects("/profile")
		b.get(link).status(410).says("Your account is already secured")

		for _, m := range s.mailTo("thief@example.net") {
			if strings.Contains(m.Text, "/reset") {
				t.Errorf("the thief got a reset link:\n%s", m.Text)
			}
		}
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		boss.get("/admin").says("one account was secured because someone else may have used it.")
	}, withMail)
}

// changeEmail changes the address with the link that is mailed to the new one.
func (b *browser) changeEmail(address string) {
	b.site.T.Helper()
	b.post("/profile/email", "email", address, "current_password", secretWord).status(303)
	b.post("/verify", "token", b.site.verifyToken(address)).status(303)
}

// between returns the text between two marks after a start, "" when there is none.
func (a *answer) between(start, from, to string) string {
	_, rest, _ := strings.Cut(a.body, start)
	_, rest, _ = strings.Cut(rest, from)
	text, _, found := strings.Cut(rest, to)
	if !found {
		return ""
	}
	return text
}

// TestThiefPressesFirst lets a thief who has changed the address use a link from their
// own mailbox: the owner's earlier link still works and gets the address back.
func TestThiefPressesFirst(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana := s.Person("ana", models.RoleUser)
		thief := s.browser()
		thief.signIn("ana")
		thief.changeEmail("thief@example.net")
		s.Clock.Advance(time.Minute)
		owners := s.alarm(s.lastMail("ana@example.org", emailChanged))
		thief.post("/profile/password", "current_password", secretWord, "new_password", otherWord).redirects("/profile")
		thiefs := s.alarm(s.lastMail("thief@example.net", "Your password was changed"))
		s.browser().get("/secure?token=" + thiefs).status(200).hides("goes back")
		s.browser().post("/secure", "token", thiefs).redirects("/login")
		s.Clock.Advance(time.Minute)
		s.browser().post("/secure", "token", owners).redirects("/login")
		s.lastMail("ana@example.org", "Your account is secured: choose a new password")
		if got := s.Reload(ana).Email; got != "ana@example.org" {
			t.Errorf("the address is %s", got)
		}
		reset := servicetest.LinkIn(s.lastMail("thief@example.net", "Your account is secured: choose a new password"), s.URL+"/reset")
		s.browser().post("/reset", "token", reset, "password", otherWord).status(409)
	}, withMail)
}

// TestKeptAddress checks that nobody else can take an address while a change of it can
// be undone.
func TestKeptAddress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.post("/profile/email", "email", "new@example.org", "current_password", secretWord).redirects("/profile")
		join := func() *answer {
			return s.browser().post("/signup", "username", "eve", "email", "ANA@example.org", "password", secretWord)
		}
		if got := join().status(422).fieldError("email"); got != "There is already an account with this email address." {
			t.Errorf("got %q", got)
		}
		eve, _ := s.signedIn("eva", models.RoleUser)
		eve.post("/profile/email", "email", "ana@example.org", "current_password", secretWord).status(422)
		b.post("/profile/email", "email", "ana@example.org", "current_password", secretWord).redirects("/profile") // the person can
		b.post("/profile/email", "email", "new@example.org", "current_password", secretWord).redirects("/profile")
		s.Clock.Advance(models.KeepEmail + time.Second)
		join().redirects("/profile")
	})
}

// TestSecureStates checks every link that does not work, and parallel requests.
func TestSecureStates(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana := s.Person("ana", models.RoleUser)
		alarm := func() string {
			b := s.browser()
			b.signIn("ana")
			return s.alarm(s.lastMail("ana@example.org", "New sign-in on Firefox on Linux"))
		}
		b := s.browser() // the first device has no notice
		b.signIn("ana")
		if list := s.mailTo(ana.Email); len(list) != 0 {
			t.Fatalf("the first sign-in has a notice: %q", list[0].Subject)
		}
		first := alarm()
		for _, token := range []string{"", "x", strings.Repeat("a", 10<<10), s.resetToken(ana)} {
			if len(token) < 8<<10 {
				s.browser().get("/secure?token=" + token).status(410).says("This link is not complete")
			}
			s.browser().post("/secure", "token", token).status(409).says("This link is not complete")
		}
		s.browser().post("/reset", "token", first, "password", otherWord).status(409).says("This link is not complete")
		var mu sync.Mutex
		codes := map[int]int{}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				code := s.browser().post("/secure", "token", first).code
				mu.Lock()
				defer mu.Unlock()
				codes[code]++
			})
		}
		if group.Wait(); codes[303] != 1 || codes[409] != 19 {
			t.Errorf("statuses %v, want 303 once and 409 otherwise", codes)
		}
		reset := servicetest.LinkIn(s.lastMail(ana.Email, "Your account is secured: choose a new password"), s.URL+"/reset")
		b.post("/reset", "token", reset, "password", secretWord).redirects("/login")
		b.signIn("ana")
		expiring := alarm()
		s.Clock.Advance(7 * 24 * time.Hour)
		s.browser().get("/secure?token="+expiring).status(410).says("This link has expired", "Links to secure an account work for 7 days")
		s.browser().post("/secure", "token", expiring).status(409)
		last := alarm()
		if err := s.Store.Users.Disable(t.Context(), ana.ID, "", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		s.browser().get("/secure?token=" + last).status(410).says("This account is disabled")
		s.browser().post("/secure", "token", last).status(409)
	}, withMail)
}

// TestReplayStory checks that a person reads about a copied session everywhere, with both
// uses, and secures their account from there: with mail and without.
func TestReplayStory(t *testing.T) {
	for name, mailed := range map[string]bool{"with mail": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			eachSite(t, func(t *testing.T, s *site) {
				owner, ana := s.signedIn("ana", models.RoleUser)
				thief := owner.clone()
				thief.address, thief.agent = "198.51.100.9:1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
				for range 2 {
					s.Clock.Advance(6 * time.Minute)
					thief.get("/profile").status(200)
				}
				s.Clock.Advance(6 * time.Minute)
				owner.get("/profile").redirects("/login?next=%2Fprofile")
				event := s.LastEvent(audit.Replay)
				path := "/profile/activity/replay/" + event.ID
				if mailed {
					m := s.lastMail(ana.Email, "A copied session was ended")
					if !strings.Contains(m.Text, s.URL+path) {
						t.Errorf("the message does not lead to the story:\n%s", m.Text)
					}
					s.alarm(m)
				}
				b := s.browser()
				in := b.post("/login", "username", "ana", "password", secretWord).redirects("/profile")
				b.follow(in).says("We ended one of your sessions because a copy of it was used. See what happened").has(`href="` + path + `"`)
				b.get("/profile/activity").status(200).says("A session was ended because a copy of it was used.").has(`href="` + path + `"`)
				b.get(path).status(200).says("First use", "Chrome on Windows", "198.51.100.9", "Second use, which ended the session", "Firefox on Linux", "192.0.2.1")
				other, _ := s.signedIn("bo", models.RoleUser)
				other.get(path).status(404)
				other.post(path).status(404)

				if mailed {
					b.post(path).redirects("/login")
					b.get("/profile").redirects("/login?next=%2Fprofile")
					s.lastMail(ana.Email, "Your account is secured: choose a new password")
					return
				}
				elsewhere := s.browser()
				elsewhere.signIn("ana")
				b.follow(b.post(path).redirects("/profile/password")).says("Now choose a new password.")
				elsewhere.get("/profile").redirects("/login?next=%2Fprofile")
				b.get("/profile").status(200)
			}, func(o *portaltest.Options) { o.Mail = mailed })
		})
	}
}

// TestNotices checks which changes have a letter, to which address, and that an admin's
// device and address are not in it.
func TestNotices(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		b, ana := s.signedIn("ana", models.RoleUser)
		b.address, boss.address = "198.51.100.20:1", "203.0.113.99:1"
		want := func(subject, address string, byAdmin bool, texts ...string) {
			t.Helper()
			m := s.lastMail(address, subject)
			if byAdmin != strings.Contains(m.Text, "By: an admin") || byAdmin == strings.Contains(m.Text, "198.51.100.20") || strings.Contains(m.Text, "203.0.113.99") {
				t.Errorf("%s: who did it:\n%s", subject, m.Text)
			}
			for _, text := range append(texts, "Hello ana,", s.URL) {
				if !strings.Contains(m.Text, text) {
					t.Errorf("%s: no %q in the message:\n%s", subject, text, m.Text)
				}
			}
		}
		b.post("/profile/password", "current_password", secretWord, "new_password", otherWord).redirects("/profile")
		want("Your password was changed", ana.Email, false, "/secure?token=")
		b.post("/profile/tokens", "name", "nightly\tbackup", "scope.me", "on", "days", "30", "current_password", otherWord)
		want("A new access token was created", ana.Email, false, "“nightly backup”")
		b.post("/profile/username", "username", "anna", "current_password", otherWord).redirects("/profile")
		m := s.lastMail(ana.Email, "Your username was changed")
		if !strings.Contains(m.Text, "from “ana” to “anna”") {
			t.Errorf("the message:\n%s", m.Text)
		}
		b.post("/profile/username", "username", "ana", "current_password", otherWord).redirects("/profile")
		count := len(s.mailTo(ana.Email))
		b.post("/profile/name", "full_name", "").redirects("/profile")
		if n := len(s.mailTo(ana.Email)); n != count {
			t.Errorf("%d messages about a change of the name", n-count)
		}
		boss.post("/admin/users/"+ana.ID+"/edit", "username", "ana", "email", "ana@new.example", "full_name", "").redirects("/admin/users/" + ana.ID)
		want(emailChanged, ana.Email, true, "from ana@example.org to ana@new.example", "/secure?token=")
		boss.post("/admin/users/"+ana.ID+"/disable", "reason", "a note for admins").redirects("/admin/users/" + ana.ID)
		want("Your account was disabled", "ana@new.example", true)
		if m := s.lastMail("ana@new.example", "Your account was disabled"); strings.Contains(m.Text, "a note for admins") || strings.Contains(m.Text, "/secure") {
			t.Errorf("the message of a disabled account:\n%s", m.Text)
		}
		boss.post("/admin/users/" + ana.ID + "/enable").redirects("/admin/users/" + ana.ID)
		want("Your account is enabled again", "ana@new.example", true)
	}, withMail)
}

// TestActivity pages through everything that happened to an account.
func TestActivity(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		boss.address = "203.0.113.99:1"
		b, ana := s.signedIn("ana", models.RoleUser)
		boss.post("/admin/users/"+ana.ID+"/role", "role", "admin").redirects("/admin/users/" + ana.ID)
		for range 30 {
			s.Clock.Advance(time.Minute)
			s.browser().post("/login", "username", "ana", "password", "not the password")
		}
		first := b.get("/profile/activity").status(200).says("Someone tried to sign in to your account. The password was wrong.", "192.0.2.1").hides("An admin changed your role.")
		if n := strings.Count(first.body, "The password was wrong."); n != 25 {
			t.Errorf("%d events on the first page, want 25", n)
		}
		older := first.between(`rel="next" href="`, "", `"`)
		if older == "" {
			older = first.between(`href="/profile/activity?before=`, "", `"`)
			older = "/profile/activity?before=" + older
		}
		b.get(older).status(200).says("You signed in.", "An admin changed your role.").hides("boss", "203.0.113.99", `rel="next"`).has(`href="/profile/activity">Newest`)
		b.get("/profile/activity?before=nonsense").status(400)
		boss.get("/profile/activity").hides("An admin changed your role.") // what admins did to others is not theirs
	})
}
