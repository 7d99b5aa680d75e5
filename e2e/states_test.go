package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The tests that run inspect on pages after a refusal, an expiry or a failure.

// TestLimitPages inspects the pages that limits cause: the page of a user whose
// sign-in is paused, and the refusal for an admin who makes too many changes.
func TestLimitPages(t *testing.T) {
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
	b.see("Please wait a moment", "You made too many changes in a short time.", "Try again")
	b.inspect("error 429")
}

// TestErrorPages inspects error pages that no link leads to.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)

	link := p.resetLink("ana")
	b.visit(link)
	b.fill("New password", "twelve wise owls read")
	b.press("Save new password")
	b.visit(link)
	b.see("This link has already been used")
	b.inspect("reset used")
	b.wantStatus(b.visit("/continue?rd=https://elsewhere.example/"), 400)
	b.inspect("error 400 continue")

	b.signIn(ana.username, "twelve wise owls read")
	b.visit("/profile/name")
	ask[bool](b, `(() => {`+finders+`
		const e = field("Full name");
		e.removeAttribute("maxlength");
		e.value = "x".repeat(70000);
		return true;
	})()`)
	b.wantStatus(b.press("Save name"), 413)
	b.see("The form is larger than the limit of 64 KB.")
	b.inspect("error 413")

	admin := open(t, p, true)
	admin.signIn(boss.username, boss.password)
	admin.wantStatus(admin.visit("/admin/users/nobody"), 404)
	admin.inspect("error 404 admin")
	admin.findUser("ana", "Ana Silva")
	page := admin.at()
	p.command("user", "disable", "ana")
	admin.visit(page + "/disable") // from a page that is now out of date
	admin.wantAt(page)
	admin.see("This account has changed since you opened it. This page shows its current state.")
	admin.inspect("user changed meanwhile")
}

// TestForwardAuthPages inspects the pages between the portal and an app.
func TestForwardAuthPages(t *testing.T) {
	t.Parallel()
	p, app := startProtected(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.wantStatus(b.visit("/continue?cut=1&rd="+url.QueryEscape(app+"/")), 200)
	b.see("You are signed in", "too long to remember")
	b.inspect("continue cut")
	b.wantStatus(b.visit("/continue?after=sign-in&rd="+url.QueryEscape(app+"/download")), 200)
	b.see("You are signed in", "Continue to ")
	b.inspect("continue")

	b.wantStatus(b.visitAt(app+"/admin"), 403)
	b.see("You cannot open this page", "This account has no access to this page of Photos.")
	b.inspect("forward-auth 403")

	b.watch.mute(true)
	var status int
	for range 6 { // as a browser does when the app never receives its sign-in
		if status = b.visit("/continue?rd=" + url.QueryEscape(app+"/")); status != http.StatusOK {
			break
		}
	}
	b.wantStatus(status, http.StatusLoopDetected)
	b.see("Your sign-in does not reach this app")
	b.inspect("continue loop")
}

// TestExpiredLinks inspects the pages of links that have expired. The test moves
// their times in the database.
func TestExpiredLinks(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	p.signUp(newAccount("ana", "Ana Silva"))
	reset := p.resetLink("ana")
	b := open(t, p, true)
	b.wantStatus(b.visit(reset), 200)
	b.fill("New password", "twelve wise owls read")
	p.execute("UPDATE one_time_tokens SET created_at = created_at - 172800000000, expires_at = created_at - 86400000000")

	b.wantStatus(b.press("Save new password"), http.StatusConflict) // on a page that was opened before the link expired
	b.see("This link has expired")
	b.inspect("reset expired meanwhile")
	b.wantStatus(b.visit(reset), http.StatusGone)
	b.see("This link has expired", "Send a new link")
	b.inspect("reset expired")
	b.wantStatus(b.visit(p.setupPath()), http.StatusGone)
	b.see("This link has expired", "Restart the server to get a new one.")
	b.inspect("setup expired")
}

// TestDamagedDatabase inspects the error pages of an unexpected failure, a missing
// table, for a page and for a form.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	reset := p.resetLink("ana")
	b, stranger := open(t, p, true), open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/tokens")
	p.execute("ALTER TABLE personal_access_tokens RENAME TO lost_tokens")
	p.execute("ALTER TABLE one_time_tokens RENAME TO lost_links")

	b.watch.mute(true) // Chromium complains about every response with status 500 or above
	stranger.watch.mute(true)
	b.wantStatus(b.createToken("Photos"), http.StatusInternalServerError)
	b.see("Sorry, something went wrong", "We do not know whether your change was saved. Please check.", "Reference")
	b.wantNot("personal_access_tokens")
	b.inspect("error 500 form")
	stranger.wantStatus(stranger.visit(reset), http.StatusInternalServerError)
	stranger.see("Sorry, something went wrong", "Nothing was changed.", "Reference")
	stranger.wantNot("one_time_tokens")
	stranger.inspect("error 500")
}

// TestOtherHost visits the portal under a host name that is not its own.
func TestOtherHost(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	b := open(t, p, true)
	other := strings.Replace(p.url, "localhost", "other.localhost", 1) // loopback, like every name below localhost (RFC 6761 §6.3)
	b.wantStatus(b.visitAt(other+"/login"), http.StatusMisdirectedRequest)
	b.see("This address is not served here", "The portal is at "+p.url)
	b.inspect("error 421")
	b.press("Open the portal")
	b.wantAt("/login")
}

// resetLink creates a reset link and returns its path.
func (p *portal) resetLink(username string) string {
	p.t.Helper()
	return p.linkIn(p.command("user", "reset-link", username))
}

// linkIn returns the path of the link that a command printed.
func (p *portal) linkIn(output string) string {
	p.t.Helper()
	_, link, found := strings.Cut(output, p.url)
	if !found {
		p.t.Fatal("the command printed no link")
	}
	return strings.Fields(link)[0]
}
