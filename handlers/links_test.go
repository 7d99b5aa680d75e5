package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// setupToken returns the token of a new setup link.
func (s *site) setupToken() string {
	s.T.Helper()
	token, err := s.Accounts.CreateSetup(s.T.Context())
	if err != nil {
		s.T.Fatal(err)
	}
	return token
}

// resetToken returns the token of a new reset link.
func (s *site) resetToken(user *models.User) string {
	s.T.Helper()
	_, token, err := s.Accounts.CreateResetLink(s.T.Context(), auth.Shell(), user.ID)
	if err != nil {
		s.T.Fatal(err)
	}
	return token
}

// newAdmin fills in and sends the form of a setup link.
func (b *browser) newAdmin(token, name string) *answer {
	return b.post("/setup", "token", token, "username", name, "email", name+"@example.org", "password", secretWord)
}

// TestSetup creates the first admin with the link, which works once.
func TestSetup(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		token, second := s.setupToken(), s.setupToken() // each replica prints its own
		b := s.browser()
		for range 2 { // opening the link does not use it
			page := b.get("/setup?token=" + token).status(200).says("Create the first admin")
			page.has(`<meta name="robots" content="noindex"`)
			if got, _ := page.value("token"); got != token {
				t.Errorf("got token %q in the form, want %q", got, token)
			}
			b.do(b.request(http.MethodHead, "/setup?token="+token, "")).status(200)
		}
		page := b.post("/setup", "token", token, "username", "a", "email", "x", "password", "short").status(422).
			says("Use 2 to 32 characters.", "Enter an email address like name@example.com.")
		if got, _ := page.value("token"); got != token {
			t.Error("the token got lost with the error")
		}
		a := b.newAdmin(token, "admin").redirects("/admin").givesTokens() // a reserved name, which the operator may use
		b.follow(a).status(200).says("Your admin account is ready.")
		b.get("/admin").status(200).says("Next steps", "There is only one active admin.",
			"Only this computer can open the portal, because its address is http://localhost:8080.", "Set LATCHKEY_SUPPORT_EMAIL to an address.")
		for _, dead := range []string{token, second} {
			s.browser().get("/setup?token="+dead).status(410).says("Setup is done", "An admin account already exists.").hides("<form id=\"setup\"")
			s.browser().newAdmin(dead, "bo").status(409).says("Setup is done").touchesNoToken()
		}
		if admins, err := s.Store.Users.CountActiveAdmins(t.Context()); err != nil || admins != 1 {
			t.Errorf("got %d admins (%v), want 1", admins, err)
		}
		if strings.Contains(s.Logs.String(), token) {
			t.Error("the token is in the log")
		}
		if s.LastEvent(audit.Setup).SubjectName != "admin" {
			t.Error("the setup is not in the audit log")
		}
	})
}

// TestSetupDead checks the other reasons why a setup link stops working, and that
// the first person to sign up does not become an admin.
func TestSetupDead(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.browser().post("/signup", "username", "first", "email", "first@example.org", "password", secretWord).redirects("/profile")
		if user, err := s.Store.Users.ByUsername(t.Context(), "first"); err != nil || user.Role != models.RoleUser {
			t.Errorf("the first sign-up is %+v (%v), want an ordinary user", user, err)
		}
		token := s.setupToken()
		s.browser().get("/setup?token="+token[1:]).status(410).says("This link is not complete", "Copy the whole link from the server's output.")
		s.browser().newAdmin("x"+token, "bo").status(409).says("This link is not complete")
		s.Clock.Advance(time.Hour)
		s.browser().get("/setup?token="+token).status(410).says("This link has expired", "Setup links work for 1 hour. Restart the server to get a new one.")
		s.browser().newAdmin(token, "bo").status(409).says("This link has expired").touchesNoToken()

		// A reset link does not work as a setup link, or the reverse.
		token = s.setupToken()
		user := s.Person("ana", models.RoleUser)
		s.browser().newAdmin(s.resetToken(user), "bo").status(409).says("This link is not complete")
		s.browser().post("/reset", "token", token, "password", otherWord).status(409).says("This link is not complete")

		// The links stop working once there is an admin, however it was created.
		if _, err := s.Accounts.SetRole(t.Context(), auth.Shell(), user.ID, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		s.browser().get("/setup?token=" + token).status(410).says("Setup is done")
		if again := s.setupToken(); again != "" {
			t.Error("there is a new setup link although an admin exists")
		}
	})
}

// TestReset sets a password with a link, which signs out every device, including
// this one.
func TestReset(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		token := s.resetToken(user)
		visitor := s.browser()
		for range 2 {
			page := visitor.get("/reset?token=" + token).status(200).says("Choose a new password").has(`<meta name="robots" content="noindex"`)
			if got, _ := page.value("username"); got != "ana" {
				t.Errorf("got username %q, want ana", got)
			}
			visitor.do(visitor.request(http.MethodHead, "/reset?token="+token, "")).status(200)
		}
		for password, want := range map[string]string{
			"":               "Enter a new password.",
			"short":          "Password must be at least 12 characters. Yours has 5.",
			"password123456": "This password is on a list of known passwords. Choose another.",
		} {
			a := visitor.post("/reset", "token", token, "password", password).status(422).says(want)
			if got := a.fieldError("password"); got != want {
				t.Errorf("got error %q, want %q", got, want)
			}
		}
		a := visitor.post("/reset", "token", token, "password", otherWord).redirects("/login")
		for _, name := range []string{"access", "refresh"} {
			if visitor.cookie(name) != "" {
				t.Error("the person was signed in")
			}
		}
		visitor.follow(a).status(200).says("Your password is changed. Every device was signed out. Sign in with the new password.")
		b.follow(b.get("/profile")).says("Your password was changed, and every device was signed out.")
		visitor.post("/login", "username", "ana", "password", secretWord).status(422)
		visitor.post("/login", "username", "ana", "password", otherWord).redirects("/profile")
		s.browser().get("/reset?token="+token).status(410).says("This link has already been used", "A link works once, and this one has already set the password.")
		s.browser().post("/reset", "token", token, "password", secretWord).status(409).says("This link has already been used")
	})
}

