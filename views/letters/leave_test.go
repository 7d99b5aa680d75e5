package letters_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/views/letters"
)

// TestLeaveLetters checks the letters of invitations and of deleted accounts: both
// forms say the same, nothing is loaded, and they are short.
func TestLeaveLetters(t *testing.T) {
	brand := letters.Brand{Name: "Example", URL: "https://id.example.org", SupportEmail: "help@example.org", Accent: "#14523f", OnAccent: "#ffffff"}
	until := time.Date(2026, 12, 24, 9, 30, 0, 0, time.UTC)
	const link = "https://id.example.org/signup?invite=abc"
	for _, test := range []struct {
		letter  letters.Letter
		subject string
		says    []string
	}{
		{letters.Invitation("Example", link, until), "You are invited to Example", []string{link, "choose a username and a password", "The link works once, until 24 December 2026, 09:30 UTC."}},
		{letters.Goodbye("Example", "help@example.org", "Ana"), "Your Example account is deleted", []string{"Hello Ana,", "You deleted your account.", "write to help@example.org"}},
		{letters.Goodbye("Example", "", ""), "Your Example account is deleted", []string{"ask the operator of Example"}},
		{letters.Deleted("Example", "", "Ana", until), "Your Example account was deleted", []string{"An admin can restore the account until 24 December 2026, 09:30 UTC.", "ask the operator of Example"}},
	} {
		if test.letter.Subject != test.subject {
			t.Errorf("got the subject %q, want %q", test.letter.Subject, test.subject)
		}
		forms, err := brand.Write(t.Context(), test.letter)
		if err != nil {
			t.Fatal(err)
		}
		for name, form := range map[string]string{"text": forms.Text, "HTML": forms.HTML} {
			for _, want := range test.says {
				if !strings.Contains(form, want) {
					t.Errorf("%s, %s: lacks %q:\n%s", test.subject, name, want, form)
				}
			}
			if len(form) > 20<<10 || strings.Contains(form, "src=") || strings.Contains(form, "url(") {
				t.Errorf("%s, %s: %d bytes, or it loads something", test.subject, name, len(form))
			}
		}
	}
}
