package e2e

import (
	"strings"
	"testing"
)

// TestLeavePages checks the pages of invitations, of one's own data and of deleted
// accounts.
func TestLeavePages(t *testing.T) {
	t.Parallel()
	p := startPortal(t, "LATCHKEY_SIGNUP=invite")
	admin := p.admin(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.visit("/signup")
	b.inspect("signup by invitation")
	b.visit("/login")
	b.inspect("login by invitation")
	b.wantStatus(b.visit("/signup?invite=x"), 410)
	b.inspect("invitation broken")
	b.signIn(admin.username, admin.password)
	b.visit("/admin/invitations")
	b.inspect("invitations empty")
	b.visit("/admin/invitations/new")
	b.inspect("invite")
	b.fill("Email", "not an address")
	b.wantStatus(b.press("Create invitation"), 422)
	b.inspect("invite wrong")
	b.fill("Email", "bo@example.org")
	b.wantStatus(b.press("Create invitation"), 200)
	link := b.invitationLink()
	b.inspect("invitation link")
	b.visit("/admin/invitations")
	b.inspect("invitations")
	b.visit("/profile/export")
	b.inspect("export")
	b.visit("/profile/delete")
	b.inspect("delete account of the last admin")
	b.visit("/admin/users?status=deleted")
	b.inspect("deleted users none")

	guest := open(t, p, true)
	guest.visit(link)
	guest.inspect("invited")
	guest.wantStatus(guest.press("Create account"), 422)
	guest.inspect("invited wrong")
	guest.fill("Username", "bo")
	guest.fill("Password", admin.password)
	guest.press("Create account")
	guest.visit("/profile/delete")
	guest.inspect("delete account")
	guest.wantStatus(guest.press("Delete my account"), 422)
	guest.inspect("delete account wrong")
	b.visit("/profile")
	b.findUser("bo", "bo")
	page := b.at()
	b.visit(page + "/delete")
	b.fill("Type bo@example.org to confirm", "bo@example.org")
	b.press("Delete bo")
	b.inspect("users, one deleted")
	b.visit("/admin/users?status=deleted")
	b.inspect("deleted users")
	b.visit(page)
	b.inspect("deleted user")
}

// invitationLink returns the path of the invitation on the page.
func (b *tab) invitationLink() string {
	b.Helper()
	return strings.TrimPrefix(ask[string](b, `document.getElementById("invitation-link").textContent`), b.portal.url)
}

// TestInvite invites someone by mail, who creates their account and deletes it again.
func TestInvite(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, script, "LATCHKEY_SIGNUP=invite")
		admin := p.admin(newAccount("ana", "Ana Silva"))
		boss := open(t, p, script)
		boss.signIn(admin.username, admin.password)
		boss.visit("/admin/invitations")
		boss.see("No invitations yet.")
		boss.press("Invite someone")
		boss.fill("Email", "not an address")
		boss.wantStatus(boss.press("Create invitation"), 422)
		boss.fill("Email", "bo@example.org")
		boss.wantStatus(boss.press("Create invitation"), 200)
		boss.see("Invitation created", "bo@example.org", "You will not see it again.")
		link := boss.invitationLink()
		boss.reload()
		boss.see("The link of an invitation is shown only once.")

		guest := open(t, p, script)
		guest.visit("/signup")
		guest.see("You need an invitation")
		guest.visit("/login")
		guest.see("Accounts are by invitation")
		mailed := mails.link(mails.wait("bo@example.org", "You are invited"), p, "/signup")
		p.scan(mailed)
		guest.visit(mailed)
		guest.see("You are invited. Choose a password to create your account.")
		if got := guest.value("Email"); got != "bo@example.org" {
			t.Errorf("got the address %q, want that of the invitation", got)
		}
		guest.wantStatus(guest.press("Create account"), 422)
		guest.fill("Username", "bo")
		guest.fill("Password", admin.password)
		guest.wantStatus(guest.press("Create account"), 200)
		guest.wantAt("/profile")
		guest.see("Your account is ready.")

		other := open(t, p, script)
		other.wantStatus(other.visit(link), 410)
		other.see("This invitation has been used")

		guest.press("Your data")
		guest.wantAt("/profile/export")
		guest.visit("/profile/delete")
		guest.wantStatus(guest.press("Delete my account"), 422)
		guest.fill("Type bo@example.org to confirm", "bo@example.org")
		guest.press("Delete my account")
		guest.wantAt("/login")
		guest.see("Your account is deleted.")
		mails.wait("bo@example.org", "Your Latchkey account is deleted")
	})
}

// TestRestore deletes an account in the panel and restores it from its page.
func TestRestore(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, !script, "LATCHKEY_VERIFY_EMAIL=off")
		admin := p.admin(newAccount("ana", "Ana Silva"))
		bo := p.signUp(newAccount("bo", "Bo Chen"))
		b := open(t, p, script)
		b.signIn(admin.username, admin.password)
		b.findUser("bo", "Bo Chen")
		page := b.at()
		b.visit(page + "/delete")
		b.fill("Type "+bo.email+" to confirm", bo.email)
		b.press("Delete Bo Chen")
		b.see("The account of Bo Chen is deleted.", "It can be restored until")
		mails.wait(bo.email, "Your Latchkey account was deleted")
		b.visit("/admin/users?status=deleted")
		b.see("Open a deleted account to restore it.")
		b.press("Bo Chen")
		b.wantAt(page)
		b.press("Restore")
		b.see("The account of Bo Chen is restored.")
		b.visit("/admin/users?status=deleted")
		b.see("No users with status Deleted.")

		mails.wait(bo.email, "Your account was restored")
		again := open(t, p, script)
		again.signIn(bo.username, bo.password)
	})
}
