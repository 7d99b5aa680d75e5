package e2e

import (
	"strings"
	"testing"
)

func TestTheme(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		b.visit("/login?next=%2Fprofile%2Fsessions")
		light := b.background()
		if script {
			b.fill("Email or username", "half an addr")
			b.switchTheme("dark")
			b.wantAt("/login?next=%2Fprofile%2Fsessions")
			if got, want := b.value("Email or username"), "half an addr"; got != want {
				t.Errorf("got %q in the form after the switch, want %q as typed", got, want)
			}
		} else {
			if ask[bool](b, `document.querySelector(".foot form").checkVisibility()`) {
				t.Error("without script a page with a form has a switch, which would empty the form")
			}
			b.visit("/forgot/sent")
			b.switchTheme("dark")
			b.wantAt("/forgot/sent")
		}
		b.wantTheme("dark")
		dark := b.background()
		if light == dark {
			t.Errorf("both themes have the background %s", light)
		}
		b.signIn(ana.username, ana.password)
		b.wantTheme("dark")
		if got := b.background(); got != dark {
			t.Errorf("got the background %s on the profile, want %s", got, dark)
		}
		b.visit("/profile/theme")
		b.tick("Light")
		b.press("Save theme")
		b.wantAt("/profile")
		b.wantTheme("light")
		b.screen(1280, 800, true) // the device prefers dark, the person does not
		if got := b.background(); got != light {
			t.Errorf("got the background %s, want %s", got, light)
		}
		b.press("Theme")
		b.tick("Same as this device")
		b.press("Save theme")
		b.wantTheme("")
		if got := b.background(); got != dark {
			t.Errorf("got the background %s on a dark device, want %s", got, dark)
		}
	})
}

// switchTheme uses the switch in the footer. Without script this reloads the page.
func (b *tab) switchTheme(theme string) {
	b.Helper()
	button := "Use " + theme + " theme"
	if ask[bool](b, `matchMedia("(scripting: none)").matches`) {
		b.wantStatus(b.press(button), 200)
		return
	}
	b.click(button)
	b.wantThemeStored(theme)
}

// wantThemeStored waits until the next page has the theme.
func (b *tab) wantThemeStored(theme string) {
	b.Helper()
	waitFor(b.T, "the theme to be stored", func() bool {
		cookie := b.cookies()["theme"]
		return cookie != nil && cookie.Value == theme
	})
}

// background returns the background colour of the page.
func (b *tab) background() string {
	b.Helper()
	return ask[string](b, `getComputedStyle(document.body).backgroundColor`)
}

// wantTheme fails unless the page has the theme, already in its HTML: if a script
// set it, the other theme would flash first.
func (b *tab) wantTheme(want string) {
	b.Helper()
	if got := ask[string](b, `document.documentElement.dataset.theme ?? ""`); got != want {
		b.Errorf("got theme %q, want %q", got, want)
	}
	html := ask[string](b, `fetch(location.href).then((r) => r.text())`)
	head, _, _ := strings.Cut(html, "<head>")
	if got := strings.Contains(head, `data-theme="`+want+`"`); got != (want != "") {
		b.Errorf("the HTML starts with %s, want theme %q", head, want)
	}
}
