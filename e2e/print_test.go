package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestPrint checks printed pages, on a dark device and with the dark theme: dark
// text on white, no bar, footer or controls, folded parts open, and nothing cut
// off at the side.
func TestPrint(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(3)
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.switchTheme("dark")
	b.visit("/admin/users")
	b.press("Ingrid")
	user := b.at()
	b.visit("/profile/name")
	b.press("Save name") // the account page then has a message
	for _, path := range []string{"/profile", user, "/admin", "/admin/users", "/admin/audit", "/admin/settings"} {
		if b.at() != path {
			b.wantStatus(b.visit(path), 200)
		}
		b.paper()
		b.wantFaults(`.top, .rail, .foot { display: flex !important }`, b.onScreenOnly)
		b.wantFaults(`body { color: #ddd }`, b.unreadable)
		if got, want := b.background(), "rgb(255, 255, 255)"; got != want {
			t.Errorf("%s: got the background %s on paper, want %s", path, got, want)
		}
		for check, find := range map[string]func() []string{"ink": b.unreadable, "only for the screen": b.onScreenOnly, "folded": b.folded, "width": b.sideways} {
			for _, fault := range find() {
				t.Errorf("%s on paper: %s: %s", path, check, fault)
			}
		}
		b.picture("print " + path[1:])
		b.screen(1280, 800, true)
	}
}

// paper shows the page as on a sheet of A4 with the margins of a browser.
func (b *tab) paper() {
	b.Helper()
	b.screen(718, 1000, true)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: "dark"},
	}})
}

// onScreenOnly returns the parts of the page that are useless on paper.
func (b *tab) onScreenOnly() []string {
	b.Helper()
	return ask[[]string](b, `[...document.querySelectorAll(".top, .rail, .foot, button, .btn, input, select, textarea")]
		.filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 90))`)
}

// folded returns the parts of the page that are folded away under a title.
func (b *tab) folded() []string {
	b.Helper()
	return ask[[]string](b, `[...document.querySelectorAll("details > :not(summary)")]
		.filter((e) => !e.checkVisibility() && getComputedStyle(e).display !== "none").map((e) => e.outerHTML.slice(0, 90))`)
}
