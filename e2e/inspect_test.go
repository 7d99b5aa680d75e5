package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// looks are the screens on which every page is inspected.
var looks = []struct {
	name          string
	width, height int64
	dark          bool
}{
	{"wide light", 1280, 800, false},
	{"wide dark", 1280, 800, true},
	{"phone dark", 320, 640, true},
	{"phone light", 320, 640, false},
}

// inspect checks the open page for the rules that every page has to meet.
// axe-core finds no fault, in light and dark, on a wide screen and on a narrow
// phone. The page does not scroll sideways, even if it is enlarged, laid out from
// right to left or printed. Its text can be read in forced colours and on paper. It
// has no inline style or script, does not shift while it loads, and sends each form
// only once. name is the state of the page in messages and in the names of
// screenshots.
func (b *tab) inspect(name string) {
	b.Helper()
	b.wantNothingInline(name)
	if got := ask[[]string](b, `[...document.querySelectorAll("form[method=post]:not([data-once], [data-stay], [data-download])")].map((e) => e.outerHTML.slice(0, 90))`); len(got) > 0 {
		b.Errorf("%s: got %q, which a second click would send again", name, got)
	}
	for _, shift := range b.layoutShifts() {
		b.Errorf("%s: the page moved while it loaded: %s", name, shift)
	}
	b.wantNamesApart(name)
	b.inspectLooks(name)
	b.inspectAdjusted(name)
}

// inspectAdjusted checks the page in forced colours and on paper.
func (b *tab) inspectAdjusted(name string) {
	b.Helper()
	report := func(where string, checks map[string]func() []string) {
		b.Helper()
		for check, find := range checks {
			for _, fault := range find() {
				b.Errorf("%s, %s: %s: %s", name, where, check, fault)
			}
		}
	}
	b.forceColors(false)
	report("forced colours", map[string]func() []string{"text": b.unreadable, "edges": b.unbounded})
	b.paper()
	report("on paper", map[string]func() []string{"ink": b.unreadable, "width": b.sideways})
	b.screen(1280, 800, false)
}

// inspectLooks is inspect for a page that may have inline styles.
func (b *tab) inspectLooks(name string) {
	b.Helper()
	b.watch.mute(true) // the content security policy blocks parts of axe-core
	defer b.watch.mute(false)
	ask[chromedp.Void](b, strings.ReplaceAll(suite.axe, "%", "%%")+"; undefined")
	var doubts []doubt
	for _, look := range looks {
		b.screen(look.width, look.height, look.dark)
		found := b.axe()
		for _, fault := range append(found.Violations, b.sideways()...) {
			b.Errorf("%s, %s: %s", name, look.name, fault)
		}
		doubts = append(doubts, found.Incomplete...)
		b.picture(name + " " + look.name)
	}
	for _, fault := range review(name, doubts) {
		b.Errorf("%s: %s", name, fault)
	}
	b.screen(768, 1024, false)
	for _, fault := range b.sideways() {
		b.Errorf("%s, on a tablet: %s", name, fault)
	}
	b.wantReflow(name)
	b.wantMirrored(name)
	b.screen(1280, 800, false)
}

// wantNothingInline fails if the page has an inline style or script. The content
// security policy would block both.
func (b *tab) wantNothingInline(name string) {
	b.Helper()
	got := ask[[]string](b, `[...document.querySelectorAll("*")].flatMap((e) => [
		...(e.matches("style, script:not([src])") ? [e.localName] : []),
		...e.getAttributeNames().filter((a) => a === "style" || a.startsWith("on")).map((a) => e.localName + " " + a),
	])`)
	if len(got) > 0 {
		b.Errorf("%s: got inline %q, want none", name, got)
	}
}

// layoutShifts returns what moved since the page began to load. It returns
// nothing when it is called again for the same page, because changing the size
// of the window moves everything. Shifts below 0.001 are left out: a busy machine
// may paint a centered line before its last word has arrived.
func (b *tab) layoutShifts() []string {
	b.Helper()
	return ask[[]string](b, `(() => {
		if (window.inspected) return [];
		window.inspected = true;
		const seen = new PerformanceObserver(() => {});
		seen.observe({ type: "layout-shift", buffered: true });
		return seen.takeRecords().filter((shift) => !shift.hadRecentInput && shift.value >= 0.001).map((shift) => shift.value + " " + shift.sources.map((s) =>
			[s.previousRect, s.currentRect].map((r) => [r.x, r.y, r.width, r.height].join(" ")).join(" to ") + " " +
			(s.node?.outerHTML ?? s.node?.textContent ?? "").slice(0, 100)));
	})()`)
}

// tooWide returns the elements that make a page scroll sideways.
func (b *tab) tooWide() []string {
	b.Helper()
	return ask[[]string](b, `[...document.querySelectorAll("body *")]
		.filter((e) => document.dir === "rtl" ? e.getBoundingClientRect().left < 0 : e.getBoundingClientRect().right > innerWidth)
		.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))`)
}

// picture saves a screenshot of the whole page if LATCHKEY_E2E_SCREENSHOTS is
// set.
func (b *tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("LATCHKEY_E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	b.must("make a folder for pictures", os.MkdirAll(dir, 0o755))
	size := ask[struct{ W, H float64 }](b, `({ W: innerWidth, H: Math.min(document.documentElement.scrollHeight, 4000) })`)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: new(true),
		Clip:                  &page.Viewport{Width: size.W, Height: size.H, Scale: 1},
	})
	b.must("take a picture", err)
	file := strings.NewReplacer(" ", "-", "/", "-").Replace(name) + ".png"
	b.must("save a picture", os.WriteFile(filepath.Join(dir, file), shot.Data, 0o644))
}

// people creates n accounts with realistic names, each signed in once.
func (p *portal) people(n int) {
	p.t.Helper()
	first := []string{"Noor", "Mateo", "Ingrid", "Kwame", "Yuki", "Priya", "Tomasz", "Leila", "Bram", "Sofía"}
	last := []string{"Haddad", "Vargas", "Lindqvist", "Mensah", "Tanaka", "Raman", "Nowak", "Farahani", "de Wit", "Ortega"}
	for i := range n {
		p.signUp(newAccount(fmt.Sprintf("person%02d", i), first[i%len(first)]+" "+last[(i/len(first)+i)%len(last)]))
	}
}
