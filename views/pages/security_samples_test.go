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
	return []sample{
		{"security", Security(frame, on)},
		{"security, new account", Security(frame, SecurityView{})},
		{"security, step required", Security(frame, SecurityView{Next: "/profile/tokens?a=1&b=2", Required: true, PasswordChanged: sampleTime})},
		{"security, no codes left", Security(frame, SecurityView{AppSince: sampleTime, Recovery: Recovery{Total: 10, LastUsed: sampleTime}})},
	}
}
