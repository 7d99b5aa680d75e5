package handlers_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

func mailAndSupport(o *portaltest.Options) { o.Mail, o.SupportEmail = true, "help@example.org" }

// TestDeleteOwnAccount walks from the account page to the goodbye, and checks that no
// cookie of the person works any more, in another process either.
func TestDeleteOwnAccount(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		elsewhere := s.browser()
		elsewhere.signIn("ana")
		twin := elsewhere.clone()
		twin.site = newSite(t, s.Store, mailAndSupport) // a second process on the same database
		twin.get("/profile").status(200)

		b.get("/profile").status(200).has(`href="/profile/export"`, `href="/profile/delete"`)
		b.get("/profile/delete").status(200).says(
			"Delete your account?", "download your data", "You cannot undo this.", "under a made-up name instead of yours",
			"We will send one last message to ana@example.org.", "Type ana@example.org to confirm").hides("Current password")
		a := b.post("/profile/delete", "confirm", "bo@example.org", "current_password", secretWord).status(422).
			says("There is a problem", "To delete the account, type its email address.").hides(secretWord)
		checkKept(t, a, map[string]string{"confirm": "bo@example.org"})
		b.post("/profile/delete", "confirm", "ana@example.org", "current_password", "wrong").status(422).says("The current password is not correct.")
		a = b.post("/profile/delete", "confirm", "ana@example.org", "current_password", secretWord).redirects("/login").takesTokens()
		b.follow(a).status(200).says("Your account is deleted.")
		for _, old := range []*browser{elsewhere, twin} {
			old.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		}
		s.browser().post("/login", "username", "ana", "password", secretWord).status(422).says("Email, username or password is not correct.")
		s.Deliver(t)
		letters := s.Mailbox.To("ana@example.org")
		if len(letters) != 1 || !strings.Contains(letters[0].Text, "You deleted your account.") {
			t.Errorf("letters: %+v, want one goodbye", letters)
		}

		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/users/" + user.ID).status(404)
		boss.post("/admin/users/" + user.ID + "/restore").status(404)
		boss.get("/admin/users?status=deleted").status(200).says("No users with status Deleted. Deleted accounts are listed here for 30 days.")
		boss.get("/admin/audit").says("(deleted) deleted their own account").hides("ana ", "ana@")
	}, mailAndSupport)
}

// TestDeleteOwnLastAdmin checks that the last active admin reads what to do instead
// of a form.
func TestDeleteOwnLastAdmin(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/profile/delete").status(200).says("You are the last active admin").hides("current_password", "last message")
		boss.post("/profile/delete", "confirm", "bo@example.org", "current_password", secretWord).status(409).
			says("You are the last active admin. Make someone else an admin first.")
		boss.get("/profile").status(200)
		s.Person("cy", models.RoleAdmin)
		boss.get("/profile/delete").status(200).has(`name="confirm"`)
		boss.post("/profile/delete", "confirm", "BO@example.org", "current_password", secretWord).redirects("/login")
	})
}

// TestDeleteOwnWithoutEmail checks that a person without an address types their
// username.
func TestDeleteOwnWithoutEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		user.Email, user.EmailFolded = "", " "+user.ID
		if err := s.Store.Users.SetNames(t.Context(), user, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		b.signIn("ana")
		b.get("/profile/delete").says("Type ana to confirm").hides("last message")
		b.post("/profile/delete", "confirm", "", "current_password", secretWord).status(422).says("To delete the account, type its username.")
		b.post("/profile/delete", "confirm", "Ana", "current_password", secretWord).redirects("/login")
	}, mailAndSupport)
}

