package e2e

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// nextCode returns the code that an app whose clock is half a minute ahead shows: the
// one that set the app up was used.
func nextCode(t *testing.T, key string) string {
	t.Helper()
	code, err := totp.GenerateCode(key, time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// turnOn sets up an authenticator app and returns its key and the recovery codes.
func (b *tab) turnOn() (key string, codes []string) {
	b.Helper()
	b.visit("/profile/security/app")
	key = b.shownKey()
	b.fill("Code", appCode(b.T, key))
	b.wantStatus(b.press("Turn on two-step sign-in"), 200)
	codes = b.shownCodes()
	b.tick("I have saved these codes")
	b.press("Go on")
	b.wantAt("/profile/security")
	return key, codes
}

// TestSignInWithStep signs in with a code, with a remembered device and with a recovery
// code, and loses its way in between.
func TestSignInWithStep(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		look := func(name string) {
			if script {
				b.inspect(name)
			}
		}
		b.signIn(ana.username, ana.password)
		key, codes := b.turnOn()
		b.press("Sign out")

		half := func(page string) {
			b.visit("/login?next=/profile/name")
			b.fill("Email or username", ana.username)
			b.fill("Password", ana.password)
			b.press("Sign in")
			b.wantAt(page)
		}
		half("/login/code?next=%2Fprofile%2Fname")
		b.see("Enter your code", "Signing in as "+ana.email, "Not you?")
		look("second step")
		b.visit("/profile")
		b.wantAt("/login?next=%2Fprofile") // half a sign-in opens nothing
		half("/login/code?next=%2Fprofile%2Fname")
		b.fill("Code", "000000")
		b.wantStatus(b.press("Continue"), 422)
		b.see("That code is not correct.", "It is ", "If your phone shows another time")
		look("second step wrong")
		code := nextCode(t, key)
		b.fill("Code", code[:3]+" "+code[3:])
		b.tick("Do not ask again on this device for 30 days")
		b.wantStatus(b.press("Continue"), 200)
		b.wantAt("/profile/name")

		b.visit("/profile/security")
		b.see("Remembered devices", "This device")
		b.press("Sign out")
		half("/profile/name") // the device is remembered

		other := open(t, p, script)
		other.visit("/login")
		other.fill("Email or username", ana.email)
		other.fill("Password", ana.password)
		other.press("Sign in")
		other.press("I have lost access")
		other.see("If you have lost access", "Use a recovery code")
		if script {
			other.inspect("lost access")
		}
		other.press("Use a recovery code")
		if script {
			other.inspect("recovery code")
		}
		other.fill("Recovery code", "00000-00000")
		other.wantStatus(other.press("Continue"), 422)
		other.fill("Recovery code", codes[0])
		other.wantStatus(other.press("Continue"), 200)
		other.wantAt("/profile/security/app")
		other.see("You signed in with a recovery code.")
		other.visit("/profile/security")
		other.see("9 of 10 left")
	})
}