// TestInvited sets the first password of an account that an admin created: the
// person is welcomed and signed in.
func TestInvited(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		a := boss.post("/admin/users/new", "username", "ana", "email", "ana@example.org", "full_name", "Ana Silva", "role", "user")
		found := regexp.MustCompile(`/reset\?token=[A-Za-z0-9_-]{43}`).FindString(boss.follow(a).body)
		ana := s.browser()
		page := ana.get(found).status(200).says("Choose a password", "Welcome to Latchkey.", "Save password").
			hides("new password", "will be signed out").has("<title>Choose a password – Latchkey</title>")
		token, _ := page.value("token")
		ana.post("/reset", "token", token, "password", "short").status(422).
			says("Welcome to Latchkey.", "Password must be at least 12 characters. Yours has 5.")
		ana.follow(ana.post("/reset", "token", token, "password", otherWord).redirects("/profile").givesTokens()).
			says("Your account is ready.", "Ana Silva", "You signed in. Firefox on Linux")
		ana.get("/profile/sessions").says("with an invitation")
		boss.get("/admin/users?q=ana&status=active").says("1 of 1 user")
		s.browser().get(found).status(410).says("This link has already been used")
		ana.post("/logout").redirects("/login")
		ana.post("/login", "username", "ana", "password", otherWord).redirects("/profile")
	})
}

// TestResetDead checks every other reason why a reset link stops working.
func TestResetDead(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		check := func(token, heading, text string) {
			t.Helper()
			s.browser().get("/reset?token="+token).status(410).says(heading, text).
				has(`<meta name="robots" content="noindex"`, "<title>"+heading+" – Latchkey</title>")
			s.browser().post("/reset", "token", token, "password", otherWord).status(409).says(heading, text).touchesNoToken()
		}
		user := s.Person("ana", models.RoleUser)
		first := s.resetToken(user)
		s.Clock.Advance(time.Hour)
		second := s.resetToken(user)
		s.Clock.Advance(time.Hour)
		check(first, "This link has been replaced", "A newer link was created on 22 Nov 2026, 13:00 UTC. Use that one.")
		check("", "This link is not complete", "Ask help@example.org for a new one if that does not help.")
		check(second[:42], "This link is not complete", "Copy the whole link from the message that you got.")
		s.Clock.Advance(24 * time.Hour)
		check(second, "This link has expired", "Links work for 24 hours. Ask help@example.org for a new one.")

		third := s.resetToken(user)
		if err := s.Store.Users.Disable(t.Context(), user.ID, "a note", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		check(third, "This account is disabled", "Its password cannot be changed while it is disabled.")
		if err := s.Store.Users.Enable(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		s.browser().get("/reset?token=" + third).status(200)
		if err := s.Store.Users.Delete(t.Context(), user.ID); err != nil {
			t.Fatal(err)
		}
		check(third, "This link is not complete", "Copy the whole link")
	}, withSupport)
}

// TestForgotNoMail checks that the page says whom to ask when the portal sends no mail.
func TestForgotNoMail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.browser().get("/forgot").status(200).says("Forgot your password?", "Ask help@example.org for a reset link. Links work for 24 hours.")
		s.browser().get("/login").has(`href="/forgot"`)
		// The page keeps next, if it is valid.
		s.browser().get("/login?next=%2Fprofile%2Femail").has(`href="/forgot?next=%2Fprofile%2Femail"`)
		s.browser().get("/forgot?next=%2Fprofile%2Femail").has(`href="/login?next=%2Fprofile%2Femail"`)
		s.browser().get("/forgot?next=%2F%2Fevil.example").has(`href="/login">Back to sign in`)
		s.browser().do(s.browser().request(http.MethodPost, "/forgot", "email=a%40b.example")).status(403).says("Ask help@example.org for a reset link.")
	}, withSupport)
}

// TestLocalLinks checks that every link and form of the signed-out pages has a
// target that exists.
func TestLocalLinks(t *testing.T) {
	link := regexp.MustCompile(`(?:href|action|src)="(/[^"#]*)`)
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		s.Person("ana", models.RoleUser)
		for _, visitor := range []*browser{s.browser(), boss} {
			seen := map[string]bool{"/logout": true}
			queue := []string{"/login", "/signup", "/profile", "/admin", "/nowhere"}
			for len(queue) > 0 && len(seen) < 300 {
				path := queue[0]
				queue = queue[1:]
				if seen[path] {
					continue
				}
				seen[path] = true
				a := visitor.get(path)
				if a.code >= 400 && a.code != 405 && path != "/nowhere" {
					t.Errorf("%s is linked to and returns %d", path, a.code)
				}
				for _, found := range link.FindAllStringSubmatch(a.body, -1) {
					queue = append(queue, strings.ReplaceAll(found[1], "&amp;", "&"))
				}
			}
		}
	})
}
