package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestSignup creates an account in a browser.
func TestSignup(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.get("/signup").status(200).says("Create account", "At least 12 characters, such as three or four random words.").
			has(`autocomplete="username"`, `autocomplete="email"`, `autocomplete="new-password"`, `autocomplete="name"`)
		a := b.post("/signup", "username", " Ana.Silva ", "email", "Ana@Example.org", "full_name", "  Ana Silva ", "password", secretWord)
		a.redirects("/profile").givesTokens()
		// Signing up implies "Stay signed in".
		if c := a.setCookie("refresh"); c.MaxAge != 720*3600 {
			t.Errorf("got refresh Max-Age %d, want 30 days", c.MaxAge)
		}
		b.follow(a).status(200).says("Your account is ready.", "Ana Silva", "Ana@Example.org", "You created your account. Firefox on Linux")
		b.get("/profile").hides("Your account is ready.") // shown only once
		user, err := s.Store.Users.ByUsername(t.Context(), "ana.silva")
		if err != nil {
			t.Fatal(err)
		}
		if user.Role != models.RoleUser || user.FullName != "Ana Silva" || user.Email != "Ana@Example.org" {
			t.Errorf("got account %+v", user)
		}
		if e := s.LastEvent(audit.SignUp); e.SubjectID != user.ID || e.IP != "192.0.2.1" || e.RequestID != a.header.Get("X-Request-Id") {
			t.Errorf("got event %+v", e)
		}
		for _, name := range []string{"ana.silva", "ANA@example.ORG"} {
			s.browser().signIn(name)
		}
	})
}

// TestSignupNext checks that a new person is redirected to next, if it is safe.
func TestSignupNext(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.get("/signup?next=/profile/sessions").status(200).has(`name="next" value="/profile/sessions"`)
		for name, test := range map[string]struct{ next, want string }{
			"ana": {"/profile/sessions", "/profile/sessions"},
			"bob": {"//evil.example/", "/profile"},
		} {
			s.browser().post("/signup", "username", name, "email", name+"@example.org", "password", secretWord, "next", test.next).
				redirects(test.want)
		}
	})
}

// TestSignupRules checks that the error for every rule is beside its field, and that
// the form keeps all input except the password.
func TestSignupRules(t *testing.T) {
	long := strings.Repeat("a", 250)
	const badEmail = "Enter an email address like name@example.com."
	const badName = "Use letters a to z and digits. Dots, hyphens and underscores may only stand between them."
	const badFull = "A name cannot contain invisible or control characters."
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("taken", models.RoleUser)
		for _, test := range []struct{ field, value, want string }{
			{"username", "", "Enter a username."},
			{"username", "   ", "Enter a username."},
			{"username", "a", "Use 2 to 32 characters."},
			{"username", strings.Repeat("a", 33), "Use 2 to 32 characters."},
			{"username", "ana silva", badName + " It contains a space."},
			{"username", ".ana", badName},
			{"username", "ana-", badName},
			{"username", "añа", badName + " It contains “ñ”."},
			{"username", "İstanbul", badName + " It contains “İ”."}, // its lower case is istanbul
			{"username", "a@b.example", badName + " It contains “@”."},
			{"username", "<b>x</b>", badName + " It contains “<”."},
			{"username", "Admin", "This username is reserved. Choose another."},
			{"username", "TAKEN", "This username is taken. Choose another."},
			{"email", "", "Enter an email address."},
			{"email", "ana", badEmail},
			{"email", "@example.org", badEmail},
			{"email", "a@b@example.org", badEmail},
			{"email", "Ana <ana@example.org>", badEmail + " It contains a space."},
			{"email", "a@example.org, b@example.org", badEmail + " It contains a space."},
			{"email", "ana silva@example.org", badEmail + " It contains a space."},
			{"email", "ana@example.org\r\nBcc: x@example.org", badEmail + " It contains an invisible character (U+000D)."},
			{"email", "ana@[127.0.0.1]", badEmail},
			{"email", `"a"@example.org`, badEmail},
			{"email", long + "@example.org", "Use an email address of at most 254 characters."},
			{"email", "TAKEN@EXAMPLE.ORG", "There is already an account with this email address."},
			{"full_name", strings.Repeat("é", 129), "Use a name of at most 128 characters."},
			{"full_name", "Ana\u202eavliS", badFull + " It contains an invisible character (U+202E)."},
			{"full_name", "Ana\x07", badFull + " It contains an invisible character (U+0007)."},
			{"full_name", "Ana\nSilva", badFull + " It contains an invisible character (U+000A)."},
			{"password", "", "Enter a password."},
			{"password", "elevenchars", "Password must be at least 12 characters. Yours has 11."},
			{"password", strings.Repeat("a1 B", 65), "Password must be at most 256 characters. Yours has 260."},
			{"password", "password123456", "This password is on a list of known passwords. Choose another."},
			{"password", "aaaaaaaaaaaaaaaa", "This password is too easy to guess: it repeats or follows a simple pattern. Choose another."},
			{"password", "my newcomer pass", "Password must not contain your username or email address. Choose another."},
			{"password", "some latchkey words", "Password must not contain the name of this site. Choose another."},
		} {
			fields := map[string]string{"username": "newcomer", "email": "new.person@example.org", "full_name": "New Person", "password": secretWord}
			fields[test.field] = test.value
			b := s.browser()
			a := b.post("/signup", "username", fields["username"], "email", fields["email"], "full_name", fields["full_name"], "password", fields["password"])
			a.status(http.StatusUnprocessableEntity).says("There is a problem", test.want).has("<title>Error: Create account", `href="#`+a.fieldID(test.field)+`"`)
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("%s %q: got error %q, want %q", test.field, test.value, got, test.want)
			}
			checkKept(t, a, fields)
			a.touchesNoToken().hides(`value="` + secretWord)
		}
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 1 {
			t.Errorf("got %d accounts (%v), want 1", all.Total, err)
		}
	})
}

