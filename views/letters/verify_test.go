package letters_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"latchkey/views/letters"
)

// TestVerifyLetters checks that both forms of the letters about addresses have every
// word, and that no name can add markup or a link.
func TestVerifyLetters(t *testing.T) {
	brand := letters.Brand{Name: "Example", URL: "https://id.example.org", Accent: "#14523f", OnAccent: "#ffffff"}
	confirmation := letters.Confirmation{
		Name: "<b>Ana</b> & Bo", Username: "ana", Email: "ana@example.org", Code: "ABCD 2345",
		Link: "https://id.example.org/verify?token=t", Until: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
	links := letters.TakenLinks{Login: "https://id.example.org/login", Forgot: "https://id.example.org/forgot"}
	for name, test := range map[string]struct {
		letter letters.Letter
		says   []string
	}{
		"confirm":     {letters.ConfirmEmail(confirmation), []string{"Hello <b>Ana</b> & Bo,", "“ana”", "ana@example.org", "ABCD 2345", confirmation.Link, "23 November 2026, 12:00 UTC"}},
		"confirm new": {letters.ConfirmNewEmail(confirmation), []string{"Hello <b>Ana</b> & Bo,", "“ana”", "ana@example.org", "ABCD 2345", confirmation.Link, "23 November 2026, 12:00 UTC"}},
		"taken":       {letters.AddressTaken("<b>Ana</b>", "ana", links), []string{"Hello <b>Ana</b>,", "“ana”", links.Login, links.Forgot}},
		"kept":        {letters.AddressKept("ana@example.org", links), []string{"ana@example.org", links.Login, "7 days"}},
	} {
		forms, err := brand.Write(t.Context(), test.letter)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range test.says {
			if !strings.Contains(forms.Text, want) {
				t.Errorf("%s: the text does not say %q:\n%s", name, want, forms.Text)
			}
			if !strings.Contains(html.UnescapeString(forms.HTML), want) {
				t.Errorf("%s: the HTML does not say %q", name, want)
			}
		}
		if strings.Contains(forms.HTML, "<b>") {
			t.Errorf("%s: the name adds markup", name)
		}
		if strings.ContainsAny(test.letter.Subject, "\r\n") || len(forms.HTML) > 20<<10 {
			t.Errorf("%s: subject %q, %d bytes of HTML", name, test.letter.Subject, len(forms.HTML))
		}
	}
}
