package handlers_test

import (
	"testing"

	"latchkey/internal/audit"
	"latchkey/models"
)

const changedWords = "This account has changed since you opened it. This page shows its current state."

// TestTwoAdmins lets two admins act on one account from pages that both opened
// before. The second one is told that the account has changed, and the action is
// neither repeated nor recorded again.
func TestTwoAdmins(t *testing.T) {
	for _, test := range []struct {
		name   string
		role   models.Role // of the account
		off    bool        // it is disabled to begin with
		act    string
		fields []string // of the form of the slower admin
		action string
		faster []string // the form of the faster one
		shows  string   // the new state
	}{
		{"disable", models.RoleUser, false, "disable", []string{"reason", "lost a laptop"}, audit.UserDisable, []string{"reason", "left the team"}, "left the team"},
		{"enable", models.RoleUser, true, "enable", nil, audit.UserEnable, nil, "Signs ana out everywhere and blocks sign-in."},
		{"promote", models.RoleUser, false, "role", []string{"role", "admin", "was", "user"}, audit.UserRole, []string{"role", "admin", "was", "user"}, "Admin"},
		{"demote", models.RoleAdmin, false, "role", []string{"role", "user", "was", "admin"}, audit.UserRole, []string{"role", "user", "was", "admin"}, "User"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachSite(t, func(t *testing.T, s *site) {
				first, _ := s.signedIn("bo", models.RoleAdmin)
				second, _ := s.signedIn("cy", models.RoleAdmin)
				user := s.Person("ana", test.role)
				page := "/admin/users/" + user.ID
				if test.off {
					first.post(page+"/disable", "reason", "a break").redirects(page)
				}
				second.get(page).status(200)
				first.post(page+"/"+test.act, test.faster...).redirects(page)
				first.get(page).hides(changedWords)
				before, events := s.Reload(user), len(s.Events())

				second.post(page+"/"+test.act, test.fields...).redirects(page)
				second.get(page).status(200).says(changedWords, test.shows).hides("lost a laptop")
				second.get(page).hides(changedWords)
				if got := s.Reload(user); *got != *before {
					t.Errorf("got the account %+v, want it as it was: %+v", got, before)
				}
				if got := len(s.Events()); got != events {
					t.Errorf("got %d events, want %d: %+v", got, events, s.LastEvent(test.action))
				}
			})
		})
	}
}

// TestTwoAdminsAsk opens the confirmation page of an action that another admin has
// already done.
func TestTwoAdminsAsk(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		first, _ := s.signedIn("bo", models.RoleAdmin)
		second, _ := s.signedIn("cy", models.RoleAdmin)
		ana, user := s.signedIn("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		ana.makeToken("Backup", "scope.me", "on")
		end := page + "/tokens/" + s.tokenNamed(user.ID, "Backup").ID + "/end"
		second.get(page).status(200)

		first.post(end).redirects(page)
		second.get(end).redirects(page)
		second.get(page).says("That access token was already removed.")

		first.post(page + "/disable").redirects(page)
		second.get(page + "/disable").redirects(page)
		second.get(page).says(changedWords, "Disabled since")

		first.post(page+"/delete", "confirm", user.Email).redirects("/admin/users")
		second.get(page + "/disable").status(404)
		second.post(page + "/enable").status(404)
		second.post(page+"/role", "role", "admin").status(404)
	})
}

// TestSameRole sends a form with the role that the account has and had when the
// form was opened: no other admin has changed it.
func TestSameRole(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		if was, _ := boss.get(page + "/role").value("was"); was != "user" {
			t.Errorf("got %q in the form, want user", was)
		}
		events := len(s.Events())
		boss.post(page+"/role", "role", "user", "was", "user").redirects(page)
		boss.get(page).says("ana is now a user.").hides(changedWords)
		if got := len(s.Events()); got != events {
			t.Errorf("got %d events, want %d", got, events)
		}
	})
}
