package static

import (
	"regexp"
	"strings"
	"testing"
)

// TestTokenContrast checks the contrast of the stylesheet's own colours: of text
// and icons with every background on which they are used, of labels with their
// button, and of the edges of controls (WCAG 2.2, 1.4.3 and 1.4.11).
func TestTokenContrast(t *testing.T) {
	css := stylesheet(t, "css/app.css")
	for _, test := range []struct {
		name  string
		on    string // other backgrounds, besides the page's; "" for none
		alone bool   // it is never on the page's backgrounds
		least float64
	}{
		{name: "ink", on: "ok-tint warn-tint bad-tint", least: textContrast},
		{name: "muted", least: textContrast},
		{name: "accent-ink", least: textContrast},
		{name: "ok", on: "ok-tint", least: textContrast},
		{name: "warn", on: "warn-tint", least: textContrast},
		{name: "danger", on: "bad-tint", least: textContrast},
		{name: "on-danger", on: "danger danger-hover", alone: true, least: textContrast},
		{name: "on-accent", on: "accent accent-hover", alone: true, least: textContrast},
		{name: "edge", least: edgeContrast},
	} {
		light, dark := tokens(t, css, test.name)
		onLight, onDark := lightGrounds[:], darkGrounds[:]
		if test.alone {
			onLight, onDark = nil, nil
		}
		for ground := range strings.FieldsSeq(test.on) {
			a, b := tokens(t, css, ground)
			onLight, onDark = append(onLight, a), append(onDark, b)
		}
		for scheme, got := range map[string]float64{"light": lowest(light, onLight), "dark": lowest(dark, onDark)} {
			if got < test.least {
				t.Errorf("%s in %s: contrast %.2f, want at least %v", test.name, scheme, got, test.least)
			}
		}
	}
}

// TestTileContrast checks the initials of people, in each of the eight tints.
func TestTileContrast(t *testing.T) {
	tints := regexp.MustCompile(`\.t\d \{[^}]*\}`).FindAllString(stylesheet(t, "css/signed-in.css"), -1)
	if len(tints) != 8 {
		t.Errorf("got %d tints, want 8", len(tints))
	}
	for _, tint := range tints {
		light, dark := tokens(t, tint, "tint")
		inkLight, inkDark := tokens(t, tint, "tint-ink")
		if got := min(contrast(light, inkLight), contrast(dark, inkDark)); got < textContrast {
			t.Errorf("%s: contrast %.2f, want at least %v", tint, got, textContrast)
		}
	}
}

// stylesheet reads a stylesheet, with every colour in six digits.
func stylesheet(t *testing.T, name string) string {
	t.Helper()
	css, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(css), "(#fff,", "(#ffffff,")
}
