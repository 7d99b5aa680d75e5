package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestProfile checks the account page and the changes that can be made there.
func TestProfile(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Person("taken", models.RoleUser)
		b.get("/profile").status(200).says("ana@example.org", "Add a second step so that a stolen password is not enough.", "Signed in here only",
			"You signed in. Firefox on Linux, 192.0.2.1")
		b.post("/profile", "username", " Ana.S ", "full_name", " Ana Silva ", "current_password", secretWord).redirects("/profile")
		b.get("/profile").says("Your changes are saved.", "You changed your profile.")
		if now := s.Reload(user); now.Username != "ana.s" || now.FullName != "Ana Silva" {
			t.Errorf("got account %+v", now)
		}
		if got, want := audit.Detail(s.LastEvent(audit.ProfileChange)), "username ana → ana.s, name (none) → Ana Silva"; got != want {
			t.Errorf("got detail %q, want %q", got, want)
		}
		s.browser().signIn("ana.s")
		s.browser().post("/login", "username", "ana", "password", secretWord).status(422)

		for _, test := range []struct{ username, fullName, field, want string }{
			{"", "", "username", "Enter a username."},
			{"TAKEN", "", "username", "This username is taken. Choose another."},
			{"admin", "", "username", "This username is reserved. Choose another."},
			{"ana.s", "a\u202eb", "full_name", "A name cannot contain invisible or control characters. It contains an invisible character (U+202E)."},
		} {
			a := b.post("/profile", "username", test.username, "full_name", test.fullName, "current_password", secretWord).status(422).says("There is a problem", test.want)
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("got error %q at %s, want %q", got, test.field, test.want)
			}
			if got, _ := a.value(test.field); got != test.username && got != test.fullName {
				t.Errorf("got username %q in the form, want %q", got, test.username)
			}
		}
	})
}

// TestProfileInPart checks that a field that is not sent keeps its value, and that
// a field that is sent empty does not.
func TestProfileInPart(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		for _, test := range []struct {
			fields             []string
			username, fullName string
		}{
			{[]string{"full_name", "Ana Silva"}, "ana", "Ana Silva"},
			{[]string{"username", "ana.s", "current_password", secretWord}, "ana.s", "Ana Silva"},
			{[]string{"full_name", ""}, "ana.s", ""},
		} {
			b.post("/profile", test.fields...).redirects("/profile")
			if now := s.Reload(user); now.Username != test.username || now.FullName != test.fullName {
				t.Errorf("%q: got %q and %q, want %q and %q", test.fields, now.Username, now.FullName, test.username, test.fullName)
			}
		}
		b.post("/profile", "username", "").status(422).says("Enter a username.")
		b.post("/profile").status(200).says("Your settings").hides("Your changes are saved.")
		if now := s.Reload(user); now.Username != "ana.s" || now.FullName != "" {
			t.Errorf("a form without fields: became %q, %q", now.Username, now.FullName)
		}
	})
}

// TestChangeUsername checks that a form with the current password, which programs send,
// needs the right one on both routes that accept a new username, and that it keeps all
// input except the password.
func TestChangeUsername(t *testing.T) {
	const missing, wrong = "Enter your current password.", "The current password is not correct."
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").status(200).has(`href="/profile/username"`)
		b.get("/profile/username").status(200).says("Change username").hides("Current password")
		for _, path := range []string{"/profile", "/profile/username"} {
			for secret, want := range map[string]string{"": missing, "not it at all": wrong} {
				a := b.post(path, "username", "ana.s", "full_name", "Ana Silva", "current_password", secret).status(422).says("There is a problem")
				if got := a.fieldError("current_password"); got != want {
					t.Errorf("%s with %q: got %q beside the password, want %q", path, secret, got, want)
				}
				for field, want := range map[string]string{"username": "ana.s", "full_name": "Ana Silva", "current_password": ""} {
					if got, _ := a.value(field); got != want {
						t.Errorf("%s with %q: the form has %s %q, want %q", path, secret, field, got, want)
					}
				}
			}
		}
		if now := s.Reload(user); now.Username != "ana" || now.FullName != "" {
			t.Errorf("became %q, %q without the password", now.Username, now.FullName)
		}
		if got := s.LastEvent(audit.PasswordFailed).SubjectID; got != user.ID {
			t.Errorf("the wrong password is recorded for %q", got)
		}
		b.post("/profile/username", "username", "ana.s", "current_password", secretWord).redirects("/profile")
		b.get("/profile").status(200).says("Your changes are saved.", "ana.s") // still signed in
		// No password is required if the username does not change.
		b.post("/profile/username", "username", "ANA.S").redirects("/profile")
		b.post("/profile", "full_name", "Ana Silva").redirects("/profile")
	})
}