// checkKept checks that the form keeps its input.
func checkKept(t *testing.T, a *answer, fields map[string]string) {
	t.Helper()
	for name, typed := range fields {
		got, _ := a.value(name)
		if name == "password" {
			typed = ""
		}
		if strings.TrimSpace(got) != strings.TrimSpace(typed) {
			t.Errorf("%s: field %s has %q, want %q", a.asked, name, got, typed)
		}
	}
}

// TestSignupSaysAll checks that the errors of all fields are shown at once, in the
// order of the form.
func TestSignupSaysAll(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("taken", models.RoleUser)
		s.browser().post("/signup", "username", "x", "email", "y", "password", "z").status(422).
			says("There is a problem Enter an email address like name@example.com. Use 2 to 32 characters. Password must be at least 12 characters. Yours has 1.")
		s.browser().post("/signup", "username", "taken", "email", "Taken@example.org", "password", secretWord).status(422).
			says("There is a problem There is already an account with this email address. This username is taken. Choose another.")
	})
}

// TestSignupClosed checks that no account is created while sign-up is closed, and
// that no page links to it.
func TestSignupClosed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.browser().get("/login").status(200).hides("/signup")
		s.browser().get("/signup").status(403).says("Sign-up is closed", "Accounts are created by invitation. Contact help@example.org.")
		s.browser().post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).status(403).
			says("Sign-up is closed").touchesNoToken()
		// The link to the sign-in page keeps next, if it is valid.
		const signIn = `href="/login?next=%2Fprofile%2Femail">Sign in`
		s.browser().get("/signup?next=%2Fprofile%2Femail").status(403).has(signIn)
		s.browser().post("/signup", "next", "/profile/email").status(403).has(signIn)
		s.browser().post("/signup", "next", "//evil.example").status(403).has(`href="/login">Sign in`)
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 0 {
			t.Errorf("got %d accounts (%v), want none", all.Total, err)
		}
	}, signupClosed, withSupport)
}

// TestSignupLimit checks that a network that creates many accounts is stopped.
func TestSignupLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		sign := func(address string, i int) *answer {
			b := s.browser()
			b.address = address
			name := "person" + string(rune('a'+i))
			return b.post("/signup", "username", name, "email", name+"@example.org", "password", secretWord)
		}
		for i := range 10 {
			sign("[2001:db8::1]:1", i).redirects("/profile")
		}
		a := sign("[2001:db8::2]:1", 10).status(429). // the same /64
								says("Too many accounts were created from your network. You can try again in 60 minutes, at 13:00 UTC.").touchesNoToken()
		if got := a.header.Get("Retry-After"); got != "3600" {
			t.Errorf("got Retry-After %q, want 3600", got)
		}
		sign("[2001:db8:0:1::1]:1", 11).redirects("/profile")
	}, withLimits)
}

// TestSignupEndsOldSession checks that a browser has one session at a time.
func TestSignupEndsOldSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		old := b.clone()
		b.post("/signup", "username", "bo", "email", "bo@example.org", "password", secretWord).redirects("/profile")
		if live := s.LiveSessions(ana.ID); len(live) != 0 {
			t.Errorf("the old session is still live: %v", live)
		}
		old.get("/profile").redirects("/login?next=%2Fprofile")
		b.get("/profile").status(200).says("bo@example.org")
	})
}
