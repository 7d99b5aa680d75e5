package pages

import (
	"strings"
	"testing"
)

// TestLoginHeading checks that only the heading names the app that the person wants
// to open, isolated from the text direction and shortened if it is too long.
func TestLoginHeading(t *testing.T) {
	long := strings.Repeat("a", 59)
	tests := []struct{ app, heading, name string }{
		{"", "Sign in to Example", "Example"},
		{"app.example.org", "Sign in to continue to app.example.org", "app.example.org"},
		{long + "b", "Sign in to continue to " + long + "b", long + "b"},
		{long + "bc", "Sign in to continue to " + long + "…", long + "…"},
		{strings.Repeat("é", 61), "Sign in to continue to " + strings.Repeat("é", 59) + "…", strings.Repeat("é", 59) + "…"},
		{"<b>x</b>", "Sign in to continue to <b>x</b>", "<b>x</b>"},
	}
	for _, test := range tests {
		doc := parse(t, Login(signedOut("Sign in"), LoginForm{App: test.app}))
		heading, name := doc.all("h1")[0], ""
		for _, bdi := range doc.inside(heading, "bdi") {
			name += bdi.text
		}
		if heading.text != test.heading || name != test.name {
			t.Errorf("%q: got the heading %q with the name %q, want %q with %q", test.app, heading.text, name, test.heading, test.name)
		}
		if got, want := doc.all("title")[0].text, "Sign in – Example"; got != want {
			t.Errorf("%q: got the title %q, want %q", test.app, got, want)
		}
	}
}
