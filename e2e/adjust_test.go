package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// Pages that people adjust to their vision, with their own colours or wider text
// spacing. Each test first shows that its checks can fail.

// adjusted runs a test on one page of each kind: signed out, a form with lists,
// and a table.
func adjusted(t *testing.T, f func(b *tab, name string)) {
	t.Helper()
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(5)
	b := open(t, p, true)
	b.wantStatus(b.visit("/login"), 200)
	f(b, "login")
	b.fill("Email or username", "nobody")
	b.fill("Password", "not the password")
	b.wantStatus(b.press("Sign in"), 422)
	f(b, "login wrong")
	b.signIn(boss.username, boss.password)
	for _, path := range []string{"/profile", "/profile/tokens", "/admin", "/admin/users"} {
		b.wantStatus(b.visit(path), 200)
		f(b, path[1:])
	}
}

// restyle applies a user style sheet until the next page loads. The content
// security policy does not apply to it, because it does not come from the page.
func (b *tab) restyle(css string) {
	b.Helper()
	ask[bool](b, `(() => {
		const sheet = new CSSStyleSheet();
		sheet.replaceSync(%s);
		document.adoptedStyleSheets = [sheet];
		return true;
	})()`, css)
}

// wantFaults applies a style that breaks the page and fails unless the check
// finds a fault. It then removes the style.
func (b *tab) wantFaults(css string, check func() []string) {
	b.Helper()
	b.restyle(css)
	if len(check()) == 0 {
		b.Errorf("%s passes with %q", b.at(), css)
	}
	b.restyle("")
}

// TestForcedColors checks pages in forced colours (CSS Color Adjustment 1 §3),
// light on dark and dark on light: text, edges and the focus stay visible.
func TestForcedColors(t *testing.T) {
	adjusted(t, func(b *tab, name string) {
		for _, look := range looks {
			b.screen(look.width, look.height, look.dark)
			b.forceColors(look.dark)
			b.until("the colours to be forced", `matchMedia("(forced-colors: active)").matches`)
			b.wantFaults(`p, label, h1 { forced-color-adjust: none; color: Canvas !important; background: none !important }`, b.unreadable)
			b.wantFaults(`.btn, .input, button { border-color: Canvas !important; border-width: 0 !important }`, b.unbounded)
			b.wantFaults(`:focus-visible { outline: none !important }`, b.ringless)
			for check, find := range map[string]func() []string{"text": b.unreadable, "edges": b.unbounded, "focus": b.ringless} {
				for _, fault := range find() {
					b.Errorf("%s, %s, forced colours: %s: %s", name, look.name, check, fault)
				}
			}
			b.picture("forced " + name + " " + look.name)
		}
		b.screen(1280, 800, false)
	})
}

