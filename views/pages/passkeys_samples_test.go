package pages

import (
	"time"

	"latchkey/views/layouts"
)

func passkeySamples() []sample {
	frame := signedIn("Passkeys", layouts.SectionNone)
	row := PasskeyRow{
		ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Name: "iCloud Keychain", Synced: true, Added: sampleTime, LastUsed: sampleTime.Add(time.Hour),
		LastUsedOn: "Safari on iPhone", Others: 2,
	}
	stick := PasskeyRow{ID: "bbbbbbbbbbbbbbbbbbbbbbbbbb", Name: "Blue YubiKey 5C on the key ring in the hall", Added: sampleTime, Others: 2}
	old := PasskeyRow{ID: "cccccccccccccccccccccccccc", Name: "Chrome on Mac", Added: sampleTime, Host: "id.old.example", Others: 2}
	signal := PasskeySignal{RPID: "localhost", UserID: "YQ", IDs: []string{"AAEC"}, Name: "ana@example.org", DisplayName: "Ana Silva"}
	list := PasskeysView{Passkeys: []PasskeyRow{row, stick, old}, AddURL: "/profile/security/passkeys/new", Signal: signal}
	none := PasskeysView{AddURL: "/profile/security/passkeys/new", Signal: signal}
	const why = "Passkeys need https. This portal is at http://id.example.org."
	section := func(view PasskeysView) SecurityView { return SecurityView{Passkeys: Passkeys(view)} }
	return []sample{
		{"security, passkeys", Security(frame, section(list))},
		{"security, no passkeys", Security(frame, section(none))},
		{"security, passkeys unavailable", Security(frame, section(PasskeysView{Unavailable: why}))},
		{"add passkey", NewPasskey(frame, NewPasskeyView{Next: "/profile?a=1&b=2"})},
		{"add passkey, unavailable", NewPasskey(frame, NewPasskeyView{Unavailable: why})},
		{"passkey created", Passkey(frame, PasskeyView{PasskeyRow: row, Created: true, OtherSessions: 2, Next: "/profile?a=1&b=2", Typed: row.Name})},
		{"rename passkey", Passkey(frame, PasskeyView{PasskeyRow: row, Typed: "", Errors: errorsOf("name")})},
		{"remove passkey", Confirm(frame, RemovePasskey(row))},
		{"passkey kept", PasskeyKept(frame, row, "This is your only way to sign in. Add a password or another passkey first.")},
	}
}
