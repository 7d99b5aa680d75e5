package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

const wrong = "Email, username or password is not correct."

// TestLogin signs in with each name of a person.
func TestLogin(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		for _, name := range []string{"ana", "ANA", " ana ", "ana@example.org", "Ana@Example.ORG", "\tana@example.org "} {
			b := s.browser()
			b.get("/login").status(200).says("Sign in").has(`autocomplete="username webauthn"`, `autocomplete="current-password"`)
			b.post("/login", "username", name, "password", secretWord).redirects("/profile").givesTokens()
			b.get("/profile").status(200).says("ana@example.org")
		}
		if got := s.Reload(user).LastSignInAt.Time(); !got.Equal(s.Clock.Now()) {
			t.Errorf("got last sign-in %v, want %v", got, s.Clock.Now())
		}
		if e := s.LastEvent(audit.Login); e.ActorID != user.ID || e.UserAgent != firefox {
			t.Errorf("got event %+v", e)
		}
	})
}

// TestLoginRefused checks that a refused sign-in does not reveal the reason.
func TestLoginRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		nopass := s.Person("nopass", models.RoleUser)
		if err := s.Store.Users.SetPassword(t.Context(), nopass.ID, "", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ name, password string }{
			{"ana", "wrong"},
			{"ana", " " + secretWord},
			{"ana", secretWord + " "},
			{"ana", strings.ToUpper(secretWord)},
			{"ana", secretWord + "\n"},
			{"ana", strings.Repeat("x", 2000)},
			{"nobody-there", secretWord},
			{"nobody@example.org", secretWord},
			{"' OR 1=1 --", secretWord},
			{"1=1", secretWord},
			{"%", secretWord},
			{"an_", secretWord},
			{"nopass", " "},
			{"nopass", secretWord},
			{"ana@example.org@example.org", secretWord},
		} {
			a := s.browser().post("/login", "username", test.name, "password", test.password, "next", "/profile/email").status(422).
				says("There is a problem", wrong).has("<title>Error: Sign in").touchesNoToken()
			if got, _ := a.value("username"); got != test.name {
				t.Errorf("the name typed: got %q, want %q", got, test.name)
			}
			if got, _ := a.value("password"); got != "" {
				t.Errorf("the page repeats the password %q", got)
			}
			if got, _ := a.value("next"); got != "/profile/email" {
				t.Errorf("got next %q", got)
			}
		}
		a := s.browser().post("/login").status(422).says("Enter your email address or username.", "Enter your password.").
			has(`<a href="#current-password">Enter your password.</a>`, `id="current-password-error"`)
		if a.fieldError("username") == "" || a.fieldError("password") == "" {
			t.Error("empty fields have no error beside them")
		}
		if strings.Contains(s.Logs.String(), secretWord) {
			t.Error("a password is in the log")
		}
	})
}

// TestLoginBlank checks that a name of only spaces is treated as empty and not
// counted as an attempt.
func TestLoginBlank(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for range 25 { // more than a network may fail
			a := s.browser().post("/login", "username", " \t ", "password", secretWord).status(422).hides(wrong)
			if got, want := a.fieldError("username"), "Enter your email address or username."; got != want {
				t.Fatalf("got error %q, want %q", got, want)
			}
		}
		if got := s.Events(); len(got) != 0 {
			t.Errorf("got events %+v, want none", got)
		}
	}, withLimits)
}

// TestLoginDisabled checks that only the right password reveals that an account is
// disabled, and that the admin's note is never shown.
func TestLoginDisabled(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, "owes us money"); err != nil {
			t.Fatal(err)
		}
		s.browser().post("/login", "username", "ana", "password", secretWord).status(403).
			says("This account is disabled. Contact help@example.org.").has(`<a href="mailto:help@example.org">help@example.org</a>.`).
			hides("owes us money", `action="/login"`, "There is a problem").touchesNoToken()
		unknown := s.browser().post("/login", "username", "ana2", "password", "wrong").status(422)
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422).says(wrong).hides("disabled").touchesNoToken()
		unknown.says(wrong)
		if s.LastEvent(audit.LoginDisabled).SubjectID != user.ID {
			t.Error("the attempt is not in the audit log")
		}
		if len(s.LiveSessions(user.ID)) != 0 {
			t.Error("a session was opened")
		}
	}, withSupport)
}

