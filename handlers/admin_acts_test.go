package handlers_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestDisable disables an account that is signed in on three devices and checks that
// the next request of each is refused, and that Undo enables the account again.
func TestDisable(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		b.post("/profile", "username", "ana", "full_name", "Ana Silva").redirects("/profile")
		second, third := s.browser(), s.browser()
		second.signIn("ana")
		third.signIn("ana")
		third.forget("access")
		page := "/admin/users/" + user.ID
		boss.get(page).status(200).says("Ana Silva", "ana@example.org Active", "Signs Ana Silva out everywhere and blocks sign-in.")
		boss.get(page+"/disable").status(200).says("Disable Ana Silva?", "Ana Silva will be signed out of 3 devices now and cannot sign in. Nothing is deleted.")
		b.get("/profile").status(200) // the confirmation page did not disable anyone
		long := strings.Repeat("x", 501)
		a := boss.post(page+"/disable", "reason", long).status(422).says("Use a reason of at most 500 characters.")
		a.has(long)

		boss.post(page+"/disable", "reason", " left the team ").redirects(page)
		for _, visitor := range []*browser{b, second, third} {
			visitor.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		}
		b.get("/login").says("This account is disabled.").hides("left the team")
		boss.get(page).says("Ana Silva is disabled. 3 sessions ended. All its sessions and tokens have stopped working.", "Disabled since", "left the team", "Undo").
			has(`action="` + page + `/enable"`)
		s.browser().post("/login", "username", "ana", "password", secretWord).status(403)
		if got, want := audit.Detail(s.LastEvent(audit.UserDisable)), "3 sessions ended. Reason: left the team"; got != want {
			t.Errorf("got detail %q, want %q", got, want)
		}
		// Disabling again succeeds and changes nothing.
		boss.post(page+"/disable", "reason", "another").redirects(page)
		boss.get(page).says("left the team")
		boss.post(page + "/reset-link").status(409).says("This account is disabled. Enable it first.")

		boss.post(page + "/enable").redirects(page)
		boss.get(page).says("Ana Silva is enabled and can sign in again.")
		b.get("/profile").status(303) // the ended session stays ended
		second.signIn("ana")
	})
}

// TestSignOutUser ends every session, and lets the person sign in again.
func TestSignOutUser(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		boss.get(page+"/sign-out").status(200).says("Sign out ana everywhere?", "1 session will end now.")
		boss.post(page + "/sign-out").redirects(page)
		boss.get(page).says("ana is signed out everywhere. 1 session ended.", "Not signed in anywhere.")
		b.follow(b.get("/profile").takesTokens()).says("An admin signed you out. Sign in to continue.")
		b.signIn("ana")
	})
}

// TestRole checks that a change of role in either direction takes effect at the
// next request and ends no session.
func TestRole(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		b.get("/admin").status(403).says("You cannot open this page", "You are signed in as ana@example.org. This page needs the admin role.", "Use another account")
		boss.get(page+"/role").status(200).says("Make ana an admin?", "This takes effect at once and ends no sessions.").
			has(`name="was" value="user"`, `name="role" value="admin"`)
		boss.post(page+"/role", "role", "root").status(422).says("Choose a role.")
		boss.post(page + "/role").status(422).says("Choose a role.")
		boss.post(page+"/role", "role", "admin").redirects(page)
		boss.get(page).says("ana is now an admin.")
		b.get("/admin").status(200)
		b.get("/profile").has(`href="/admin"`)
		s.Clock.Advance(time.Second)
		boss.post(page+"/role", "role", "user").redirects(page)
		b.get("/admin").status(403)
		b.post("/admin/users/"+user.ID+"/role", "role", "admin").status(403)
		b.get("/profile").status(200).hides(`href="/admin"`)
		if got, want := audit.Detail(s.LastEvent(audit.UserRole)), "admin → user"; got != want {
			t.Errorf("got detail %q, want %q", got, want)
		}
	})
}

var linkInPage = regexp.MustCompile(`http://localhost:8080/reset\?token=([A-Za-z0-9_-]{43})`)

// TestResetLink checks that the link works, is shown only once, and is in neither
// the log nor the database.
func TestResetLink(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		boss.get(page+"/reset-link").status(200).says("Create a reset link for ana?", "The link works once, within 24 hours.")
		a := boss.follow(boss.post(page+"/reset-link").redirects(page+"/link")).status(200).says("Reset link created", "The link works once, within 24 hours. You will not see it again.")
		found := linkInPage.FindStringSubmatch(a.body)
		if found == nil {
			t.Fatalf("the page has no link:\n%s", a.text())
		}
		for _, path := range []string{page + "/reset-link", page, "/admin/audit", "/admin/audit.csv"} {
			boss.get(path).status(200).hides(found[1])
		}
		s.browser().post("/reset", "token", found[1], "password", otherWord).redirects("/login")
		s.browser().post("/login", "username", "ana", "password", otherWord).redirects("/profile")
		if strings.Contains(s.Logs.String(), found[1]) {
			t.Error("the token is in the log")
		}
	})
}

// TestResetLinkOfDisabled checks that a disabled account gets neither the
// confirmation page nor a link, and that an earlier message is kept.
func TestResetLinkOfDisabled(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		page := "/admin/users/" + s.Person("ana", models.RoleUser).ID
		boss.post(page + "/disable").redirects(page)
		boss.get(page + "/reset-link").status(409).says("This account is disabled. Enable it first.").hides("Create a reset link")
		boss.post(page + "/reset-link").status(409).says("This account is disabled. Enable it first.")
		boss.get(page).status(200).says("ana is disabled.")
		boss.post(page + "/enable").redirects(page)
		boss.get(page + "/reset-link").status(200).says("Create a reset link for ana?")
	})
}

