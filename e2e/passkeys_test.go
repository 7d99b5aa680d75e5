package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
)

// phone is the authenticator of a device with a screen lock, and stick one without any.
var (
	phone = webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}
	stick = webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, AutomaticPresenceSimulation: true,
	}
)

// plugIn adds an authenticator to a tab.
func (b *tab) plugIn(options webauthn.VirtualAuthenticatorOptions) webauthn.AuthenticatorID {
	b.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	return call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options}).AuthenticatorID
}

// listen records what pages tell the browser's password managers. unlisted keeps the
// browser from offering passkeys in its own list, so that only the button does.
func (b *tab) listen(unlisted bool) {
	b.Helper()
	script := `for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
		PublicKeyCredential[name] = async (told) => { (globalThis.told ??= []).push([name, told]); };
	}`
	if unlisted {
		script += `PublicKeyCredential.isConditionalMediationAvailable = async () => false;`
	}
	call(b, page.Enable, page.EnableParams{})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// told returns what the page told, as JSON.
func (b *tab) told() string {
	b.Helper()
	return ask[string](b, `JSON.stringify(globalThis.told ?? [])`)
}

// untilPath waits until a page whose path begins with beginning is open.
func (b *tab) untilPath(beginning string) {
	b.Helper()
	b.until("the page "+beginning, `location.pathname.startsWith(%s) && document.readyState === "complete"`, beginning)
}

// createPasskey creates a passkey and gives it a name.
func (b *tab) createPasskey(name string) {
	b.Helper()
	b.visit("/profile/security/passkeys/new")
	b.click("Create a passkey")
	b.until("the page of the passkey", `document.querySelector("#name-passkey") !== null`)
	b.fill("Name", name)
	b.press("Save")
	b.wantAt("/profile/security")
}

// withPhone returns a portal, an account and a tab that is signed in to it on a device
// with a screen lock, and that offers passkeys by buttons only.
func withPhone(t *testing.T) (*portal, account, *tab) {
	t.Helper()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.listen(true)
	b.plugIn(phone)
	b.signIn(ana.username, ana.password)
	return p, ana, b
}

// TestPasskeysInBrowser creates a passkey, signs in with it by button and by the
// browser's own list, and uses it after it was removed.
func TestPasskeysInBrowser(t *testing.T) {
	t.Parallel()
	p, ana, b := withPhone(t)
	b.visit("/profile/security")
	b.see("No passkeys yet")
	b.inspect("security without passkeys")
	b.visit("/profile/security/passkeys/new")
	b.inspect("add passkey")
	b.click("Create a passkey")
	b.until("the page of the passkey", `document.querySelector("#name-passkey") !== null`)
	b.see("Passkey created")
	b.inspect("passkey created")
	b.fill("Name", "My phone")
	b.press("Save")
	b.see("You can sign in with your passkey now.", "My phone", "This device only", "Not used yet")
	b.inspect("security with passkeys")
	if told := b.told(); !strings.Contains(told, "signalAllAcceptedCredentials") || !strings.Contains(told, "signalCurrentUserDetails") || strings.Contains(told, `"allAcceptedCredentialIds":[]`) {
		t.Errorf("told %s", told)
	}
	b.visit("/profile/security/passkeys/new")
	b.click("Create a passkey")
	b.until("the refusal", `document.querySelector("[data-passkey] [role=alert]:not([hidden])") !== null`)
	b.see("This device already has a passkey for you.")
	b.inspect("passkey refused")

	b.visit("/profile")
	b.press("Sign out")
	b.wantAt("/login")
	b.visit("/login?next=%2Fprofile%2Ftokens")
	b.click("Sign in with a passkey")
	b.untilPath("/profile/tokens")
	b.visit("/profile/security")
	b.see("Last used", "on Chrome on Linux")

	other := open(t, p, true)
	other.signIn(ana.username, ana.password)
	other.visit("/profile/security")
	other.click("Remove My phone")
	other.press("Remove passkey")
	other.see("is removed. We signed out your 2 other devices. Also remove it from your device’s password manager.")
	b.visit("/profile")
	b.wantAt("/login?next=%2Fprofile")
	b.click("Sign in with a passkey")
	b.until("the refusal", `document.querySelector("[data-passkey] [role=alert]:not([hidden])") !== null`)
	b.see("This passkey is not in use here any more. Use another passkey, or your password.")
	if told := b.told(); !strings.Contains(told, `[["signalUnknownCredential",{"rpId":"localhost","credentialId":"`) {
		t.Errorf("told %s", told)
	}
	b.inspect("login passkey refused")
}

// TestPasskeyInList signs in with the browser's own list of passkeys, which the
// virtual authenticator answers by itself.
func TestPasskeyInList(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.plugIn(phone)
	b.createPasskey("My phone")
	b.visit("/profile")
	b.press("Sign out")
	b.untilPath("/profile")
}

// TestOtherAuthenticators tries authenticators that cannot hold a passkey, and two that
// can.
func TestOtherAuthenticators(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	resident := stick
	resident.HasResidentKey = true
	for name, options := range map[string]webauthn.VirtualAuthenticatorOptions{"no user verification": resident, "not resident": stick} {
		b := open(t, p, true)
		b.listen(true)
		b.signIn(ana.username, ana.password)
		b.plugIn(options)
		b.visit("/profile/security/passkeys/new")
		b.click("Create a passkey")
		b.until("the refusal of "+name, `document.querySelector("[data-passkey] [role=alert]:not([hidden])") !== null`)
		b.see("keep signing in as before.")
	}
	b := open(t, p, true)
	b.listen(true)
	b.signIn(ana.username, ana.password)
	first := b.plugIn(phone)
	b.createPasskey("Phone")
	call(b, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: first})
	key := phone
	key.Transport = webauthn.AuthenticatorTransportUsb
	b.plugIn(key)
	b.createPasskey("Stick")
	b.see("Phone", "Stick")
	b.visit("/profile")
	b.press("Sign out")
	b.click("Sign in with a passkey")
	b.untilPath("/profile")
}

