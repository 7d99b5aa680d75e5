package handlers_test

import (
	"strings"
	"testing"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestEditUser checks that an admin can change the names of an account, that the
// log and the person's activity show it, and that a new address signs the person
// out.
func TestEditUser(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		s.Person("taken", models.RoleUser)
		page := "/admin/users/" + user.ID
		boss.get(page).status(200).has(`href="` + page + `/edit"`)
		form := boss.get(page+"/edit").status(200).says("Edit ana", "an admin changed this")
		for field, want := range map[string]string{"username": "ana", "email": "ana@example.org", "full_name": ""} {
			if got, _ := form.value(field); got != want {
				t.Errorf("the form has %s %q, want %q", field, got, want)
			}
		}
		seen, _ := form.value("seen")

		boss.post(page+"/edit", "username", " Ana.S ", "email", "ana@example.org", "full_name", "Ana Silva", "seen", seen).redirects(page)
		boss.get(page).says("The changes to ana are saved.", "ana.s", "Ana Silva")
		if got, want := audit.Detail(s.LastEvent(audit.UserProfile)), "username ana → ana.s, name (none) → Ana Silva"; got != want {
			t.Errorf("the log has %q, want %q", got, want)
		}
		b.get("/profile").status(200).says("An admin changed your profile.") // still signed in
		boss.post(page+"/edit", "email", "Silva@example.org").redirects(page)
		boss.get(page).says("The changes to Ana Silva are saved. 1 session ended.", "Silva@example.org")
		if now := s.Reload(user); now.Username != "ana.s" || now.Email != "Silva@example.org" || now.FullName != "Ana Silva" {
			t.Errorf("became %q, %q, %q", now.Username, now.Email, now.FullName)
		}
		b.get("/profile").redirects("/login?next=%2Fprofile")
		s.browser().signIn("silva@EXAMPLE.org")
		boss.get("/admin/users?q=silva%40").says("Ana Silva")

		before := len(s.Events())
		boss.post(page+"/edit", "username", "ana.s", "email", "Silva@example.org", "full_name", "Ana Silva").redirects(page) // nothing new
		for _, test := range []struct{ field, value, want string }{
			{"username", "TAKEN", "This username is taken. Choose another."},
			{"username", "-", "Use 2 to 32 characters."},
			{"username", "a b", "Use letters a to z and digits. Dots, hyphens and underscores may only stand between them. It contains a space."},
			{"email", "taken@EXAMPLE.org", "There is already an account with this email address."},
			{"email", "silva", "Enter an email address like name@example.com."},
			{"full_name", strings.Repeat("x", 129), "Use a name of at most 128 characters."},
		} {
			a := boss.post(page+"/edit", test.field, test.value).status(422).says("There is a problem")
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("%s %q: got %q, want %q", test.field, test.value, got, test.want)
			}
			if got, _ := a.value(test.field); got != test.value {
				t.Errorf("%s: the form has %q, want %q", test.field, got, test.value)
			}
		}
		if got := len(s.Events()); got != before {
			t.Errorf("got %d events for changes that changed nothing, want none", got-before)
		}
		// The old name cannot be used by others.
		s.browser().post("/signup", "username", "ana", "email", "new@example.org", "password", secretWord).status(422)
		boss.post("/admin/users/"+models.NewID()+"/edit", "username", "x1").status(404)
	})
}

// TestEditUserTogether checks an admin whose edit meets another admin's change:
// the page says so, shows both versions, and then saves.
func TestEditUserTogether(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		page := "/admin/users/" + user.ID + "/edit"
		seen, _ := boss.get(page).value("seen")
		b.post("/profile", "full_name", "Ana Silva").redirects("/profile")
		a := boss.post(page, "username", "ana.x", "email", "ana@example.org", "full_name", "Anna", "seen", seen).status(409).
			says("This account was changed while you had the form open. Compare, then save again.", "Current values", "Ana Silva")
		if got, _ := a.value("full_name"); got != "Anna" {
			t.Errorf("the form has %q, want what was typed", got)
		}
		if now := s.Reload(user); now.Username != "ana" || now.FullName != "Ana Silva" {
			t.Errorf("became %q, %q", now.Username, now.FullName)
		}
		again, _ := a.value("seen")
		boss.post(page, "username", "ana.x", "email", "ana@example.org", "full_name", "Anna", "seen", again).redirects("/admin/users/" + user.ID)
		if now := s.Reload(user); now.Username != "ana.x" || now.FullName != "Anna" {
			t.Errorf("became %q, %q", now.Username, now.FullName)
		}
	})
}
