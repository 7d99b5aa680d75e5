package pages

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProfileSettings checks that each setting is one link, whose text names the
// setting and its current value.
func TestProfileSettings(t *testing.T) {
	doc := parse(t, sampleNamed(t, "profile"))
	var got []string
	for _, row := range doc.all("a") {
		if row.within("li") != nil && row.within("section") != nil {
			got = append(got, row.text+" "+row.attrs["href"])
		}
	}
	want := []string{
		"Name Ana Silva /profile/name",
		"Username ana /profile/username",
		"Email ana@example.org /profile/email",
		"Password Changed 2 Nov 2026 /profile/password",
		"Two-step sign-in Off /profile/security",
		"Passkeys None /profile/security",
		"Devices 3 devices signed in /profile/sessions",
		"Access tokens 1 token /profile/tokens",
		"Theme Same as this device /profile/theme",
		"Your data Download your data /profile/export",
		"Delete account Cannot be undone /profile/delete",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestProfileState checks that the header says either that everything is in order or
// what to do.
func TestProfileState(t *testing.T) {
	const well, warning = "Everything is in order", "One of your sessions was used from elsewhere. Check your devices"
	for name, want := range map[string][2]string{
		"profile": {well, warning}, "profile with a warning": {warning, well},
		"profile with a suggestion": {"Make new recovery codes because you have only 2 left.Not now", well},
	} {
		text := parse(t, sampleNamed(t, name)).byID("main").text
		if !strings.Contains(text, want[0]) || strings.Contains(text, want[1]) {
			t.Errorf("%s: got %q, want %q and not %q", name, text, want[0], want[1])
		}
	}
}
