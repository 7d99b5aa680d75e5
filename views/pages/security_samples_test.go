package pages

import (
	"time"

	"latchkey/views/layouts"
)

func securitySamples() []sample {
	frame := signedIn("Security", layouts.SectionNone)
	on := SecurityView{
		PasswordChanged: sampleTime, AppSince: sampleTime, Recovery: Recovery{Left: 8, Total: 10, LastUsed: sampleTime},
		Devices: []RememberedDevice{
			{ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Device: "Chrome on macOS", Until: sampleTime, Current: true},
			{ID: "bbbbbbbbbbbbbbbbbbbbbbbbbb", Device: "Safari on iPhone", Phone: true, Until: sampleTime.Add(24 * time.Hour)},
		},
	}
	form := AppForm{
		Key: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", URL: "otpauth://totp/Example:ana%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		Picture: "M4 4h7v1H4z", PictureSize: 29,
	}
	wrong := form
	wrong.Replaces, wrong.Next, wrong.Now, wrong.Errors = true, "/profile/tokens", sampleTime, errorsOf("code")
	codes := RecoveryCodesView{
		Start: true, Name: "ana", Codes: []string{"abcde-fghjk", "mnpqr-stvwx"}, Made: sampleTime, Carried: "v1:x", File: "/profile/security/codes.txt?codes=v1%3Ax",
	}
	unsaved := codes
	unsaved.Start, unsaved.Next, unsaved.Errors = false, "/profile/tokens", errorsOf("saved")
	return []sample{
		{"set up app", SetUpApp(signedIn("Set up an authenticator app", layouts.SectionNone), form)},
		{"set up app errors", SetUpApp(signedIn("Replace the authenticator app", layouts.SectionNone), wrong)},
		{"turn off app", TurnOffApp(signedIn("Turn off two-step sign-in", layouts.SectionNone), AppOffView{Passkeys: 1})},
		{"app needed", TurnOffApp(signedIn("Turn off two-step sign-in", layouts.SectionNone), AppOffView{Needed: true})},
		{"make codes", Confirm(signedIn("Make new recovery codes", layouts.SectionNone), MakeCodes(on.Recovery))},
		{"recovery codes", RecoveryCodes(signedIn("Save your recovery codes", layouts.SectionNone), codes)},
		{"recovery codes errors", RecoveryCodes(signedIn("Save your recovery codes", layouts.SectionNone), unsaved)},
		{"security", Security(frame, on)},
		{"security, new account", Security(frame, SecurityView{})},
		{"security, step required", Security(frame, SecurityView{Next: "/profile/tokens?a=1&b=2", Required: true, PasswordChanged: sampleTime})},
		{"security, passkey required", Security(frame, SecurityView{Required: true, UsePasskey: true, PasswordChanged: sampleTime})},
		{"security, no codes left", Security(frame, SecurityView{AppSince: sampleTime, Recovery: Recovery{Total: 10, LastUsed: sampleTime}})},
	}
}
