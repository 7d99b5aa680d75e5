package handlers_test

import (
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/models"
)

// withoutEmail creates accounts without an address, as a program can.
func (s *site) withoutEmail(names ...string) []*models.User {
	s.T.Helper()
	var users []*models.User
	for _, name := range names {
		user, err := s.Accounts.Register(s.T.Context(), account.Signup{
			Account: account.Profile{Username: name}, Password: secretWord, Client: auth.Client{},
		})
		if err != nil {
			s.T.Fatal(err)
		}
		users = append(users, user)
	}
	return users
}

// TestNoEmail checks that a person without an email address can use every page and
// add an address.
func TestNoEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ada := s.withoutEmail("ada", "bea")[0]
		for _, name := range []string{"", " ", " " + ada.ID, ada.ID} {
			s.browser().post("/login", "username", name, "password", secretWord).status(422)
		}
		b := s.browser()
		b.signIn("ada")
		b.get("/profile").status(200).says("No email address")
		b.get("/admin").status(403).says("You are signed in as ada.")
		b.post("/profile", "username", "ada", "full_name", "Ada Lovelace").redirects("/profile")
		b.get("/profile/email").status(200).says("Your account has no email address.")
		b.post("/profile/email", "email", "", "current_password", secretWord).status(422).says("Enter an email address.")
		b.post("/profile/email", "email", "ada@example.org", "current_password", secretWord).redirects("/profile")
		b.get("/profile").status(200).says("ada@example.org")
		s.browser().post("/login", "username", "ada@example.org", "password", secretWord).redirects("/profile")
		if got := s.LastEvent("email-change"); got.SubjectID != ada.ID {
			t.Errorf("recorded %+v", got)
		}
	})
}

// TestNoEmailAdmin checks that admins see which people have no email address, and
// can act on them.
func TestNoEmailAdmin(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		users := s.withoutEmail("ada", "bea")
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		for _, sort := range []string{"email", "-email", "username"} {
			boss.get("/admin/users?sort="+sort+"&limit=25").status(200).says("No email address", "boss@example.org")
		}
		page := "/admin/users/" + users[0].ID
		boss.get(page).status(200).says("No email address")
		boss.get(page + "/reset-link").status(200).says("ada (no email address)")
		boss.get(page + "/delete").status(200).says("Type ada to confirm")
		boss.post(page+"/delete", "confirm", "").status(422).says("type its username")
		boss.post(page+"/delete", "confirm", "bea").status(422)
		boss.post(page+"/delete", "confirm", " "+users[0].ID).status(422)
		boss.post(page+"/delete", "confirm", "Ada").redirects("/admin/users")
		boss.get("/admin/users/" + users[1].ID + "/edit").status(200)
	})
}