// TestLoginDisabledWithoutSupport checks the message without a support address.
func TestLoginDisabledWithoutSupport(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	user := s.Person("ana", models.RoleUser)
	if err := s.Store.Users.Disable(t.Context(), user.ID, "", s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	s.browser().post("/login", "username", "ana", "password", secretWord).status(403).
		says("This account is disabled. Contact the operator of Latchkey.").hides("mailto:")
}

// TestRemember checks the lifetime of the cookies with and without "Stay signed
// in".
func TestRemember(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		a := s.browser().post("/login", "username", "ana", "password", secretWord, "remember", "on").redirects("/profile")
		checkLife(t, a.setCookie("access"), 300)
		checkLife(t, a.setCookie("refresh"), 720*3600)
		a = s.browser().post("/login", "username", "ana", "password", secretWord).redirects("/profile")
		checkLife(t, a.setCookie("access"), 300)
		checkLife(t, a.setCookie("refresh"), 0)
		checkLife(t, a.setCookie("device"), 400*24*3600)

		// Without it, the idle limit is 12 hours and the absolute limit 24.
		idle, busy := s.browser(), s.browser()
		idle.post("/login", "username", "ana", "password", secretWord)
		busy.post("/login", "username", "ana", "password", secretWord)
		for range 3 {
			s.Clock.Advance(7 * time.Hour)
			busy.get("/profile").status(200)
		}
		idle.get("/profile").status(303)
		idle.get("/login").says("You were signed out because this device was not used for a while. Sign in to continue.")
		s.Clock.Advance(3*time.Hour + time.Second)
		busy.get("/profile").status(303)
		busy.get("/login").says("You were signed out because you last signed in too long ago. Sign in to continue.")
	})
}

// checkLife checks a cookie's Max-Age in seconds; 0 means until the browser closes.
func checkLife(t *testing.T, c *http.Cookie, want int) {
	t.Helper()
	if c == nil || c.MaxAge != want || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure {
		t.Errorf("got cookie %v, want Max-Age %d, HttpOnly, SameSite=Lax, Path=/", c, want)
	}
}

// TestNext checks which page a person gets after signing in.
func TestNext(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		for next, want := range map[string]string{
			"":                           "/profile",
			"/":                          "/",
			"/profile/email":             "/profile/email",
			"/admin/users?q=bo&sort=-id": "/admin/users?q=bo&sort=-id",
			"/admin/users?q=ü":           "/admin/users?q=%C3%BC",
			"//evil.example":             "/profile",
			"https://evil.example/":      "/profile",
			"/login":                     "/profile",
		} {
			b := s.browser()
			b.post("/login", "username", "ana", "password", secretWord, "next", next).redirects(want)
			// A person who is already signed in is redirected at once.
			b.get("/login?next=" + url.QueryEscape(next)).redirects(want)
			b.get("/signup?next=" + url.QueryEscape(next)).redirects(want)
			// The form carries only a safe next.
			if got, _ := s.browser().get("/login?next=" + url.QueryEscape(next)).value("next"); got != want && got != "" {
				t.Errorf("next %q: the form carries %q", next, got)
			}
		}
	})
}

// TestSignedOut checks the redirect to the sign-in page and back.
func TestSignedOut(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleAdmin)
		for _, test := range []struct{ method, path, next string }{
			{"GET", "/profile/sessions", "/profile/sessions"},
			{"GET", "/admin/users?q=a+b&status=active", "/admin/users?q=a+b&status=active"},
			{"GET", "/profile?x=%22%3E", "/profile?x=%22%3E"},
			{"POST", "/profile/password", "/profile/password"},
			{"POST", "/profile/sessions/" + models.NewID() + "/end", "/profile/sessions"},
			{"POST", "/admin/users/" + user.ID + "/enable", "/admin/users/" + user.ID},
			{"POST", "/admin/users/" + user.ID + "/disable", "/admin/users/" + user.ID + "/disable"},
		} {
			b := s.browser()
			login := b.do(b.request(test.method, test.path, "")).redirects("/login?next=" + url.QueryEscape(test.next))
			page := b.follow(login).status(200)
			next, _ := page.value("next")
			b.post("/login", "username", "ana", "password", secretWord, "next", next).redirects(test.next)
			r := s.browser().request(test.method, test.path, "")
			r.Header.Set("Accept", "application/json")
			s.browser().do(r).status(401)
		}
	})
}

// TestLoginEndsOldSession checks that signing in again ends the session whose
// cookies came along, even if it was another person's.
func TestLoginEndsOldSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		s.Person("bo", models.RoleUser)
		old := b.clone()
		b.post("/login", "username", "bo", "password", secretWord).redirects("/profile")
		if len(s.LiveSessions(ana.ID)) != 0 {
			t.Error("the old session is still live")
		}
		old.get("/profile").redirects("/login?next=%2Fprofile")
		old.get("/login").says("You signed in again in this browser, so the earlier session ended. Sign in to continue.")
		// A failed attempt ends nothing.
		b.post("/login", "username", "ana", "password", "wrong").status(422)
		b.get("/profile").status(200).says("bo@example.org")
	})
}

// TestCookiesOff checks that a browser that keeps no cookies gets a message about
// it.
func TestCookiesOff(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		r := s.browser().request(http.MethodGet, "/login?next=%2Fprofile", "")
		r.Header.Set("Referer", s.URL+"/login")
		s.browser().do(r).status(422).says("Your browser is blocking cookies. Turn them on for this site to sign in.")
		r = s.browser().request(http.MethodGet, "/login?next=%2Fprofile", "")
		r.Header.Set("Referer", "https://elsewhere.example/login")
		s.browser().do(r).status(200).hides("blocking cookies")
	})
}
