package e2e

import (
	"net/url"
	"testing"
)

// age makes every session 16 minutes older than it is, as far as the last confirmation
// goes: the database keeps the instant, in microseconds.
func (p *portal) age() {
	p.t.Helper()
	p.execute("UPDATE sessions SET auth_time = auth_time - 960000000")
}

// confirm confirms with the password on the page that asks, first with a wrong one.
func (b *tab) confirm(a account, act string) {
	b.Helper()
	b.see("Confirm it’s you", "You are about to "+act+".", "We will not ask again for 15 minutes.")
	if got := b.value("Account"); got != a.email {
		b.Errorf("got the account %q, want %q", got, a.email)
	}
	b.fill("Password", "not my password")
	b.wantStatus(b.press("Continue"), 422)
	b.see("The password is not correct.")
	b.fill("Password", a.password)
	b.wantStatus(b.press("Continue"), 200)
}

// TestConfirmReturnsForm leaves forms half filled for so long that the portal asks who
// is there, from a page and from a dialog: they come back with what was typed, and are
// carried out when they are sent again.
func TestConfirmReturnsForm(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, _, _ := adminAndUser(t, script)
		admin := newAccount("ana", "Ana Silva")
		p := ana.portal
		ana.findUser("bo", "Bo Chen")
		user := ana.at()
		ana.question("Disable")
		ana.fill("Reason", "left <the> team")
		p.age()
		ana.press("Disable Bo Chen")
		ana.wantAt("/confirm?next=" + url.QueryEscape(user+"/disable"))
		ana.confirm(admin, "disable an account")
		ana.wantAt(user + "/disable")
		ana.see("This form was not sent yet. Check it and send it again.")
		look(ana, script, "form came back")
		if got := ana.value("Reason"); got != "left <the> team" {
			t.Errorf("got the reason %q", got)
		}
		ana.wantStatus(ana.press("Disable Bo Chen"), 200)
		ana.wantAt(user)
		ana.see("Bo Chen is disabled.")

		p.age()
		ana.press("Undo")
		ana.wantAt("/confirm?next=" + url.QueryEscape(user))
		ana.confirm(admin, "change another person’s account")
		ana.see("This was not done yet. Press the button again.")
		ana.press("Enable")
		ana.see("Bo Chen is enabled")

		p.age()
		ana.press("Your account")
		ana.press("Username")
		ana.confirm(admin, "change your username")
		ana.wantAt("/profile/username")
		ana.fill("New username", "anna")
		p.age()
		ana.press("Save new username")
		ana.confirm(admin, "change your username")
		ana.wantAt("/profile/username")
		if got := ana.value("New username"); got != "anna" {
			t.Errorf("got the username %q", got)
		}
		ana.wantStatus(ana.press("Save new username"), 200)
		ana.wantAt("/profile")
		ana.see("Your changes are saved.")

		ana.visit("/profile/tokens")
		p.age()
		ana.createToken("Nightly backup")
		ana.confirm(admin, "create an access token")
		ana.wantAt("/profile/tokens")
		if got := ana.value("Name"); got != "Nightly backup" {
			t.Errorf("got the name %q", got)
		}
		ana.press("Create token")
		ana.see("Token created", "Nightly backup")
	})
}
