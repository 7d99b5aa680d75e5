package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Flows with mail, through a real mail server: with TLS from the start or after
// STARTTLS, with script and without.

// scan opens a mailed link as a scanner of mail does: twice each by HEAD and GET, from
// another client. It fails unless the page is there each time.
func (p *portal) scan(path string) {
	p.t.Helper()
	for range 2 {
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, http.NoBody)
			if err != nil {
				p.t.Fatal(err)
			}
			request.Header.Set("Accept", "text/html")
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				p.t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				p.t.Errorf("%s of a mailed link: status %d", method, response.StatusCode)
			}
		}
	}
}

// TestMailForgot resets a forgotten password from the sign-in page.
func TestMailForgot(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, script)
		ana := p.admin(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.visit("/profile/tokens")
		b.fill("Email or username", ana.email)
		b.fill("Password", "not the password")
		b.wantStatus(b.press("Sign in"), 422)
		look(b, script, "sign-in refused, with mail")
		b.press("Forgot password?")
		if got := b.value("Email"); got != ana.email {
			t.Errorf("the form has the address %q", got)
		}
		look(b, script, "forgot")
		b.fill("Email", "ana@")
		b.wantStatus(b.press("Send a link"), 422)
		look(b, script, "forgot, refused")
		b.fill("Email", ana.email)
		b.press("Send a link")
		b.wantAt("/forgot/sent?next=%2Fprofile%2Ftokens")
		b.see("If ana@example.org has an account, we have sent a link. It works for 30 minutes.", "accounts@example.org")
		look(b, script, "forgot, sent")

		link := mails.link(mails.wait(ana.email, "Reset your password"), p, "/reset")
		p.scan(link)
		b.wantStatus(b.visit(link), 200)
		b.see("For the account of ana@example.org.")
		look(b, script, "reset by mail")
		b.fill("New password", "twelve wise owls read")
		b.press("Save new password")
		b.see("Your password is changed.")
		b.fill("Email or username", ana.email)
		b.fill("Password", "twelve wise owls read")
		b.press("Sign in")
		b.wantAt("/profile/tokens")
		mails.wait(ana.email, "Your password was changed with a reset link")
		b.wantStatus(b.visit(link), 410)
		b.see("This link has already been used")
	})
}

// TestMailSecure takes an account back after someone else signed in to it and changed
// its address.
func TestMailSecure(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, !script, "LATCHKEY_VERIFY_EMAIL=off")
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		thief := open(t, p, script)
		thief.signIn(ana.username, ana.password)
		mails.wait(ana.email, "New sign-in on Chrome on Linux")
		thief.visit("/profile/activity")
		thief.see("You signed in.", "You created your account.")
		look(thief, script, "activity")

		link := mails.link(mails.wait(ana.email, "New sign-in"), p, "/secure")
		p.scan(link)
		thief.wantStatus(thief.visit("/profile"), 200)
		b := open(t, p, script)
		b.wantStatus(b.visit(link), 200)
		b.see("Secure your account", "We send a link to choose a new password to ana@example.org.")
		look(b, script, "secure")
		b.press("Secure my account")
		b.see("Your account is secured. We have sent you a link to choose a new password.")
		look(b, script, "secured")
		reset := mails.link(mails.wait(ana.email, "Your account is secured"), p, "/reset")
		b.wantStatus(b.visit(link), 410)
		b.see("Your account is already secured")
		look(b, script, "secured before")
		b.visit(reset)
		b.fill("New password", "twelve wise owls read")
		b.press("Save new password")
		b.see("Your password is changed.")
	})
}

// look inspects a page, which needs script.
func look(b *tab, script bool, name string) {
	b.Helper()
	if script {
		b.inspect(name)
	}
}

// TestMailVerify signs up while addresses are confirmed: by the link in the browser that
// signed up, and by the typed code. A taken address looks the same.
func TestMailVerify(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, !script)
		ana, bo := newAccount("ana", "Ana Silva"), newAccount("bo", "Bo Chen")
		b := open(t, p, script)
		b.visit("/signup?next=%2Fprofile%2Ftokens")
		b.signUpAs(ana)
		b.see("Check your email", ana.email, "accounts@example.org")
		look(b, script, "check your email")
		b.fill("Code", "2345 6789")
		b.wantStatus(b.press("Confirm"), 422)
		look(b, script, "check your email, wrong code")
		letter := mails.wait(ana.email, "Confirm your email address")
		link := mails.link(letter, p, "/verify")
		p.scan(link)
		b.wantStatus(b.visit(link), 200)
		b.see(ana.email)
		look(b, script, "confirm your address")
		b.press("Confirm")
		b.wantAt("/profile/tokens")
		b.wantStatus(b.visit(link), 200)
		b.see("This address is already confirmed")
		look(b, script, "confirmed before")

		b = open(t, p, script)
		b.visit("/signup")
		b.signUpAs(bo)
		code := codes.FindString(mails.wait(bo.email, "Confirm your email address").text)
		b.fill("Code", strings.ToLower(strings.ReplaceAll(code, " ", "-")))
		b.press("Confirm")
		b.wantAt("/profile")
		b.see("Bo Chen")

		b = open(t, p, script)
		b.visit("/signup")
		other := newAccount("eve", "Eve Stone")
		other.email = ana.email
		b.signUpAs(other)
		b.see("Check your email", ana.email)
		mails.wait(ana.email, "You already have an account")
	})
}

// codes finds the code in the text of a letter.
var codes = regexp.MustCompile(`(?m)^[2-9A-Z]{4} [2-9A-Z]{4}$`)

// signUpAs fills in and sends the form to create an account.
func (b *tab) signUpAs(a account) {
	b.Helper()
	b.fill("Email", a.email)
	b.fill("Username", a.username)
	b.fill("Full name (optional)", a.name)
	b.fill("Password", a.password)
	b.wantStatus(b.press("Create account"), 200)
}

// TestMailNewAddress changes the address: the old one counts until the new one is
// confirmed, and its letter takes the change back.
func TestMailNewAddress(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, mails := startWithMail(t, script, "LATCHKEY_VERIFY_EMAIL=off")
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.signIn(ana.username, ana.password)
		b.visit("/profile/email")
		b.fill("New email", "ana@new.example")
		b.press("Send a link")
		b.see("ana@new.example")
		b.visit("/profile/email")
		b.see("ana@new.example", ana.email)
		look(b, script, "new address, waiting")
		b.visit(mails.link(mails.wait("ana@new.example", "Confirm your new email address"), p, "/verify"))
		look(b, script, "confirm a new address")
		b.press("Confirm")
		b.visit("/profile")
		b.see("ana@new.example")
		alarm := mails.link(mails.wait(ana.email, "Your email address was changed"), p, "/secure")
		owner := open(t, p, script)
		owner.visit(alarm)
		owner.see("The email address goes back from ana@new.example to ana@example.org.")
		look(owner, script, "secure, with the address")
		owner.press("Secure my account")
		mails.wait(ana.email, "Your account is secured")
		b.visit("/profile")
		b.wantAt("/login?next=%2Fprofile")
	})
}
