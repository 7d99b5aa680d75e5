package letters_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/views/letters"
)

var brand = letters.Brand{
	Name: "Harbour & Söhne", URL: "https://id.example.org", SupportEmail: "help@example.org", Accent: "#14523f", OnAccent: "#ffffff",
}

// samples are letters of every form. Who adds a kind of letter adds one here.
func samples() map[string]letters.Letter {
	at := letters.Time(time.Date(2026, 11, 22, 14, 32, 0, 0, time.UTC))
	facts := []letters.Fact{{"Time", at}, {"Device", "Firefox on Linux"}, {"Address", "2001:db8:85a3::8a2e:370:7334"}}
	long := brand.URL + "/reset?token=" + strings.Repeat("Ab3-_", 9)
	return map[string]letters.Letter{
		"reset": {
			Subject: "Reset your password at Harbour & Söhne", Name: "Ana Silva",
			Text:   []string{"Someone, probably you, asked for a link to choose a new password.", "The link works once, within 30 minutes."},
			Button: letters.Link{Label: "Choose a new password", URL: long},
			Facts:  facts,
			After:  []string{"If this was not you, there is nothing to do: your password stays as it is."},
		},
		"verify": {
			Subject: "Confirm your email address at Harbour & Söhne", Name: "Ana Silva",
			Text:   []string{"Confirm that ana@example.org is your address."},
			Button: letters.Link{Label: "Confirm this address", URL: brand.URL + "/verify?token=" + strings.Repeat("x", 43)},
			Code:   "K7MQ-4RXT",
			After:  []string{"The link and the code work for 24 hours."},
		},
		"notice": {
			Subject: "New sign-in to your account at Harbour & Söhne", Name: "<script>alert(1)</script>",
			Text: []string{"Someone signed in to your account on a device that we did not know."}, Facts: facts,
			After: []string{"If this was you, there is nothing to do."},
			Alarm: letters.Link{Label: "Secure my account", URL: brand.URL + "/secure?token=" + strings.Repeat("y", 43)},
		},
		"disabled": {
			Subject: "Your account at Harbour & Söhne is disabled",
			Text:    []string{"Someone asked for a link to choose a new password, but this account is disabled. An admin can enable it."},
		},
		"everything": {
			Subject: strings.Repeat("A long subject ", 8), Name: strings.Repeat("Maximiliane ", 10),
			Text:  repeat("A paragraph of some length, which says what happened and what to do about it, in plain words.", 8),
			Facts: append(facts, letters.Fact{Label: "A label that is long", Value: strings.Repeat("0123456789abcdef", 8)}),
			Code:  "K7MQ-4RXT", Button: letters.Link{Label: "Do it now", URL: long}, After: repeat("And then another one.", 4),
			Alarm: letters.Link{Label: "Secure my account", URL: long},
		},
	}
}

func repeat(text string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = text
	}
	return list
}

// maxSize is the most that both forms of a letter may take together. In a message
// they are encoded, which adds about a tenth.
const maxSize = 18 << 10

var (
	anyURL    = regexp.MustCompile(`(?i)\b[a-z][a-z+.-]*://[^\s"'<>]+`)
	reference = regexp.MustCompile(`(?i)(?:href|src|srcset|action|background|poster|data|xlink:href)\s*=\s*"([^"]*)"`)
	remote    = regexp.MustCompile(`(?i)<(?:img|script|link|iframe|object|embed|video|audio|source|base|form|svg|picture|input)\b|url\(|@import|@font-face`)
	tags      = regexp.MustCompile(`(?s)<style.*?</style>|<title.*?</title>|<[^>]*>`)
	entities  = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&")
	spaces    = regexp.MustCompile(`\s+`)
)

// TestLetters checks both forms of every letter: small, nothing to be loaded, links
// only to the portal, and everything that one says is in the other too.
func TestLetters(t *testing.T) {
	for name, letter := range samples() {
		t.Run(name, func(t *testing.T) {
			forms, err := brand.Write(t.Context(), letter)
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("LETTERS_DIR"); dir != "" { // to look at them
				if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(forms.HTML), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(forms.Text) + len(forms.HTML); n > maxSize {
				t.Errorf("%d bytes, want at most %d", n, maxSize)
			}
			if found := remote.FindString(forms.HTML); found != "" {
				t.Errorf("%q loads something", found)
			}
			for form, text := range map[string]string{"text": forms.Text, "HTML": forms.HTML} {
				for _, link := range anyURL.FindAllString(text, -1) {
					checkLink(t, form, entities.Replace(link))
				}
			}
			for _, found := range reference.FindAllStringSubmatch(forms.HTML, -1) {
				checkLink(t, "HTML", entities.Replace(found[1]))
			}
			plain := spaces.ReplaceAllString(forms.Text, " ")
			read := spaces.ReplaceAllString(entities.Replace(tags.ReplaceAllString(forms.HTML, " ")), " ")
			for _, words := range said(letter) {
				words = strings.TrimSpace(spaces.ReplaceAllString(words, " "))
				if !strings.Contains(plain, words) {
					t.Errorf("the text does not say %q:\n%s", words, forms.Text)
				}
				if !strings.Contains(read, words) && !strings.Contains(forms.HTML, `href="`+words+`"`) {
					t.Errorf("the HTML does not say %q:\n%s", words, read)
				}
			}
		})
	}
}

// said are the words of a letter, except its subject, which is a header.
func said(l letters.Letter) []string {
	list := append([]string{l.Name, l.Code, l.Button.Label, l.Button.URL, l.Alarm.URL, brand.Name, brand.SupportEmail}, l.Text...)
	list = append(list, l.After...)
	for _, fact := range l.Facts {
		list = append(list, fact.Label, fact.Value)
	}
	return list
}

// checkLink checks that a link leads to the portal.
func checkLink(t *testing.T, form, link string) {
	t.Helper()
	u, err := url.Parse(strings.TrimRight(link, ".,"))
	if err != nil || u.Scheme+"://"+u.Host != brand.URL {
		t.Errorf("%s: the link %q leads elsewhere", form, link)
	}
}

// TestText checks the whole text of a letter, as a person reads it.
func TestText(t *testing.T) {
	forms, err := brand.Write(t.Context(), samples()["verify"])
	if err != nil {
		t.Fatal(err)
	}
	want := `Hello Ana Silva,

Confirm that ana@example.org is your address.

Confirm this address:
https://id.example.org/verify?token=` + strings.Repeat("x", 43) + `

Or type this code:
K7MQ-4RXT

The link and the code work for 24 hours.

-- 
This message is from Harbour & Söhne, https://id.example.org. For help, write to help@example.org.
`
	if forms.Text != want {
		t.Errorf("got:\n%s\nwant:\n%s", forms.Text, want)
	}
}
