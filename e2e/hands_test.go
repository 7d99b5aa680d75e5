package e2e

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// finders are JavaScript functions that find visible elements by their text, as a
// person does.
const finders = `
	const words = (e) => (e.getAttribute("aria-label") ?? (e.querySelector(":scope.row > .label") ?? e).textContent).replace(/\s+/g, " ").trim();
	const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && (!document.querySelector("dialog[open]") || e.closest("dialog[open]"));
	const pick = (all, name) => all.find((e) => words(e) === name) ?? all.find((e) => words(e).startsWith(name));
	const visible = (selector) => [...document.querySelectorAll(selector)].filter(seen);
	const button = (name) => pick(visible("a, button, summary, input[type=submit]"), name);
	const field = (name) => pick(visible("label"), name)?.control;
`

// point is a position in the window.
type point struct{ X, Y float64 }

// click clicks the link or button with this name, or else the first one whose
// name begins with it.
func (b *tab) click(name string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.must("click "+name, chromedp.Do(ctx, b.clicking(name)))
}

// press clicks a link or button that leads to another page, and returns the
// status of that page.
func (b *tab) press(name string) int {
	b.Helper()
	return b.loading("press "+name, b.clicking(name))
}

// buttonNamed returns the full name of the link or button whose name has a prefix:
// "Sign out Safari on iPhone, signed in" is followed by the time.
func (b *tab) buttonNamed(beginning string) string {
	b.Helper()
	return ask[string](b, `(() => {`+finders+` const e = button(%s); return e ? words(e) : ""; })()`, beginning)
}

func (b *tab) clicking(name string) chromedp.Action[chromedp.Void] {
	b.Helper()
	at := b.place("button", name)
	return chromedp.MouseClickXY(at.X, at.Y)
}

// place scrolls an element into view and returns the position of its middle.
// find is one of the finders.
func (b *tab) place(find, name string) point {
	b.Helper()
	at := ask[*point](b, `(() => {`+finders+`
		const e = `+find+`(%s);
		if (!e) return null;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const box = e.getClientRects()[0];
		return { X: box.x + box.width / 2, Y: box.y + box.height / 2 };
	})()`, name)
	if at == nil {
		b.Fatalf("there is no %s %q on %s:\n%s", find, name, b.at(), b.text())
	}
	return *at
}

// fill replaces the content of the field with this label.
func (b *tab) fill(label, text string) {
	b.Helper()
	found := ask[bool](b, `(() => {`+finders+`
		const e = field(%s);
		if (!e) return false;
		e.focus();
		if (e.type === "date") e.value = ""; else e.select();
		return true;
	})()`, label)
	if !found {
		b.Fatalf("there is no field %q on %s:\n%s", label, b.at(), b.text())
	}
	if text == "" {
		b.key(deleteKey)
		return
	}
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// tick clicks the label of a checkbox or a radio button.
func (b *tab) tick(label string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	at := b.place("field", label)
	b.must("tick "+label, chromedp.Do(ctx, chromedp.MouseClickXY(at.X, at.Y)))
}

// choose selects an option of a list.
func (b *tab) choose(label, option string) {
	b.Helper()
	found := ask[bool](b, `(() => {`+finders+`
		const list = field(%s);
		const option = [...list?.options ?? []].find((o) => o.label === %s);
		if (option) option.selected = true;
		return Boolean(option);
	})()`, label, option)
	if !found {
		b.Fatalf("there is no %q in the list %q", option, label)
	}
}

// value returns the value of a field.
func (b *tab) value(label string) string {
	b.Helper()
	return ask[string](b, `(() => {`+finders+` return field(%s)?.value ?? "no such field" })()`, label)
}

// text returns the visible text of the page.
func (b *tab) text() string {
	b.Helper()
	return ask[string](b, `document.body.innerText.replace(/[ \t]+/g, " ")`)
}

// at returns the path and query of the page.
func (b *tab) at() string {
	b.Helper()
	return ask[string](b, `location.pathname + location.search`)
}

// wantAt fails unless this is the page at path.
func (b *tab) wantAt(path string) {
	b.Helper()
	if got := b.at(); got != path {
		b.Fatalf("got the page %s, want %s; it says:\n%s", got, path, b.text())
	}
}

// wantStatus fails unless the status of a page is want.
func (b *tab) wantStatus(got, want int) {
	b.Helper()
	if got != want {
		b.Fatalf("%s: got status %d, want %d; it says:\n%s", b.at(), got, want, b.text())
	}
}

// see fails unless the text of the page contains all of these words.
func (b *tab) see(words ...string) {
	b.Helper()
	text := b.text()
	for _, want := range words {
		if !strings.Contains(text, want) {
			b.Fatalf("%s does not say %q; it says:\n%s", b.at(), want, text)
		}
	}
}

// wantNot fails if the text of the page contains these words.
func (b *tab) wantNot(words string) {
	b.Helper()
	if text := b.text(); strings.Contains(text, words) {
		b.Fatalf("%s says %q:\n%s", b.at(), words, text)
	}
}

// focused describes the element with the focus: the name of a control, the label
// of a row in a list, "#" with the id or class of any other element, or "nothing".
func (b *tab) focused() string {
	b.Helper()
	return ask[string](b, `(() => {`+finders+`
		const e = document.activeElement;
		if (!e || e === document.body) return "nothing";
		if (e.labels?.length) return words(e.labels[0]);
		return e.matches("a, button, summary") ? words(e) : "#" + (e.id || e.className);
	})()`)
}

// wantFocus waits until the element that focused describes as want has the
// focus.
func (b *tab) wantFocus(want string) {
	b.Helper()
	var got string
	waitForOr(b.T, func() bool { got = b.focused(); return got == want }, func() {
		b.Fatalf("the focus on %s is on %q, want %q", b.at(), got, want)
	})
}

// until waits for an expression to be true in the page, which may load again in the
// meantime.
func (b *tab) until(what, expression string, args ...any) {
	b.Helper()
	waitFor(b.T, what, func() bool {
		holds, err := evaluate[bool](b, `Boolean(`+expression+`)`, args...)
		if err == nil || !strings.Contains(err.Error(), "Inspected target navigated or closed") {
			b.must("ask the page", err)
		}
		return err == nil && holds
	})
}
