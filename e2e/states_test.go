package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The states of pages that come about when something is refused or gone, each
// held against what inspect asks for.

// TestRefusedPages looks at what limits do: to the page about somebody whose
// sign-in is paused, and to an admin in a hurry.
func TestRefusedPages(t *testing.T) {
	t.Parallel()
	p := startPortal(t, "LATCHKEY_LIMITS=on")
	boss := p.admin(newAccount("boss", "The Boss"))
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	stranger := newVisitor(t)
	for range 7 {
		p.post(stranger, "/login", "", url.Values{"username": {ana.username}, "password": {"not the password"}})
	}
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.findUser("ana", "Ana Silva")
	b.see("Sign-in paused", "Until ")
	b.inspect("user paused")
	page := b.at()
	b.press("Clear sign-in limits")
	b.see("are cleared.")
	b.inspect("user limits cleared")

	hurried := newVisitor(t)
	p.post(hurried, "/login", "/profile", url.Values{"username": {boss.username}, "password": {boss.password}})
	for range 60 {
		p.post(hurried, page+"/unlock", "", nil)
	}
	b.visit(page + "/sign-out")
	b.wantStatus(b.press("Sign out Ana Silva"), 429)
	b.see("Please wait a moment", "You made many changes in a short time.", "Try again")
	b.inspect("error 429")
}

// TestErrorPages looks at what cannot be reached by clicking about.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)

	_, link, _ := strings.Cut(p.command("user", "reset-link", "ana"), p.url)
	link = strings.Fields(link)[0]
	b.visit(link)
	b.fill("New password", "twelve wise owls read")
	b.press("Save new password")
	b.visit(link)
	b.see("This link was already used")
	b.inspect("reset used")
	b.wantStatus(b.visit("/continue?rd=https://elsewhere.example/"), 400)
	b.inspect("error 400 continue")

	b.signIn(ana.username, "twelve wise owls read")
	ask[bool](b, `(() => {`+finders+`
		const e = field("Full name");
		e.removeAttribute("maxlength");
		e.value = "x".repeat(70000);
		return true;
	})()`)
	b.wantStatus(b.press("Save changes"), 413)
	b.see("What was sent is too large.")
	b.inspect("error 413")

	admin := open(t, p, true)
	admin.signIn(boss.username, boss.password)
	admin.wantStatus(admin.visit("/admin/users/nobody"), 404)
	admin.inspect("error 404 admin")
	admin.findUser("ana", "Ana Silva")
	page := admin.at()
	p.command("user", "disable", "ana")
	admin.visit(page + "/disable") // from a page that is out of date
	admin.wantAt(page)
	admin.see("This account changed since you opened it. Here is the new state.")
	admin.inspect("user changed meanwhile")
}

// TestForwardAuthPages looks at the pages between the portal and an app.
func TestForwardAuthPages(t *testing.T) {
	t.Parallel()
	p, app := startProtected(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.wantStatus(b.visit("/continue?cut=1&rd="+url.QueryEscape(app+"/")), 200)
	b.see("You are signed in", "too long to be kept")
	b.inspect("continue cut")
	b.wantStatus(b.visit("/continue?after=sign-in&rd="+url.QueryEscape(app+"/download")), 200)
	b.see("You are signed in", "Continue to ")
	b.inspect("continue")

	b.wantStatus(b.visitAt(app+"/admin"), 403)
	b.see("You cannot open this page", "This account may not open this page.")
	b.inspect("forward-auth 403")

	b.watch.mute(true)
	var status int
	for range 6 { // as often as a browser would that does not get there
		if status = b.visit("/continue?rd=" + url.QueryEscape(app+"/")); status != http.StatusOK {
			break
		}
	}
	b.wantStatus(status, http.StatusLoopDetected)
	b.see("Your sign-in does not arrive")
	b.inspect("continue loop")
}
