package handlers_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/audit"
	"latchkey/models"
)

// bulk posts a bulk action for some users.
func (b *browser) bulk(users []*models.User, pairs ...string) *answer {
	for _, user := range users {
		pairs = append(pairs, "id", user.ID)
	}
	return b.post("/admin/users/bulk", pairs...)
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// answerQuestion sends the form of a confirmation page.
func (b *browser) answerQuestion(a *answer, pairs ...string) *answer {
	b.site.T.Helper()
	_, form, found := strings.Cut(a.body, `action="/admin/users/bulk"`)
	if !found {
		b.site.T.Fatalf("%s: the page asks no question:\n%s", a.asked, a.text())
	}
	form, _, _ = strings.Cut(form, "</form>")
	for _, input := range hiddenField.FindAllStringSubmatch(form, -1) {
		pairs = append(pairs, input[1], html.UnescapeString(input[2]))
	}
	return b.post("/admin/users/bulk", pairs...)
}

// actions counts the events of an action in the audit log.
func (s *site) actions(action string) (n int) {
	for _, e := range s.Events() {
		if e.Action == action {
			n++
		}
	}
	return n
}

// TestBulkDisable checks that the form of the list leads to one confirmation, which
// disables everyone who can be disabled and records an event for each.
func TestBulkDisable(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, self := s.signedIn("bo", models.RoleAdmin)
		b, ana := s.signedIn("ana", models.RoleUser)
		cy, dee := s.Person("cy", models.RoleAdmin), s.Person("dee", models.RoleUser)
		boss.post("/admin/users/"+dee.ID+"/disable", "reason", "earlier").status(303)
		list := "/admin/users?limit=50&role=user&sort=-created"
		boss.get(list).has(`name="list" value="`+list+`"`, `name="id" type="checkbox" value="`+ana.ID+`"`, "Select ana")

		question := boss.bulk([]*models.User{ana, self, cy, dee, ana}, "act", "disable", "list", list).status(200).
			says("Disable 2 users?", "ana ana@example.org", "cy cy@example.org", "Nothing is deleted.", "Left out: bo (your own account) and dee (already disabled).", "Reason").
			has(`href="` + list + `"`)
		b.get("/profile").status(200) // the confirmation page disabled no one
		if n := s.actions(audit.UserDisable); n != 1 {
			t.Errorf("the confirmation page recorded %d events", n-1)
		}
		long := strings.Repeat("x", 501)
		boss.answerQuestion(question, "reason", long).status(422).says("Use a reason of at most 500 characters.", "Disable 2 users?").has(long)
		b.get("/profile").status(200)

		boss.answerQuestion(question, "reason", " left the team ").redirects(list)
		boss.get(list).says("2 users are disabled. Their sessions and tokens have stopped working.").hides("Left out")
		b.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		for _, user := range []*models.User{ana, cy} {
			if after := s.Reload(user); !after.Disabled() || after.DisabledReason != "left the team" {
				t.Errorf("%s: got disabled %t, reason %q", user.Username, after.Disabled(), after.DisabledReason)
			}
		}
		if after := s.Reload(dee); after.DisabledReason != "earlier" {
			t.Errorf("got reason %q", after.DisabledReason)
		}
		if n := s.actions(audit.UserDisable); n != 3 {
			t.Errorf("got %d events, want one for each of 3 users", n)
		}
		// The same form again: everyone is already disabled.
		boss.answerQuestion(question).status(422).says("There is a problem", "No user was disabled. Left out: ana (already disabled) and cy (already disabled).")
		boss.bulk([]*models.User{self}, "act", "disable").status(422).says("No user was disabled. Left out: bo (your own account).")
	})
}

// TestBulkMeanwhile checks that the message names the users who changed between the
// confirmation page and its form.
func TestBulkMeanwhile(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, self := s.signedIn("bo", models.RoleAdmin)
		var users []*models.User
		for i := range 9 {
			users = append(users, s.Person(fmt.Sprintf("u%d", i), models.RoleUser))
		}
		question := boss.bulk(users, "act", "disable").status(200).says("Disable 9 users?")
		boss.post("/admin/users/"+users[0].ID+"/delete", "confirm", users[0].Email).status(303)
		boss.post("/admin/users/" + users[1].ID + "/disable").status(303)
		boss.answerQuestion(question, "id", self.ID).redirects("/admin/users")
		boss.get("/admin/users").says("7 users are disabled.", "Left out: bo (your own account), a user (deleted) and u1 (already disabled).")

		boss.bulk(users, "act", "disable", "confirmed", "yes").status(422).
			says("u3 (already disabled)", "u4 (already disabled) and 4 more users.").hides("u5 (")
		boss.bulk(users[:1], "act", "sign-out").status(422).says("No user was signed out. Left out: a user (deleted).")
	})
}

