package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestReducedMotion wants pages to keep still for people who ask for it, and
// an open dialog with them. Where nobody asks, colours do fade, so that there
// is something to find.
func TestReducedMotion(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.visit("/login")
	b.wantStill("login")
	b.visit("/signup")
	b.wantStill("signup")
	b.watch.expect("Form") // Swagger UI's fields and their labels
	b.visit("/docs")
	b.until("Swagger UI to be there", `document.querySelector(".opblock-tag")`)
	b.wantStill("docs")
	b.signIn(boss.username, boss.password)
	for _, path := range []string{"/profile", "/profile/sessions", "/profile/tokens", "/admin", "/admin/users"} {
		b.wantStatus(b.visit(path), 200)
		b.wantStill(path)
	}
	b.press("Ana Silva")
	b.question("Disable")
	b.wantFaults(`dialog { transition: opacity 1s }`, b.moving)
	b.wantFaults(`@keyframes dim { from { opacity: 0 } } dialog::backdrop { animation: dim 20ms }`, b.moving)
	b.wantStill("dialog")
}

// wantStill fails unless the page moves, and does not for people who prefer so.
func (b *tab) wantStill(name string) {
	b.Helper()
	b.preferMotion("no-preference")
	if len(b.moving()) == 0 {
		b.Errorf("%s: nothing moves for anybody, so that reduced motion shows nothing", name)
	}
	b.preferMotion("reduce")
	for _, fault := range b.moving() {
		b.Errorf("%s: moves for people who prefer that nothing does: %s", name, fault)
	}
}

// preferMotion sets what the device says about motion, no-preference or reduce.
func (b *tab) preferMotion(preference string) {
	b.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: preference},
	}})
}

// moving names what has a transition or an animation of more than 10 ms.
func (b *tab) moving() []string {
	b.Helper()
	return ask[[]string](b, `(() => {
		const longest = (durations) => Math.max(0, ...durations.split(",").map((d) => parseFloat(d) || 0)); // always in seconds
		const parts = ["", "::before", "::after", "::backdrop", "::details-content"];
		return [...document.querySelectorAll("*")].flatMap((e) => parts.flatMap((part) => {
			const { transitionDuration, animationDuration } = getComputedStyle(e, part);
			const seconds = Math.max(longest(transitionDuration), longest(animationDuration));
			return seconds > 0.01 ? [seconds + " s: " + part + " " + e.outerHTML.slice(0, 90)] : [];
		}));
	})()`)
}