func (b *tab) forceColors(dark bool) {
	b.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"},
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// colours are functions about painted colours. contrast is defined as in WCAG
// 2.2. behind returns the background of the nearest ancestor that has one.
const colours = `
	const rgba = (c) => (c.match(/[\d.]+/g) ?? []).map(Number);
	const luminance = (c) => rgba(c).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
	const clear = (c) => rgba(c)[3] === 0;
	const canvas = () => { const e = document.documentElement; const c = getComputedStyle(e).backgroundColor;
		return clear(c) ? getComputedStyle(document.body).backgroundColor : c; };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!clear(c)) return c; } return canvas(); };
	const hidden = (e) => Boolean(e.closest(".vh, .skip, [hidden]")) || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
	const name = (e) => e.outerHTML.slice(0, 90);
`

// unreadable returns the texts that have too little contrast with their
// background.
func (b *tab) unreadable() []string {
	b.Helper()
	return ask[[]string](b, `(() => {`+colours+`
		const faults = [];
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) {
			const e = walk.currentNode.parentElement;
			if (!walk.currentNode.data.trim() || e.matches("script, style, option") || hidden(e)) continue;
			const ratio = contrast(getComputedStyle(e).color, behind(e));
			if (!(ratio >= 4.5)) faults.push(ratio.toFixed(1) + " " + name(e));
		}
		return faults;
	})()`)
}

// unbounded returns the buttons and fields whose edge is invisible. It leaves out
// checkboxes and radio buttons, which the browser draws.
func (b *tab) unbounded() []string {
	b.Helper()
	return ask[[]string](b, `(() => {`+colours+`
		return [...document.querySelectorAll("button, .btn, input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea")]
			.filter((e) => !hidden(e) && !e.readOnly).flatMap((e) => {
				const style = getComputedStyle(e);
				const ratio = contrast(style.borderTopColor, behind(e.parentElement));
				return parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle !== "none" && !clear(style.borderTopColor) && ratio >= 3
					? [] : [style.borderTop + " " + name(e)];
			});
	})()`)
}

// ringless moves through the page with the Tab key and returns the elements that
// show no ring when they have the focus (WCAG 2.2, 2.4.7).
func (b *tab) ringless() []string {
	b.Helper()
	ask[bool](b, `(() => { document.activeElement?.blur(); getSelection().collapse(document.body, 0); window.visited = new Set(); return true; })()`)
	var faults []string
	for range 60 {
		b.key(tabKey)
		at := ask[struct {
			Done  bool
			Fault string
		}](b, `(() => {`+colours+`
			const e = document.activeElement;
			if (!e || e === document.body || window.visited.has(e)) return { Done: true, Fault: "" };
			window.visited.add(e);
			const style = getComputedStyle(e);
			const ring = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none" && contrast(style.outlineColor, behind(e.parentElement)) >= 3;
			return { Done: false, Fault: ring ? "" : style.outline + " " + name(e) };
		})()`)
		if at.Done {
			break
		}
		if at.Fault != "" {
			faults = append(faults, at.Fault)
		}
	}
	if ask[int](b, `window.visited.size`) < 3 {
		b.Errorf("%s: the Tab key reaches fewer than three elements", b.at())
	}
	return faults
}

// spacing is the text spacing that a page must support (WCAG 2.2, 1.4.12).
const spacing = `* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-block-end: 2em !important }`

// TestTextSpacing widens the text spacing and checks that no text is cut off and
// no page scrolls sideways on a phone.
func TestTextSpacing(t *testing.T) {
	adjusted(t, func(b *tab, name string) {
		for _, look := range looks {
			b.screen(look.width, look.height, look.dark)
			b.wantFaults(`h1 { max-block-size: 0.5em !important; overflow: hidden !important }`, b.clipped)
			b.restyle(spacing)
			for _, fault := range b.clipped() {
				b.Errorf("%s, %s, wide text spacing: cut off: %s", name, look.name, fault)
			}
			if got := ask[int64](b, `document.scrollingElement.scrollWidth`); got > look.width {
				b.Errorf("%s, %s, wide text spacing: the page is %d wide and scrolls sideways: %s", name, look.name, got, b.tooWide())
			}
			b.picture("spaced " + name + " " + look.name)
			b.restyle("")
		}
		b.screen(1280, 800, false)
	})
}

// clipped returns the elements that hide a part of their content. It leaves out
// text for screen readers, fields, which can be scrolled, and shortened lines
// whose title has the full text.
func (b *tab) clipped() []string {
	b.Helper()
	return ask[[]string](b, `[...document.querySelectorAll("body *")]
		.filter((e) => !(e instanceof SVGElement) && !e.closest(".vh, input") && !(e.title && getComputedStyle(e).webkitLineClamp !== "none") && e.clientWidth > 1 && e.checkVisibility({ visibilityProperty: true }))
		.filter((e) => {
			const { overflowX, overflowY } = getComputedStyle(e);
			const hides = (overflow) => overflow === "hidden" || overflow === "clip";
			return hides(overflowX) && e.scrollWidth > e.clientWidth + 1 || hides(overflowY) && e.scrollHeight > e.clientHeight + 1;
		})
		.map((e) => e.scrollWidth + "x" + e.scrollHeight + " in " + e.clientWidth + "x" + e.clientHeight + " " + e.outerHTML.slice(0, 90))`)
}
