package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// shortLived makes access tokens expire soon enough for a test to wait for it.
const shortLived = "LATCHKEY_ACCESS_TTL=1s"

func TestAccessTokenExpired(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t, shortLived)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)

		b.untilExpired()
		b.wantStatus(b.visit("/profile/sessions"), 200)
		b.wantAt("/profile/sessions")
		b.see("This device")
		if b.cookies()["refresh"] == nil {
			t.Error("no refresh cookie after the session was refreshed")
		}

		// A form is accepted although the token expired while the form was open.
		b.visit("/profile/name")
		b.fill("Full name", "Ana Souza")
		b.untilExpired()
		b.wantStatus(b.press("Save name"), 200)
		b.see("Your changes are saved.", "Ana Souza")
	})
}

func TestManyTabsAtOnce(t *testing.T) {
	t.Parallel()
	p := startPortal(t, shortLived)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	var tabs []*tab
	for range 6 {
		tabs = append(tabs, b.beside())
	}
	for _, tab := range tabs {
		tab.visit("/login") // redirects, because they are signed in
	}
	for round := range 3 {
		b.untilExpired()
		for _, tab := range tabs {
			ask[chromedp.Void](tab, `void (location.href = "/profile?at-once")`)
		}
		got := ask[[]string](b, `Promise.all(Array.from({ length: 20 }, async (_, i) => {
			const response = await fetch("/profile?parallel=" + i);
			const page = await response.text();
			return response.status + " " + new URL(response.url).pathname + " " + page.includes("<h1><bdi>Ana Silva</bdi></h1>");
		}))`)
		for i, answer := range got {
			if want := "200 /profile true"; answer != want {
				t.Errorf("round %d, request %d: got %q, want %q", round, i, answer, want)
			}
		}
		for i, tab := range tabs {
			tab.until("a tab to load", `location.search === "?at-once" && document.readyState === "complete"`)
			if got, want := ask[string](tab, `document.querySelector("h1").textContent`), "Ana Silva"; got != want {
				t.Errorf("round %d, tab %d: got %q, want %q", round, i, got, want)
			}
			tab.visit("/profile")
		}
	}
}

func TestBackAfterSignOut(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.press("Devices")
		b.wantAt("/profile/sessions")
		b.press("Your account")
		b.press("Sign out")
		b.wantAt("/login")

		b.back()
		b.wantAt("/login?next=%2Fprofile")
		b.wantNot(ana.email)
	})
}

func TestSignOutHereAndElsewhere(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		here, there := open(t, p, script), open(t, p, script)
		here.signIn(ana.username, ana.password)
		there.signIn(ana.email, ana.password)

		there.press("Sign out")
		here.wantStatus(here.visit("/profile"), 200)
		here.wantAt("/profile")

		// One of them, from the list.
		there.signIn(ana.email, ana.password)
		here.visit("/profile/sessions")
		here.press("Sign out Chrome on Linux, signed in ")
		here.wantAt("/profile/sessions")
		here.see("Signed out of Chrome on Linux.", "Recently signed out")
		there.press("Devices")
		there.wantAt("/login?next=%2Fprofile%2Fsessions")
		there.see("You signed this device out from another device.")

		// All others.
		there.fill("Email or username", ana.email)
		there.fill("Password", ana.password)
		there.press("Sign in")
		there.wantAt("/profile/sessions")
		here.visit("/profile/sessions")
		here.question("Sign out everywhere else")
		here.see("They will need to sign in again.")
		here.press("Sign out 2 devices") // the second device is the one that signed up
		here.wantAt("/profile/sessions")
		here.see("Signed out of 2 other devices.", "You are only signed in here.")
		there.visit("/profile")
		there.wantAt("/login?next=%2Fprofile")
		there.see("You signed this device out from another device.")
	})
}

func TestChangePasswordEndsOtherSessions(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		here, there := open(t, p, script), open(t, p, script)
		here.signIn(ana.username, ana.password)
		there.signIn(ana.username, ana.password)

		here.wantStatus(here.visit("/.well-known/change-password"), 200)
		here.wantAt("/profile/password")
		here.fill("Current password", "not my password")
		here.fill("New password", "twelve wise owls read")
		here.wantStatus(here.press("Save new password"), 422)
		here.see("There is a problem")
		if script {
			here.wantFocus("#problem")
		}
		here.fill("Current password", ana.password)
		here.fill("New password", "twelve wise owls read")
		here.wantStatus(here.press("Save new password"), 200)
		here.wantAt("/profile")
		here.see("Your password is changed. Your other devices are signed out.")

		there.press("Devices")
		there.wantAt("/login?next=%2Fprofile%2Fsessions")
		there.see("Your password was changed, and every device was signed out.")
		there.fill("Email or username", ana.username)
		there.fill("Password", ana.password)
		there.wantStatus(there.press("Sign in"), 422)
		there.fill("Password", "twelve wise owls read")
		there.press("Sign in")
		there.wantAt("/profile/sessions")
	})
}

// question follows a link to a confirmation. With script it opens as a dialog, with
// the focus on Cancel.
func (b *tab) question(link string) {
	b.Helper()
	if ask[bool](b, `matchMedia("(scripting: none)").matches`) {
		b.wantStatus(b.press(link), 200)
		return
	}
	b.click(link)
	b.until("the dialog to open", `document.querySelector("dialog[open]")`)
	b.wantFocus("Cancel")
}