// TestBulkSignOut ends the sessions of the selected users.
func TestBulkSignOut(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, ana := s.signedIn("ana", models.RoleUser)
		c, cy := s.signedIn("cy", models.RoleUser)
		question := boss.bulk([]*models.User{ana}, "act", "sign-out", "list", "/admin/users?q=ana").status(200).
			says("Sign out 1 user everywhere?", "They can sign in again.").hides("Reason")
		boss.answerQuestion(question).redirects("/admin/users?q=ana")
		boss.get("/admin/users?q=ana").says("1 user is signed out everywhere.")
		b.follow(b.get("/profile").takesTokens()).says("An admin signed you out.")
		c.get("/profile").status(200)
		if n := s.actions(audit.UserSignOut); n != 1 {
			t.Errorf("got %d events, want 1", n)
		}
		boss.bulk([]*models.User{ana, cy}, "act", "sign-out", "confirmed", "yes").redirects("/admin/users")
		c.get("/profile").status(303)
	})
}

// TestBulkWrong checks that a form that no page sends, or one without selected
// users, changes nothing and shows the list again with an error.
func TestBulkWrong(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.crowd(26)
		ana := s.Person("ana", models.RoleUser)
		var tooMany []*models.User
		for range 101 {
			tooMany = append(tooMany, &models.User{ID: models.NewID()})
		}
		list := "/admin/users?role=user&sort=-username&status=active"
		shown := boss.get(list).names()
		for _, test := range []struct {
			name, act string
			users     []*models.User
			says      string
		}{
			{"no one", "disable", nil, "Select at least one user."},
			{"101", "disable", tooMany, "Select at most 100 users at a time."},
			{"unknown users", "disable", tooMany[:2], "No user was disabled. Left out: a user (deleted) and a user (deleted)."},
			{"no act", "", []*models.User{ana}, "Choose whether to disable or to sign out the users."},
			{"another act", "delete", []*models.User{ana}, "Choose whether to disable or to sign out the users."},
			{"no id", "disable", []*models.User{ana, {ID: ""}}, "The form named a user that does not exist."},
			{"a username", "disable", []*models.User{ana, {ID: "ana"}}, "The form named a user that does not exist."},
			{"a long id", "disable", []*models.User{ana, {ID: strings.Repeat("a", 10<<10)}}, "The form named a user that does not exist."},
		} {
			for _, confirmed := range []string{"", "yes"} {
				a := boss.bulk(test.users, "act", test.act, "confirmed", confirmed, "list", list).status(422).says("There is a problem", test.says, "Status: Active", "Role: User")
				if got := a.names(); !slices.Equal(got, shown) {
					t.Errorf("%s: got the list %q, want %q", test.name, got, shown)
				}
			}
		}
		if s.Reload(ana).Disabled() || s.actions(audit.UserDisable) > 0 {
			t.Error("a wrong form disabled a user")
		}
		// The link back always leads to a page of the list.
		for _, there := range []string{
			"https://evil.example/admin/users", "//evil.example/admin/users", "/admin/users/../audit", "/profile", "javascript:alert(1)",
			"/admin/users?sort=shoe-size", "/admin/users?%zz", "\\admin", strings.Repeat("x", 5000),
		} {
			boss.bulk([]*models.User{ana}, "act", "sign-out", "confirmed", "yes", "list", there).redirects("/admin/users")
		}
		page := boss.get("/admin/users").page("next")
		boss.bulk([]*models.User{ana}, "act", "sign-out", "confirmed", "yes", "list", page).redirects(page)
		extra := page + "&" + url.Values{"x": {"y"}}.Encode()
		boss.bulk([]*models.User{ana}, "act", "sign-out", "confirmed", "yes", "list", extra).redirects(page)
		boss.post("/admin/users/bulk", "act", "disable", "act", "sign-out", "id", ana.ID).status(400)
		s.browser().bulk([]*models.User{ana}, "act", "disable", "confirmed", "yes").redirects("/login?next=%2Fadmin%2Fusers%2Fbulk")
	})
}

// TestBulkLimit checks that the 7th bulk action within a minute is refused as a
// whole.
func TestBulkLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana, cy := s.Person("ana", models.RoleUser), s.Person("cy", models.RoleUser)
		both := []*models.User{ana, cy}
		for range 6 {
			boss.bulk(both, "act", "sign-out", "confirmed", "yes").status(303)
		}
		boss.bulk(both, "act", "disable").status(200) // the confirmation page does not count
		boss.bulk(both, "act", "disable", "confirmed", "yes").status(429).says("You changed many accounts in a short time. Try again at")
		if s.Reload(ana).Disabled() || s.Reload(cy).Disabled() {
			t.Error("a refused action disabled users")
		}
	}, withLimits)
}
