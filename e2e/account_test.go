package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// signIn signs in with the form.
func (b *tab) signIn(identifier, password string) {
	b.Helper()
	b.wantStatus(b.visit("/login"), 200)
	b.fill("Email or username", identifier)
	b.fill("Password", password)
	b.tick("Stay signed in")
	b.wantStatus(b.press("Sign in"), 200)
	b.wantAt("/profile")
}

func TestSignUpAndOut(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		b := open(t, startPortal(t), script)
		ana := newAccount("ana", "Ana Silva")

		b.wantStatus(b.visit("/"), 200)
		b.wantAt("/login")
		b.press("Create an account")
		b.fill("Username", ana.username)
		b.fill("Email", ana.email)
		b.fill("Full name", ana.name)
		b.fill("Password", ana.password)
		b.wantStatus(b.press("Create account"), 200)
		b.wantAt("/profile")
		b.see("Your account is ready.", "Add a second step", ana.email, "You created your account.", "Chrome on Linux, ")
		if got := ask[string](b, `document.querySelector("h1").textContent`); got != ana.name {
			t.Errorf("got the heading %q, want %q", got, ana.name)
		}

		b.press("Sign out")
		b.wantAt("/login")
		b.see("You are signed out.")
		for _, name := range []string{"access", "refresh"} {
			if b.cookies()[name] != nil {
				t.Errorf("the cookie %s is still there", name)
			}
		}

		b.signIn(ana.username, ana.password)
		b.see("You signed in.", "Chrome on Linux, ")
		b.press("Sign out")
		b.signIn("ANA@example.org", ana.password)
		b.wantStatus(b.visit("/login"), 200)
		b.wantAt("/profile") // already signed in
	})
}

func TestWrongPassword(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.visit("/login?next=%2Fprofile%2Fsessions")
		if script {
			b.wantFocus("Email or username")
		}
		b.fill("Email or username", ana.username)
		b.fill("Password", "something else")
		b.wantStatus(b.press("Sign in"), 422)
		b.see("There is a problem", "Email, username or password is not correct.")
		if got := b.value("Email or username"); got != ana.username {
			t.Errorf("got name %q, want %q", got, ana.username)
		}
		if got := b.value("Password"); got != "" {
			t.Errorf("got password %q, want none", got)
		}
		if got, want := ask[string](b, `document.title`), "Error: Sign in – Latchkey"; got != want {
			t.Errorf("got title %q, want %q", got, want)
		}
		if script {
			b.wantFocus("#problem")
		}
		b.fill("Password", ana.password)
		b.wantStatus(b.press("Sign in"), 200)
		b.wantAt("/profile/sessions")
	})
}

func TestEmptyFields(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		b := open(t, startPortal(t), script)
		b.visit("/signup")
		b.wantStatus(b.press("Create account"), 422)
		b.see("There is a problem")
		if got := ask[int](b, `document.querySelectorAll("#problem a").length`); got != 3 {
			t.Errorf("got %d problems, want 3: username, email, password", got)
		}
		ask[chromedp.Void](b, `document.querySelector("#problem a[href='#email']").click()`)
		b.wantFocus("Email")
	})
}

func TestChangeProfile(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		p.signUp(newAccount("bo", "Bo Chen"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)

		b.press("Name")
		b.wantAt("/profile/name")
		b.fill("Full name", "Ana <b>Souza</b>")
		b.wantStatus(b.press("Save name"), 200)
		b.wantAt("/profile")
		b.see("Your changes are saved.", "Ana <b>Souza</b>")

		b.press("Username")
		b.fill("New username", "bo")
		b.wantStatus(b.press("Save new username"), 422)
		if got, want := b.value("New username"), "bo"; got != want {
			t.Errorf("got username %q, want %q as it was typed", got, want)
		}
		b.fill("New username", "ana.souza")
		b.wantStatus(b.press("Save new username"), 200)
		b.wantAt("/profile")
		b.see("Your changes are saved.", "ana.souza")

		b.press("Email")
		b.fill("New email", "souza@example.org")
		b.wantStatus(b.press("Send a link"), 200)
		b.wantAt("/profile")
		b.see("souza@example.org", "Waiting for")
	})
}