// TestPasskeyWords checks the sentences for what only the browser knows, and that no
// page shows one that nobody asked for.
func TestPasskeyWords(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	b := open(t, p, true)
	b.listen(true)
	for _, test := range []struct{ failure, want string }{
		{"NotAllowedError", "The passkey prompt was closed. Try again, or use your password."},
		{"InvalidStateError", "This device has no passkey for you. Use the device that has it, or use your password."},
		{"SecurityError", "This browser cannot use passkeys here. Use a newer one, or use your password."},
		{"network", "We could not reach the portal. Check your connection and try again, or use your password."},
	} {
		b.visit("/login")
		ask[bool](b, `(navigator.credentials.get = () => Promise.reject(new DOMException("", %s)), true)`, test.failure)
		if test.failure == "network" {
			ask[bool](b, `(globalThis.fetch = () => Promise.reject(new TypeError("")), true)`)
		}
		b.click("Sign in with a passkey")
		b.until("the refusal", `document.querySelector("[data-passkey] [role=alert]:not([hidden])") !== null`)
		b.see(test.want)
	}

	quiet := open(t, p, true)
	call(quiet, page.Enable, page.EnableParams{})
	call(quiet, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		PublicKeyCredential.isConditionalMediationAvailable = async () => true;
		navigator.credentials.get = async (asked) => { globalThis.asked = asked.mediation; throw new DOMException("", "NotAllowedError"); };`})
	quiet.visit("/login")
	quiet.until("the browser's own list", `globalThis.asked === "conditional"`)
	if got := ask[int](quiet, `document.querySelectorAll("[data-passkey] [role=alert]:not([hidden])").length`); got != 0 {
		t.Error("the page shows a failure that nobody asked for")
	}

	call(b, page.Enable, page.EnableParams{})
	silent := open(t, p, false)
	silent.visit("/login")
	silent.wantNot("passkey")
}

// TestPasskeyInPlaceOf uses a passkey in place of the password that a confirmation asks
// for, and in place of the code of a sign-in.
func TestPasskeyInPlaceOf(t *testing.T) {
	t.Parallel()
	p, ana, b := withPhone(t)
	b.createPasskey("My phone")
	p.execute("UPDATE sessions SET auth_time = 1")
	b.visit("/profile/email")
	b.wantAt("/confirm?next=%2Fprofile%2Femail")
	b.inspect("confirm identity with a passkey")
	b.click("Continue with a passkey")
	b.untilPath("/profile/email")

	b.turnOn()
	b.press("Sign out")
	b.fill("Email or username", ana.username)
	b.fill("Password", ana.password)
	b.press("Sign in")
	b.wantAt("/login/code")
	b.inspect("second step with a passkey")
	b.click("Use a passkey")
	b.untilPath("/profile")
	b.see("Ana Silva")
}
