package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// zooms are windows with browser zoom: 200 % in a window of 1280 by 800, and
// 400 % in one of 1280 by 1024 (WCAG 2.2, 1.4.4 and 1.4.10). With zoom, a page has
// fewer and larger CSS pixels, which width, height and scale simulate.
var zooms = []struct {
	name          string
	width, height int64
	scale         float64
}{
	{"zoomed to 200 %", 640, 400, 2},
	{"zoomed to 400 %", 320, 256, 4},
}

// zoom sets the size of the window in CSS pixels, and their scale.
func (b *tab) zoom(width, height int64, scale float64) {
	b.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: scale,
	})
}

// wantReflow fails unless the zoomed page scrolls in one direction only, and
// nothing covers the element with the focus.
func (b *tab) wantReflow(name string) {
	b.Helper()
	for _, zoom := range zooms {
		b.zoom(zoom.width, zoom.height, zoom.scale)
		for _, fault := range append(b.sideways(), b.covered()...) {
			b.Errorf("%s, %s: %s", name, zoom.name, fault)
		}
		b.picture(name + " " + zoom.name)
	}
}

// wantMirrored fails unless the page also fits from right to left, and codes and
// addresses stay left to right.
func (b *tab) wantMirrored(name string) {
	b.Helper()
	b.direct("rtl")
	for _, width := range []int64{320, 1280} {
		b.screen(width, 800, false)
		for _, fault := range append(b.sideways(), b.reversed()...) {
			b.Errorf("%s, right to left on a screen of %d: %s", name, width, fault)
		}
		b.picture(fmt.Sprintf("%s right to left %d", name, width))
	}
	b.direct("ltr")
}

// direct sets the direction of the page, ltr or rtl.
func (b *tab) direct(direction string) {
	b.Helper()
	ask[string](b, `document.documentElement.dir = %s`, direction)
}

// sideways reports whether the page scrolls sideways, and names the elements
// that cause it.
func (b *tab) sideways() []string {
	b.Helper()
	if got := ask[int64](b, `document.scrollingElement.scrollWidth - innerWidth`); got > 0 {
		return []string{fmt.Sprintf("the page is %d too wide and scrolls sideways: %s", got, b.tooWide())}
	}
	return nil
}

// covered focuses each control in turn and returns those that are out of view, or
// that another element covers at least partly (WCAG 2.2, 2.4.11). If a dialog is
// open, it checks only the dialog.
func (b *tab) covered() []string {
	b.Helper()
	return ask[[]string](b, `(() => {
		const before = document.activeElement, [x, y] = [scrollX, scrollY], faults = [];
		const inside = ([x, y]) => x >= 0 && x < innerWidth && y >= 0 && y < innerHeight;
		const name = (e) => e.outerHTML.slice(0, 90);
		const scope = document.querySelector("dialog[open]") ?? document.body;
		for (const e of scope.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
			if (!e.checkVisibility({ visibilityProperty: true })) continue;
			e.focus();
			if (document.activeElement !== e) continue;
			const points = [...e.getClientRects()].flatMap(({ left, right, top, bottom }) => {
				const [x, y] = [(left + right) / 2, (top + bottom) / 2];
				return [[x, y], [left + 1, y], [right - 1, y], [x, top + 1], [x, bottom - 1]];
			}).filter(inside);
			if (points.length === 0) faults.push("out of sight: " + name(e));
			const over = points.map((p) => document.elementFromPoint(...p))
				.find((top) => top && !top.contains(e) && !e.contains(top) && ![...e.labels ?? []].some((label) => label.contains(top)));
			if (over) faults.push(name(over) + " lies over " + name(e));
		}
		before?.focus({ preventScroll: true });
		scrollTo(x, y);
		return faults;
	})()`)
}

// reversed returns the codes and addresses that follow the direction of the page.
// It leaves out Swagger UI, which supports only one direction.
func (b *tab) reversed() []string {
	b.Helper()
	return ask[[]string](b, `(() => {
		const faults = [];
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walk.nextNode()) {
			const e = walk.currentNode.parentElement;
			if (!e.closest("code, .code") && !/\d+\.\d+\.\d+\.\d+/.test(walk.currentNode.data)) continue;
			if (!e.closest("#swagger-ui") && getComputedStyle(e).direction !== "ltr") faults.push("reversed: " + e.outerHTML.slice(0, 90));
		}
		return faults;
	})()`)
}

// TestReflowChecksFail shows that the checks of zoomed and mirrored pages find
// faults.
func TestReflowChecksFail(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/sessions")
	for _, zoom := range zooms {
		b.zoom(zoom.width, zoom.height, zoom.scale)
		if got, want := ask[float64](b, `innerWidth * devicePixelRatio`), 1280.0; got != want {
			t.Errorf("%s: the window is %v wide, want %v", zoom.name, got, want)
		}
		b.wantFaults(`main { min-inline-size: 641px }`, b.sideways)
		b.wantFaults(`.top { position: sticky; inset-block-start: 0; z-index: 1; min-block-size: 60vh }`, b.covered)
		b.wantFaults(`.foot { position: fixed; inset-block-end: 0; inset-inline: 0; min-block-size: 40vh }`, b.covered)
	}
	b.direct("rtl")
	b.wantFaults(`main { margin-inline-end: -99px }`, b.sideways)
	b.wantFaults(`.code { direction: inherit !important }`, b.reversed)
}
