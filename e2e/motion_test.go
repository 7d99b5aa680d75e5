package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestReducedMotion checks that neither pages nor an open dialog have motion for
// people who prefer reduced motion. For others, colours fade, which shows that the
// check can find motion.
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
	b.watch.expect("Form") // Swagger UI's fields have no proper labels
	b.visit("/docs")
	b.until("Swagger UI to be there", `document.querySelector(".opblock-tag")`)
	b.wantStill("docs")
	b.signIn(boss.username, boss.password)
	for _, path := range []string{"/profile", "/profile/sessions", "/profile/tokens", "/profile/security/app", "/admin", "/admin/users"} {
		b.wantStatus(b.visit(path), 200)
		b.wantStill(path)
	}
	b.press("Ana Silva")
	b.question("Disable")
	b.wantFaults(`dialog { transition: opacity 1s }`, b.moving)
	b.wantFaults(`@keyframes dim { from { opacity: 0 } } dialog::backdrop { animation: dim 20ms }`, b.moving)
	b.wantStill("dialog")
}

// wantStill fails unless the page has motion, but none for people who prefer
// reduced motion.
func (b *tab) wantStill(name string) {
	b.Helper()
	b.preferMotion("no-preference")
	if len(b.moving()) == 0 {
		b.Errorf("%s: nothing moves without a preference, so the check proves nothing", name)
	}
	b.preferMotion("reduce")
	for _, fault := range b.moving() {
		b.Errorf("%s: moves despite reduced motion: %s", name, fault)
	}
}

// preferMotion sets the device's preference for motion: no-preference or reduce.
func (b *tab) preferMotion(preference string) {
	b.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: preference},
	}})
}

// moving returns the elements with a transition or animation longer than 10 ms.
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
