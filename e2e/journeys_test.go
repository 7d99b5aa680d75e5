package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The tasks of people and admins with only the keyboard: Tab, Enter and Space. The
// focus is visible at every step.

// enterQuestion presses Enter on a link to a confirmation and fails unless the
// focus is then on Cancel. With script, the confirmation opens as a dialog if
// the link has one.
func (b *tab) enterQuestion() {
	b.Helper()
	if ask[bool](b, `document.activeElement.matches("[data-dialog]") && matchMedia("(scripting: enabled)").matches`) {
		b.key(enterKey)
		b.until("the dialog to open", `document.querySelector("dialog[open]")`)
	} else {
		b.wantStatus(b.enter(), 200)
	}
	b.wantFocus("Cancel")
	b.wantVisibleFocus("Cancel")
}

func TestKeyboardSignUp(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		b := open(t, startPortal(t), script)
		ana := newAccount("ana", "Ana Silva")
		b.visit("/login")
		b.tabTo("Create an account")
		b.wantStatus(b.enter(), 200)
		b.wantFocus("Email")
		b.wantVisibleFocus("Email")
		b.write(ana.email)
		b.tabTo("Username")
		b.write(ana.username)
		b.tabTo("Full name (optional)")
		b.write(ana.name)
		b.tabTo("Create account") // no password yet
		b.wantStatus(b.enter(), 422)
		if script {
			b.wantFocus("#problem")
			b.wantVisibleFocus("#problem")
		}
		b.tabInto("[name=password]")
		b.write(ana.password)
		b.wantStatus(b.enter(), 200)
		b.wantAt("/profile")
		b.see("Your account is ready.", ana.email)
	})
}

func TestKeyboardTheme(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		b := open(t, startPortal(t), script)
		b.visit("/forgot/sent")
		for _, test := range []struct{ button, theme, other string }{
			{"Use dark theme", "dark", "Use light theme"},
			{"Use light theme", "light", "Use dark theme"},
		} {
			b.tabTo(test.button)
			if script {
				b.key(enterKey)
				b.wantThemeStored(test.theme)
				b.wantFocus(test.other)
				b.wantVisibleFocus(test.other)
			} else {
				b.wantStatus(b.enter(), 200)
			}
			b.wantAt("/forgot/sent")
			b.wantTheme(test.theme)
		}
	})
}

func TestKeyboardChangePassword(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.tabTo("Password")
		b.wantStatus(b.enter(), 200)
		b.wantAt("/profile/password")
		b.tabInto("[name=current_password]")
		b.write("not my password")
		b.tabInto("[name=new_password]")
		b.write("twelve wise owls read")
		b.wantStatus(b.enter(), 422)
		if script {
			b.wantFocus("#problem")
			b.tabTo("The current password is not correct.")
			b.key(enterKey) // to the field
			b.until("the focus to be on the field", `document.activeElement.matches("[name=current_password]")`)
			b.wantVisibleFocus("the field")
		} else {
			b.tabInto("[name=current_password]")
		}
		b.write(ana.password)
		b.tabInto("[name=new_password]")
		b.write("twelve wise owls read")
		b.tabTo("Save new password")
		b.wantStatus(b.enter(), 200)
		b.wantAt("/profile")
		b.see("Your password is changed.")
	})
}

func TestKeyboardSessions(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		p.signInFrom(ana, iphone)
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.tabTo("Devices")
		b.wantStatus(b.enter(), 200)
		b.wantAt("/profile/sessions")
		b.tabTo(b.buttonNamed("Sign out Safari on iPhone, signed in "))
		b.wantStatus(b.loading("press Space", spaceKey.pressing(chromedp.ModifierNone)), 200)
		b.wantAt("/profile/sessions")
		b.see("Signed out of Safari on iPhone.", "Recently signed out", "Firefox on Windows")
		if script {
			b.wantFocus("#alert flash ok")
			b.wantVisibleFocus("the message")
		}
		b.tabTo("Sign out everywhere else")
		b.enterQuestion()
		b.tabTo("Sign out 1 device") // Tab cycles within the confirmation
		b.wantStatus(b.enter(), 200)
		b.see("You are only signed in here.")
	})
}

func TestKeyboardUsers(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		boss := p.admin(newAccount("boss", "The Boss"))
		p.people(26)
		b := open(t, p, script)
		b.signIn(boss.username, boss.password)
		b.visit("/admin/users")
		wantFirst := func(username string) {
			t.Helper()
			if got := ask[string](b, `document.querySelector("tbody .email").textContent`); got != username+"@example.org" {
				t.Errorf("%s: got %s first, want %s", b.at(), got, username)
			}
		}
		wantFirst("boss")
		b.tabTo("User")
		b.wantStatus(b.enter(), 200)
		wantFirst("person25")
		b.tabTo("Next")
		b.wantStatus(b.enter(), 200)
		wantFirst("person00")
		b.see("26–27 of 27 users", "The Boss")
		b.tabTo("Previous")
		b.wantStatus(b.enter(), 200)
		wantFirst("person25")
		b.tabTo("50")
		b.wantStatus(b.enter(), 200)
		wantFirst("person25")
		b.see("27 of 27 users", "The Boss")
	})
}

func TestKeyboardChangeRole(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		boss := p.admin(newAccount("boss", "The Boss"))
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(boss.username, boss.password)
		b.findUser("ana", "Ana Silva")
		user := b.at()
		b.tabInto(`a[href$="/role"]`)
		b.enterQuestion()
		b.key(tabKey, chromedp.ModifierShift)
		b.until("the focus to be on the button before", `document.activeElement.matches("form[action$='/role'] button")`)
		b.wantVisibleFocus("the button")
		b.wantStatus(b.enter(), 200)
		b.wantAt(user)
		if got := p.command("user", "list", "--role=admin"); !strings.Contains(got, ana.email) {
			t.Errorf("got the admins %s, want %s among them", got, ana.email)
		}
	})
}