// TestRestorePages walks from the delete of an admin through the list of deleted users
// to the restored account.
func TestRestorePages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		if err := s.rename(user, "Ana Šilva"); err != nil {
			t.Fatal(err)
		}
		admin := s.Person("cy", models.RoleAdmin)
		page := "/admin/users/" + user.ID
		boss.get("/admin/users").has(`<option value="deleted">Deleted</option>`)
		boss.post(page+"/delete", "confirm", "ana@example.org").redirects("/admin/users")
		boss.post("/admin/users/"+admin.ID+"/delete", "confirm", "cy@example.org").redirects("/admin/users")
		boss.get("/admin/users").hides("Ana Šilva</bdi>", "cy@example.org")
		b.get("/profile").redirects("/login?next=%2Fprofile")

		list := boss.get("/admin/users?status=deleted").status(200)
		list.says("Ana Šilva ana@example.org", "cy cy@example.org", "Erased on", "22 Dec 2026", "Status: Deleted").hides("Download CSV", "Disable selected")
		boss.get("/admin/users?status=deleted&q=silva").says("Ana Šilva").hides("cy@example.org")
		boss.get("/admin/users?status=deleted&q=" + user.ID).says("Ana Šilva").hides("cy@example.org")
		boss.get("/admin/users?status=deleted&role=admin").says("cy@example.org").hides("ana@example.org")
		boss.get("/admin/users?status=deleted&q=nobody").status(200).says("No users match “nobody” with status Deleted.", "Clear filters")
		boss.get("/admin/users?status=deleted&q=...").status(200).says("No users match")
		boss.get("/admin/users?status=deleted&role=owner").status(400)
		boss.get("/admin/users?status=deleted&after=x").status(400)
		boss.get("/admin/users.csv?status=deleted").status(400)

		boss.get(page).status(200).says("Ana Šilva", "Deleted", "Can be restored until 22 Dec 2026, 12:00 UTC", "Restore", "bo deleted the account of ana").
			hides(page+"/disable", page+"/edit")
		boss.get(page + "/edit").status(404)
		s.browser().post("/login", "username", "ana", "password", secretWord).status(422).says("Email, username or password is not correct.")

		b.post(page + "/restore").redirects("/login?next=" + strings.ReplaceAll(page, "/", "%2F"))
		other, _ := s.signedIn("eve", models.RoleUser)
		other.post(page + "/restore").status(403)
		boss.post(page + "/restore").redirects(page)
		boss.get(page).status(200).says("The account of Ana Šilva is restored.", "Active", "bo restored the account of Ana Šilva")
		boss.post(page + "/restore").redirects(page) // by another admin meanwhile
		boss.get(page).says("This account has changed since you opened it.")
		b.get("/profile").redirects("/login?next=%2Fprofile")
		s.browser().signIn("ana")
		boss.get("/admin/users?status=deleted").hides("ana@example.org")

		boss.post(page+"/delete", "confirm", "ana@example.org").redirects("/admin/users")
		s.browser().post("/signup", "username", "ana2", "email", "ana@example.org", "password", secretWord).redirects("/profile")
		boss.post(page+"/restore").status(409).says("Another account has the email address ana@example.org now.", "Go back")
		boss.get(page).status(200).says("Can be restored until")
	}, mailAndSupport)
}

// TestErasedPages checks that a deleted account is gone from every page after its
// time.
func TestErasedPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		if _, _, err := s.Accounts.Delete(t.Context(), auth.Shell(), user.ID, user.Email); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(account.RestoreTime)
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		gone := func(when string) {
			t.Helper()
			boss.get("/admin/users?status=deleted").hides("ana@example.org")
			boss.get("/admin/users/" + user.ID).status(404)
			boss.post("/admin/users/" + user.ID + "/restore").status(404)
		}
		gone("before it is erased")
		if n, err := s.Accounts.EraseDeleted(t.Context()); n != 1 || err != nil {
			t.Errorf("erased %d (%v), want 1", n, err)
		}
		gone("after it is erased")
		boss.get("/admin/audit").says("System erased the account of deleted-").hides("of ana")
	})
}

// TestDeletedPages checks that a long list of deleted users has pages.
func TestDeletedPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for i := range 27 {
			user := s.Person("user"+string(rune('a'+i%26))+string(rune('a'+i/26)), models.RoleUser)
			s.Clock.Advance(time.Second)
			if _, _, err := s.Accounts.Delete(t.Context(), auth.Shell(), user.ID, user.Email); err != nil {
				t.Fatal(err)
			}
		}
		first := boss.get("/admin/users?status=deleted").status(200).says("userab@", "Next").hides("useraa@", "userba@", "Previous")
		link := first.body[strings.Index(first.body, "/admin/users?after="):]
		second := boss.get(strings.ReplaceAll(link[:strings.Index(link, `"`)], "&amp;", "&")).status(200).says("useraa@", "userba@", "Previous").hides("userab@")
		if !strings.Contains(second.body, "status=deleted") {
			t.Error("the links between the pages lose the filter")
		}
	})
}
