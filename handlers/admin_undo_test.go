package handlers_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"latchkey/models"
)

var (
	undoForm  = regexp.MustCompile(`(?s)<div class="alert flash[^>]*>\s*<svg.*?</svg>\s*<p>[^<]*</p>\s*<form method="post" action="([^"]+)"[^>]*>(.*?)</form>`)
	undoField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// undo presses the button in the message of a page.
func (b *browser) undo(a *answer) *answer {
	b.site.T.Helper()
	form := undoForm.FindStringSubmatch(a.body)
	if form == nil {
		b.site.T.Fatalf("%s: the message has no button:\n%s", a.asked, a.text())
	}
	var pairs []string
	for _, field := range undoField.FindAllStringSubmatch(form[2], -1) {
		pairs = append(pairs, field[1], html.UnescapeString(field[2]))
	}
	return b.follow(b.post(html.UnescapeString(form[1]), pairs...))
}

// TestUndo undoes each action, and then undoes the undo.
func TestUndo(t *testing.T) {
	const reason = `left, "for good" & ever <b>`
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		page := "/admin/users/" + user.ID

		disabled := boss.follow(boss.post(page+"/disable", "reason", reason)).says("ana is disabled.", "Undo disabling ana")
		enabled := boss.undo(disabled).says("ana is enabled and can sign in again.", "Undo enabling ana")
		if s.Reload(user).Disabled() {
			t.Error("disabling was not undone")
		}
		again := boss.undo(enabled).says("ana is disabled.")
		if after := s.Reload(user); !after.Disabled() || after.DisabledReason != reason {
			t.Errorf("got %+v, want it disabled with the reason from before", after)
		}
		boss.undo(again)

		admin := boss.follow(boss.post(page+"/role", "role", "admin", "was", "user")).says("ana is now an admin.", "Undo changing the role of ana")
		back := boss.undo(admin).says("ana is now a user.", "Undo changing the role of ana")
		if got := s.Reload(user).Role; got != models.RoleUser {
			t.Errorf("got role %s, want user", got)
		}
		boss.undo(back).says("ana is now an admin.")
	})
}

// TestUndoLate presses Undo after another admin has changed the account. It also
// checks that an action that changed nothing offers no Undo.
func TestUndoLate(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		page := "/admin/users/" + s.Person("ana", models.RoleUser).ID
		admin := boss.follow(boss.post(page+"/role", "role", "admin", "was", "user"))
		boss.post(page+"/role", "role", "user", "was", "admin").redirects(page)
		boss.undo(admin).says("This account has changed since you opened it. This page shows its current state.").hides(">Undo")
		same := boss.follow(boss.post(page+"/role", "role", "user", "was", "user")).says("ana is now a user.")
		if undoForm.MatchString(same.body) {
			t.Error("an action that changed nothing offers Undo")
		}
	})
}

// TestUndoLongReason checks that Undo restores the start of the longest reason,
// which does not fit into the message.
func TestUndoLongReason(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		reason := strings.Repeat("é", 500)
		boss.post("/admin/users/"+user.ID+"/disable", "reason", reason).redirects("/admin/users/" + user.ID)
		enabled := boss.follow(boss.post("/admin/users/" + user.ID + "/enable"))
		boss.undo(enabled).says("ana is disabled.")
		if got := s.Reload(user).DisabledReason; got == "" || !strings.HasPrefix(reason, got) {
			t.Errorf("got reason %q, want the start of the one from before", url.QueryEscape(got))
		}
	})
}
