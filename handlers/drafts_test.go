package handlers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth"
	"latchkey/models"
)

// returning is a form that comes back after the confirmation.
type returning struct {
	path string // of the POST
	page string // that shows the form again
	form []string
	has  []string // what that page's source has
}

func returningForms(target *models.User) []returning {
	user := "/admin/users/" + target.ID
	return []returning{
		{"/profile/username", "/profile/username", []string{"username", "anna", "full_name", "Ana S"}, []string{`value="anna"`, `value="Ana S"`}},
		{"/profile/email", "/profile/email", []string{"email", "new@example.org"}, []string{`value="new@example.org"`}},
		{
			"/profile/tokens", "/profile/tokens",
			[]string{"name", "Backup", "scope.me:write", "on", "days", "30"},
			[]string{`value="Backup"`, `name="scope.me:write" type="checkbox" value="on" checked`, `value="30" checked`},
		},
		{"/profile/delete", "/profile/delete", []string{"confirm", "half@typed"}, []string{`value="half@typed"`}},
		{
			"/admin/users/new", "/admin/users/new",
			[]string{"email", "cy@example.org", "username", "cy", "full_name", "Cy", "role", "admin"},
			[]string{`value="cy@example.org"`, `value="cy"`, `value="Cy"`, `value="admin" checked`},
		},
		{
			user + "/edit", user + "/edit",
			[]string{"email", "x@example.org", "username", "xx", "full_name", "X", "seen", "before"},
			[]string{`value="x@example.org"`, `value="xx"`, `value="X"`, `name="seen" value="before"`},
		},
		{user + "/disable", user + "/disable", []string{"reason", "left <the> team"}, []string{`>left <the> team</textarea>`}},
		{user + "/role", user + "/role", []string{"role", "admin", "was", "user"}, []string{`name="role" value="admin"`}},
		{user + "/delete", user + "/delete", []string{"confirm", "half@typed"}, []string{`value="half@typed"`}},
		{
			"/admin/users/bulk", "/admin/users/bulk",
			[]string{"act", "disable", "id", target.ID, "reason", "left", "list", "/admin/users?q=target"},
			[]string{`name="id" value="` + target.ID + `"`, `>left</textarea>`, `/admin/users?q=target`},
		},
		{
			"/admin/invitations/new", "/admin/invitations/new",
			[]string{"email", "i@example.org", "role", "admin", "hours", "24", "uses", "7", "note", "For the team"},
			[]string{`value="i@example.org"`, `value="admin" checked`, `value="24" checked`, `value="7"`, `>For the team</textarea>`},
		},
		{"/admin/mail/test", "/admin/mail", []string{"to", "probe@example.org"}, []string{`value="probe@example.org"`}},
	}
}

// TestDrafts checks that each form that met a session that is not fresh comes back with
// what was typed, once, and without secrets; that another session, another account and
// another page do not get it; and that it is gone after 15 minutes.
func TestDrafts(t *testing.T) {
	const sent = "This form was not sent yet. Check it and send it again."
	eachSite(t, func(t *testing.T, s *site) {
		target := s.Person("target", models.RoleUser)
		for i, test := range returningForms(target) {
			boss, _ := s.signedIn("boss"+strings.Repeat("x", i), models.RoleAdmin)
			other := s.browser()
			other.signIn("boss" + strings.Repeat("x", i))
			s.Clock.Advance(auth.ConfirmedFor)
			secret := []string{"password", "sesame-1", "new_password", "sesame-2", "code", "sesame-3", "token", "sesame-4", "client_secret", "sesame-5"}
			a := boss.post(test.path, append(secret, test.form...)...).redirects("/confirm?next=" + url.QueryEscape(test.page))
			cookie := a.setCookie("draft")
			if cookie == nil || !cookie.HttpOnly || cookie.MaxAge != 900 || strings.Contains(cookie.Value, "example") {
				t.Fatalf("%s: got cookie %v", test.path, cookie)
			}
			boss.follow(a).status(200).says("Confirm it’s you").hides("sesame")
			next := boss.post("/confirm", "next", test.page, "password", secretWord).redirects(test.page)

			other.cookies["draft"] = boss.cookies["draft"]
			other.confirm()
			other.get("/profile/email").hides(sent)
			elsewhere := boss.clone()
			elsewhere.get("/profile/name").status(200).hides(sent)
			if elsewhere.cookie("draft") == "" {
				t.Errorf("%s: another page took the form", test.path)
			}
			twin := boss.clone()
			twin.site = newSite(t, s.Store, withMail) // another process on the same database
			twin.site.Clock.Advance(s.Clock.Now().Sub(twin.site.Clock.Now()))
			if page := twin.get(test.page); page.code == 200 {
				page.says(sent).has(test.has...)
			} else {
				t.Errorf("%s: another process: got status %d", test.path, page.code)
			}
			boss.follow(next).status(200).says(sent).has(test.has...).hides("sesame")
			if boss.cookie("draft") != "" {
				t.Errorf("%s: the form is still kept", test.path)
			}
			boss.get(test.page).hides(sent)
		}
		if now := s.Reload(target); *now != *target {
			t.Errorf("the account became %+v", now)
		}
	}, withMail)
}