// TestProfileEscapes checks that names are text on every page that shows them.
func TestProfileEscapes(t *testing.T) {
	const name = `<script>alert("x")</script> & 'Co'`
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b.post("/profile", "username", "ana", "full_name", name).redirects("/profile")
		b.agent = `Mozilla/5.0 "><img src=x onerror=alert(1)>`
		b.signIn("ana")
		pages := []*answer{b.get("/profile"), b.get("/profile/sessions"), boss.get("/admin/users/" + user.ID), boss.get("/admin/audit"), boss.get("/admin/users")}
		boss.post("/admin/users/"+user.ID+"/disable", "reason", `"><script>alert(2)</script>`).redirects("/admin/users/" + user.ID)
		pages = append(pages, boss.get("/admin/users/"+user.ID), boss.get("/admin/audit"), boss.get("/admin/users?q=%3Cscript%3Ealert(3)"))
		for _, page := range pages {
			page.status(200)
			for _, raw := range []string{"<script>alert", "<img src=x"} {
				if strings.Contains(page.body, raw) {
					t.Errorf("%s: the source has %s", page.asked, raw)
				}
			}
		}
	})
}

// TestChangePassword checks that every other session ends, with the reason, and
// that this browser continues in a new session.
func TestChangePassword(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		other := s.browser()
		other.signIn("ana")
		copied := b.clone()
		before := s.LiveSessions(user.ID)
		b.get("/profile/password").status(200).says("When you save, every other device will be signed out.").has(`autocomplete="username"`)
		for _, test := range []struct{ current, next, field, want string }{
			{"wrong", otherWord, "current_password", "The current password is not correct."},
			{"", otherWord, "current_password", "Enter your current password."},
			{secretWord, "", "new_password", "Enter a new password."},
			{secretWord, "short", "new_password", "Password must be at least 12 characters. Yours has 5."},
			{secretWord, secretWord, "new_password", "The new password is the same as the current one. Choose another."},
		} {
			a := b.post("/profile/password", "current_password", test.current, "new_password", test.next).status(422).says(test.want).touchesNoToken()
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("got error %q at %s, want %q", got, test.field, test.want)
			}
			a.hides(`value="` + otherWord)
		}
		s.Clock.Advance(time.Second)
		a := b.post("/profile/password", "current_password", secretWord, "new_password", otherWord).redirects("/profile").givesTokens()
		b.follow(a).status(200).says("Your password is changed. Your other devices are signed out.")
		live := s.LiveSessions(user.ID)
		if len(live) != 1 {
			t.Fatalf("got %d live sessions, want 1", len(live))
		}
		for _, old := range before {
			if old.ID == live[0].ID {
				t.Error("the session kept its sid")
			}
		}
		if !live[0].Remember {
			t.Error("the browser does not stay signed in any more")
		}
		const words = "Your password was changed, and every device was signed out. Sign in with the new password."
		other.follow(other.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()).says(words)
		// A late response to an earlier request must not clear the new cookies.
		copied.follow(copied.get("/profile").touchesNoToken()).says("You signed in again in this browser, so the earlier session ended.")
		s.browser().post("/login", "username", "ana", "password", secretWord).status(422)
		s.browser().post("/login", "username", "ana", "password", otherWord).redirects("/profile")
	})
}

