package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// Pages on which every name is as long as possible and a single word, which
// browsers do not wrap by default.

var (
	longName   = strings.Repeat("W", 64) // of a person, an access token or an API client
	longSearch = strings.Repeat("w", 190)
	longReason = strings.Repeat("Donaudampfschifffahrtsgesellschaft", 14)
	longEmail  = "a@" + strings.Repeat(strings.Repeat("mail", 12)+".", 5) + "example"
)

// longWorded starts a portal with a long brand name and support address, and with
// two accounts with long names: boss, an admin, and ana, an ordinary user.
func longWorded(t *testing.T) (p *portal, boss, ana account) {
	t.Helper()
	p = startPortal(t, "LATCHKEY_BRAND_NAME="+strings.Repeat("M", 40), "LATCHKEY_SUPPORT_EMAIL="+longEmail)
	boss = p.admin(account{username: strings.Repeat("w", 32), email: longEmail, name: longName, password: "seven calm herons wade"})
	ana = p.signUp(account{username: "ana" + strings.Repeat("w", 29), email: "b" + longEmail[1:], name: longName, password: boss.password})
	return p, boss, ana
}

func TestLongWordsSignedOut(t *testing.T) {
	t.Parallel()
	p, _, ana := longWorded(t)
	b := open(t, p, true)
	b.visit("/forgot")
	b.wantFaults(`* { white-space: nowrap !important }`, b.overhanging)
	b.wantRoom("forgot")
	for _, page := range []string{"login", "signup", "reset", "no-such-page"} {
		b.visit("/" + page)
		b.wantRoom(page + " signed out")
	}
	b.visit(p.resetLink(ana.username))
	b.see("New password")
	b.wantRoom("reset")

	b.signIn(ana.username, ana.password)
	b.wantStatus(b.visit("/admin"), 403)
	b.see(ana.email)
	b.wantRoom("error 403")
	p.command("user", "disable", ana.username)
	b.visit("/profile")
	b.see("This account is disabled. Contact " + longEmail)
	b.wantRoom("login disabled")
}

func TestLongWordsAccount(t *testing.T) {
	t.Parallel()
	p, _, ana := longWorded(t)
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.wantRoom("profile")
	for _, page := range []string{"profile/name", "profile/theme", "profile/password", "profile/email", "profile/security", "profile/security/app", "logout", "no-such-page"} {
		b.visit("/" + page)
		b.wantRoom(page)
	}
	b.visit("/profile/tokens")
	b.wantStatus(b.createToken(longName), 200)
	b.wantRoom("token created")
	b.press("I have copied it")
	b.wantRoom("tokens")
	b.question("Remove " + longName)
	b.wantRoom("token end dialog")
	b.press("Remove token")
	b.see("The access token “"+longName+"” is removed.", "No longer working")
	b.wantRoom("token ended")
	p.tokens(ana, longName, "me")
	b.visit("/profile/sessions")
	b.see("API · " + longName)
	b.wantRoom("sessions")
	b.press("Sign out API")
	b.see("Signed out of API · "+longName, "Recently signed out")
	b.wantRoom("session ended")
}

func TestLongWordsAdmin(t *testing.T) {
	t.Parallel()
	p, boss, ana := longWorded(t)
	p.tokens(ana, longName, "me")
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	for _, page := range []string{"admin", "admin/users", "admin/users/new", "admin/settings"} {
		b.wantStatus(b.visit("/"+page), 200)
		b.wantRoom(page)
	}
	b.visit("/admin/users?status=active&q=" + longSearch)
	b.see("No users match")
	b.wantRoom("users no match")

	b.visit("/admin/users?q=" + ana.username)
	b.wantRoom("users search")
	b.press(longName)
	user := b.at()
	b.wantRoom("user")
	b.question("Disable")
	b.wantRoom("user disable dialog")
	for _, act := range []string{"disable", "sign-out", "role", "reset-link", "delete"} {
		b.wantStatus(b.visit(user+"/"+act), 200)
		b.wantRoom("user " + act)
	}
	b.wantStatus(b.press("Delete "+longName), 422)
	b.wantRoom("user delete wrong")
	b.visit(user + "/reset-link")
	b.press("Create reset link")
	b.wantRoom("link")
	b.visit(user + "/disable")
	b.fill("Reason", longReason)
	b.wantStatus(b.press("Disable "+longName), 200)
	b.see(longName+" is disabled.", longReason)
	b.wantRoom("user disabled")
	b.visit("/admin/audit")
	b.see(longReason)
	b.openLine()
	b.wantRoom("audit")
}

// wantRoom fails unless the page fits on a narrow phone, on a screen that is just
// wide enough for an admin's navigation, and on a wide screen: the page does not
// scroll sideways, and no text is cut off or overflows its container. name is
// the state of the page.
func (b *tab) wantRoom(name string) {
	b.Helper()
	for _, width := range []int64{320, 880, 1280} {
		b.screen(width, 800, false)
		if got := ask[int64](b, `document.scrollingElement.scrollWidth`); got > width {
			b.Errorf("%s: the page is %d wide on a screen of %d: %s", name, got, width, b.tooWide())
		}
		for _, fault := range append(b.clipped(), b.overhanging()...) {
			b.Errorf("%s: text does not fit on a screen of %d: %s", name, width, fault)
		}
		b.picture(fmt.Sprintf("long %s %d", name, width))
	}
}

// overhanging returns the texts that overflow their container, such as a button or
// a card. If a dialog is open, it checks only the dialog.
func (b *tab) overhanging() []string {
	b.Helper()
	return ask[[]string](b, `(() => {
		const grounds = "a, button, summary, dialog, header, main, footer, .alert, .badge, .door, .code, .empty, .item, .log, .tablewrap";
		const faults = [];
		const range = document.createRange();
		const walk = document.createTreeWalker(document.querySelector("dialog[open]") ?? document.body, NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) {
			const e = walk.currentNode.parentElement;
			if (!walk.currentNode.data.trim() || e.closest(".vh, .skip, option") || !e.checkVisibility({ visibilityProperty: true })) continue;
			range.selectNodeContents(walk.currentNode);
			const text = range.getBoundingClientRect();
			for (let on = e.closest(grounds); on; on = on.matches("dialog") ? null : on.parentElement.closest(grounds)) {
				const box = on.getBoundingClientRect();
				if (text.left >= box.left - 1 && text.right <= box.right + 1) continue;
				faults.push(Math.round(text.width) + " in " + Math.round(box.width) + " of " + on.localName + " " + on.className + ": " + e.outerHTML.slice(0, 90));
				break;
			}
		}
		return faults;
	})()`)
}
