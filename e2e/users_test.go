package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestUserSearchTabStops checks that, after a search, at most three Tab stops lead
// from the skip link to the first result. With script the focus is already on the
// result line.
func TestUserSearchTabStops(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		boss := p.admin(newAccount("boss", "The Boss"))
		p.people(12)
		b := open(t, p, script)
		b.signIn(boss.username, boss.password)
		b.visit("/admin/users")
		if got := b.focused(); got != "nothing" {
			t.Errorf("the focus on the whole list is on %q", got)
		}
		b.fill("Search by username, email or name", "person")
		b.wantStatus(b.enter(), 200)
		b.see("12 of 12 users")
		if script {
			b.wantFocus("#results")
			b.wantVisibleFocus("the result line")
			b.wantStops("the result line", "Noor Haddad", 3)
		}
		ask[chromedp.Void](b, `document.querySelector(".skip").focus(); undefined`)
		b.wantFocus("Skip to the results")
		b.key(enterKey)
		b.wantStops("the skip link", "Noor Haddad", 3)

		// Another page of the results is not a new search, so the skip link leads to
		// the main content.
		b.visit("/admin/users?limit=25")
		if got, want := ask[string](b, `document.querySelector(".skip").textContent`), "Skip to main content"; got != want {
			t.Errorf("got the skip link %q on the whole list, want %q", got, want)
		}
		b.visit("/admin/users?status=disabled")
		b.see("No users with status Disabled.")
		if script {
			b.until("the focus to be on the message", `document.activeElement.matches("[role=status]")`)
		}
	})
}

// wantStops presses Tab until the focus is on a control and fails if that takes
// more than most stops.
func (b *tab) wantStops(from, to string, most int) {
	b.Helper()
	var way []string
	for len(way) < most {
		b.key(tabKey)
		way = append(way, b.focused())
		if way[len(way)-1] == to {
			return
		}
	}
	b.Errorf("%s: %d Tab stops from %s lead to %q, not to %q", b.at(), most, from, way, to)
}

// TestSlash checks that the key / moves the focus to the search, and that this can
// be turned off.
func TestSlash(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.visit("/admin/users?q=the")
	b.wantFocus("#results")
	slash := key{name: "/", code: "Slash", number: 191, text: "/"}
	wantTold := func(want bool) {
		t.Helper()
		if got := ask[bool](b, `document.getElementById("q").getAttribute("aria-keyshortcuts") === "/"`); got != want {
			t.Errorf("a screen reader is told of the shortcut: %t, want %t", got, want)
		}
	}
	wantTold(true)
	const search, off = "Search by username, email or name", "The key / goes to the search"
	b.key(slash)
	b.wantFocus(search)
	if got := b.value(search); got != "the" {
		t.Errorf("got %q in the field, want the text from before", got)
	}
	b.key(slash) // in the field it is a character, which replaces the selected text
	if got := b.value(search); got != "/" {
		t.Errorf("got %q in the field, want a typed /", got)
	}
	b.tabTo("Filter")
	b.key(slash, chromedp.ModifierCtrl)
	b.wantFocus("Filter")
	b.key(slash)
	b.wantFocus(search)

	b.click("Filter")
	b.tick(off)
	b.key(slash)
	b.wantFocus(off)
	b.reload()
	b.wantFocus("#results")
	b.key(slash)
	b.wantFocus("#results")
	wantTold(false)
	b.click("Filter")
	b.tick(off)
	b.key(slash)
	b.wantFocus(search)
}

// TestBulk selects people in the list, checks that one confirmation names them, and
// that it leads back to the list.
func TestBulk(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, bo, _ := adminAndUser(t, script)
		p := ana.portal
		p.signUp(newAccount("cleo", "Cleo Park"))
		p.signUp(newAccount("dario", "Dario Bonetti"))
		list := "/admin/users?role=user"
		ana.visit(list)
		bar := `document.querySelector(".selected").checkVisibility()`
		if got := ask[bool](ana, bar); got == script {
			t.Errorf("with no one selected the actions are shown: %t, with script: %t", got, script)
		}
		if !script {
			ana.wantStatus(ana.press("Disable selected"), 422)
			ana.see("There is a problem", "Select at least one user.", "3 of 3 users", "Role: User")
		}
		ana.tick("Select Bo Chen")
		ana.tick("Select Cleo Park")
		if !ask[bool](ana, bar) {
			t.Error("with two people selected the actions are not shown")
		}
		ana.wantStatus(ana.press("Disable selected"), 200)
		ana.see("Disable 2 users?", "Bo Chen", "Cleo Park")
		ana.wantNot("Dario")
		ana.wantFocus("Cancel")
		ana.press("Cancel")
		ana.wantAt(list)
		bo.wantStatus(bo.visit("/profile"), 200)

		ana.tick("Select Cleo Park")
		ana.tick("Select Bo Chen")
		ana.press("Disable selected")
		ana.fill("Reason", "The project is over.")
		ana.wantStatus(ana.press("Disable 2 users"), 200)
		ana.wantAt(list)
		ana.see("2 users are disabled. Their sessions and tokens have stopped working.")
		if script {
			ana.wantFocus("#alert flash ok")
		}
		bo.press("Devices")
		bo.see("This account is disabled.")

		ana.tick("Select Bo Chen")
		ana.tick("Select Dario Bonetti")
		ana.press("Disable selected")
		ana.see("Disable 1 user?", "Left out: Bo Chen (already disabled).")
		ana.wantStatus(ana.press("Disable 1 user"), 200)
		ana.see("1 user is disabled.")
	})
}