// TestDraftElsewhere checks that a form of another session is not shown, even on the
// right page.
func TestDraftElsewhere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, _ := s.signedIn("ana", models.RoleUser)
		s.Clock.Advance(auth.ConfirmedFor)
		ana.post("/profile/email", "email", "new@example.org").status(303)
		again, bo := s.browser(), s.browser()
		again.signIn("ana")
		s.Person("bo", models.RoleUser)
		bo.signIn("bo")
		for _, b := range []*browser{again, bo} {
			b.cookies["draft"] = ana.cookies["draft"]
			b.get("/profile/email").status(200).hides("new@example.org", "was not sent yet")
		}
		late := ana.clone()
		ana.confirm()
		s.Clock.Advance(15*time.Minute + time.Second)
		late.confirm()
		late.get("/profile/email").status(200).hides("new@example.org")
	})
}

// TestDraftTooLong checks that a form that does not fit into a cookie comes back empty
// and says so, that a hundred users fit, and that an act without fields says that it was
// not done.
func TestDraftTooLong(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		target := s.Person("target", models.RoleUser)
		page := "/admin/users/" + target.ID
		bulk := []string{"act", "disable", "reason", strings.Repeat("left the team, ", 10), "list", "/admin/users"}
		for range 99 {
			bulk = append(bulk, "id", models.NewID())
		}
		var noise strings.Builder
		for range 500 {
			noise.WriteString(models.NewID())
		}
		s.Clock.Advance(auth.ConfirmedFor)
		a := boss.post("/admin/users/bulk", append(bulk, "id", target.ID)...).redirects("/confirm?next=%2Fadmin%2Fusers%2Fbulk")
		if n := len(a.setCookie("draft").Value); n > 2800 {
			t.Errorf("the cookie has %d bytes", n)
		}
		boss.confirm()
		boss.get("/admin/users/bulk").status(200).has(`name="id" value="` + target.ID + `"`)

		s.Clock.Advance(auth.ConfirmedFor)
		boss.post(page+"/disable", "reason", noise.String()).redirects("/confirm?next=" + url.QueryEscape(page+"/disable"))
		boss.confirm()
		boss.get(page + "/disable").status(200).says("This form was not sent, and it was too long to keep. Fill it in again.").hides(noise.String())

		s.Clock.Advance(auth.ConfirmedFor)
		boss.post("/admin/users/bulk", "act", "disable", "id", target.ID, "reason", noise.String()).status(303)
		boss.confirm()
		boss.follow(boss.get("/admin/users/bulk").redirects("/admin/users")).says("it was too long to keep")

		s.Clock.Advance(auth.ConfirmedFor)
		boss.post(page + "/unlock").redirects("/confirm?next=" + url.QueryEscape(page))
		boss.confirm()
		boss.get(page).status(200).says("This was not done yet. Press the button again.")
		boss.get("/admin/users/bulk").redirects("/admin/users")
	})
}