// TestNewUser adds a person, who sets a password with the link.
func TestNewUser(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/users/new").status(200).says("Add user")
		a := boss.post("/admin/users/new", "username", "BO", "email", "nothing", "full_name", "Kim", "role", "king").status(422).
			says("Enter an email address like name@example.com.", "Choose a role.")
		if got, _ := a.value("full_name"); got != "Kim" {
			t.Errorf("got full name %q in the form, want Kim", got)
		}
		a = boss.post("/admin/users/new", "username", "BO", "email", "bo@example.org", "role", "user").status(422)
		if a.fieldError("username") != "This username is taken. Choose another." || a.fieldError("email") != "There is already an account with this email address." {
			t.Errorf("got errors %q and %q", a.fieldError("username"), a.fieldError("email"))
		}
		for _, role := range []models.Role{models.RoleUser, models.RoleAdmin} {
			name := "kim-" + string(role)
			a = boss.follow(boss.post("/admin/users/new", "username", name, "email", name+"@example.org", "full_name", "Kim", "role", string(role))).status(200).
				says("Account created", "Send this link to Kim ("+name+"@example.org)")
			found := linkInPage.FindStringSubmatch(a.body)
			if found == nil {
				t.Fatalf("the page has no link:\n%s", a.text())
			}
			s.browser().post("/login", "username", name, "password", secretWord).status(422)
			s.browser().post("/reset", "token", found[1], "password", secretWord).redirects("/profile")
			s.browser().signIn(name)
			user, err := s.Store.Users.ByUsername(t.Context(), name)
			if err != nil || user.Role != role {
				t.Errorf("got %+v (%v), want role %s", user, err, role)
			}
		}
	})
}

// TestDelete deletes an account, once its address is typed.
func TestDelete(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		boss.get(page+"/delete").status(200).says("Delete ana?", "The account can be restored until 22 Dec 2026. After that it is erased", "Type ana@example.org to confirm")
		for _, typed := range []string{"", "ana", "bo@example.org"} {
			a := boss.post(page+"/delete", "confirm", typed).status(422).says("To delete the account, type its email address.")
			if got, _ := a.value("confirm"); got != typed {
				t.Errorf("got %q in the form, want %q", got, typed)
			}
		}
		b.get("/profile").status(200)
		boss.post(page+"/delete", "confirm", " ANA@example.org ").redirects("/admin/users")
		boss.get("/admin/users").says("The account of ana is deleted. 1 session ended. It can be restored until 22 Dec 2026.").
			has(`action="/admin/users/` + user.ID + `/restore"`)
		b.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		s.browser().post("/login", "username", "ana", "password", secretWord).status(422)
		for _, act := range []string{"enable", "disable", "sign-out", "role", "reset-link", "unlock", "delete"} {
			boss.post(page + "/" + act).status(404)
		}
		boss.get("/admin/audit").says("bo deleted the account of ana (deleted): 1 session ended.")
		// The address can be used again, the username never.
		s.browser().post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).status(422).
			says("This username used to belong to another account")
		s.browser().post("/signup", "username", "ana2", "email", "ana@example.org", "password", secretWord).redirects("/profile")
	})
}

// TestYourself checks that admins cannot act on their own account.
func TestYourself(t *testing.T) {
	const words = "You cannot do this to your own account."
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		s.Person("second", models.RoleAdmin)
		page := "/admin/users/" + admin.ID
		boss.get(page).status(200).says("This is your own account.").hides("/disable", "/edit")
		for _, act := range []string{"edit", "disable", "enable", "sign-out", "role", "reset-link", "unlock", "delete"} {
			boss.post(page+"/"+act, "role", "user", "confirm", admin.Email).status(409).says(words)
			if act != "enable" && act != "unlock" {
				boss.get(page + "/" + act).status(409).says(words)
			}
		}
		if after := s.Reload(admin); after.Disabled() || after.Role != models.RoleAdmin {
			t.Errorf("got %+v", after)
		}
		boss.get("/admin").status(200)
	})
}

// TestLastAdmin checks that neither the pages nor the shell remove the last active
// admin.
func TestLastAdmin(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		first, one := s.signedIn("bo", models.RoleAdmin)
		second, two := s.signedIn("cy", models.RoleAdmin)
		first.get("/admin").hides("There is only one active admin.")
		first.post("/admin/users/"+two.ID+"/role", "role", "user").redirects("/admin/users/" + two.ID)
		second.post("/admin/users/"+one.ID+"/role", "role", "user").status(403)
		first.get("/admin").says("There is only one active admin. If they lose access, only someone with access to the server can help.")
		for name, act := range map[string]func() error{
			"disable": func() error { _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), one.ID, ""); return err },
			"demote": func() error {
				_, err := s.Accounts.SetRole(t.Context(), auth.Shell(), one.ID, models.RoleUser)
				return err
			},
			"delete": func() error { _, _, err := s.Accounts.Delete(t.Context(), auth.Shell(), one.ID, one.Email); return err },
		} {
			if err := act(); err == nil || !strings.Contains(err.Error(), "last active admin") {
				t.Errorf("%s of the last admin: got %v", name, err)
			}
		}
		// A second admin that is disabled does not count.
		if _, err := s.Accounts.SetRole(t.Context(), auth.Shell(), two.ID, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		first.post("/admin/users/" + two.ID + "/disable").redirects("/admin/users/" + two.ID)
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), one.ID, ""); err == nil {
			t.Error("the last active admin was disabled")
		}
	})
}
