package pages

import (
	"latchkey/views/components"
	"latchkey/views/layouts"
)

func identitySamples() []sample {
	page := signedIn("Confirm it’s you", layouts.SectionNone)
	form := func(change func(*IdentityForm)) IdentityForm {
		f := IdentityForm{Account: "ana@example.org", Act: "change your email address", Next: "/profile/email", CancelURL: "/profile"}
		change(&f)
		return f
	}
	return []sample{
		{"confirm identity", ConfirmIdentity(page, form(func(*IdentityForm) {}))},
		{"confirm identity, act unknown", ConfirmIdentity(page, form(func(f *IdentityForm) { f.Act = "" }))},
		{"confirm identity, code", ConfirmIdentity(page, form(func(f *IdentityForm) { f.App, f.ByCode = true, true }))},
		{"confirm identity, password instead", ConfirmIdentity(page, form(func(f *IdentityForm) { f.App = true }))},
		{"confirm identity, full", ConfirmIdentity(page, form(func(f *IdentityForm) { f.App, f.Full, f.Passkey = true, true, true }))},
		{"confirm identity errors", ConfirmIdentity(page, form(func(f *IdentityForm) {
			f.App, f.Full, f.Errors = true, true, errorsOf(components.CurrentPassword, "code")
		}))},
	}
}