// TestChangeEmail is TestChangePassword for the email address.
func TestChangeEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Person("taken", models.RoleUser)
		other := s.browser()
		other.signIn("ana")
		before := s.LiveSessions(user.ID)
		b.get("/profile/email").status(200).says("Your current email is ana@example.org.")
		for _, test := range []struct{ email, current, field, want string }{
			{"new@example.org", "wrong", "current_password", "The current password is not correct."},
			{"new@example.org", "", "current_password", "Enter your current password."},
			{"", secretWord, "email", "Enter an email address."},
			{"nothing", secretWord, "email", "Enter an email address like name@example.com."},
			{"ana@example.org", secretWord, "email", "This is already your email address."},
			{"TAKEN@example.org", secretWord, "email", "There is already an account with this email address."},
		} {
			a := b.post("/profile/email", "email", test.email, "current_password", test.current).status(422).says(test.want).touchesNoToken()
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("got error %q at %s, want %q", got, test.field, test.want)
			}
			if got, _ := a.value("email"); got != test.email {
				t.Errorf("got email %q in the form, want %q", got, test.email)
			}
		}
		a := b.post("/profile/email", "email", " Ana@New.example ", "current_password", secretWord).redirects("/profile").givesTokens()
		b.follow(a).says("Your email address is changed. Your other devices are signed out.", "Ana@New.example")
		live := s.LiveSessions(user.ID)
		if len(live) != 1 || live[0].ID == before[0].ID || live[0].ID == before[1].ID {
			t.Errorf("got live sessions %v, want one with a new sid", live)
		}
		other.follow(other.get("/profile")).says("Your email address was changed, and every device was signed out. Sign in to continue.")
		s.browser().signIn("ana@new.example")
		s.browser().post("/login", "username", "ana@example.org", "password", secretWord).status(422)
	})
}

// TestTheme checks the switch, signed in and signed out.
func TestTheme(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.get("/login").has(`content="light dark"`)
		b.post("/theme", "theme", "dark", "next", "/login?next=%2Fprofile%2Femail").redirects("/login?next=%2Fprofile%2Femail")
		b.get("/login").has(`data-theme="dark"`)
		b.post("/theme", "theme", "light", "next", "/forgot").redirects("/forgot")
		b.get("/login").has(`data-theme="light"`)
		for _, path := range []string{"/login", "/signup", "/forgot"} {
			far := path + "?next=" + url.QueryEscape("/profile?x="+strings.Repeat("%22", 150))
			b.post("/theme", "theme", "light", "next", far).redirects(far)
			b.post("/theme", "theme", "light", "next", path+"?next=%2F%2Fevil.example&x=1").redirects(path)
		}
		b.post("/theme", "theme", "system", "next", "https://evil.example").redirects("/")
		b.get("/login").hides("data-theme")
		for _, next := range []string{"//evil.example", "/login?next=//evil.example", "//evil.example/login", `/login\@evil`, "http://x/login"} {
			a := b.post("/theme", "theme", "dark", "next", next).status(303)
			if got := a.header.Get("Location"); got != "/" && got != "/login" {
				t.Errorf("next %q: got Location %q", next, got)
			}
		}
		b.post("/theme", "theme", "pink").status(400).says("Choose light, dark or system.")
	})
}

// TestWellKnown checks the address that password managers request.
func TestWellKnown(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.get("/.well-known/change-password").redirects("/profile/password")
		s.browser().get("/.well-known/change-password").redirects("/profile/password")
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json", "/.well-known/", "/.well-known/oauth-authorization-server/x"} {
			for _, visitor := range []*browser{b, s.browser()} {
				for _, accept := range []string{"text/html", "application/json", "*/*"} {
					r := visitor.request(http.MethodGet, path, "")
					r.Header.Set("Accept", accept)
					a := visitor.do(r).status(404)
					if kind := a.header.Get("Content-Type"); kind != "text/plain; charset=UTF-8" || a.body != "not found\n" || len(a.cookies) > 0 {
						t.Errorf("%s for %s: got %q %q and cookies %v, want plain text", path, accept, kind, a.body, a.cookies)
					}
				}
			}
		}
		s.browser().get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").status(404)
	})
}
