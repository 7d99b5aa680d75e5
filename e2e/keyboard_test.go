package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// A key of the keyboard, with the text that it types.
type key struct {
	name, code string
	number     int64
	text       string
}

// The keys that the tests press.
var (
	tabKey    = key{name: "Tab", code: "Tab", number: 9}
	enterKey  = key{name: "Enter", code: "Enter", number: 13, text: "\r"}
	escapeKey = key{name: "Escape", code: "Escape", number: 27}
	spaceKey  = key{name: " ", code: "Space", number: 32, text: " "}
	deleteKey = key{name: "Delete", code: "Delete", number: 46}
)

// pressing presses the key and releases it. Key down and text are one event, as
// when a person types: a page that navigates on key down never receives the text.
func (k key) pressing(modifiers chromedp.Modifier) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		event := input.DispatchKeyEventParams{
			Type: input.DispatchKeyEventTypeRawKeyDown, Key: k.name, Code: k.code, Text: k.text,
			WindowsVirtualKeyCode: k.number, Modifiers: int64(modifiers),
		}
		if k.text != "" {
			event.Type = input.DispatchKeyEventTypeKeyDown
		}
		if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, event); err != nil {
			return err
		}
		event.Type, event.Text = input.DispatchKeyEventTypeKeyUp, ""
		_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, event)
		return err
	})
}

// key presses a key while the modifiers are held down.
func (b *tab) key(k key, modifiers ...chromedp.Modifier) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	held := chromedp.ModifierNone
	for _, modifier := range modifiers {
		held |= modifier
	}
	b.must("press "+k.name, chromedp.Do(ctx, k.pressing(held)))
}

// enter presses Enter on a link or button that loads another page, and returns
// the status of that page.
func (b *tab) enter() int {
	b.Helper()
	return b.loading("press Enter", enterKey.pressing(chromedp.ModifierNone))
}

// write types into the element that has the focus.
func (b *tab) write(text string) {
	b.Helper()
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// tabTo presses Tab until the element that focused describes as want has the
// focus. It fails if Tab does not reach it, or if the focus is invisible on the
// way.
func (b *tab) tabTo(want string) {
	b.Helper()
	b.tabUntil(want, func(got string) bool { return got == want })
}

// tabInto is tabTo for the element that matches a selector.
func (b *tab) tabInto(selector string) {
	b.Helper()
	b.tabUntil(selector, func(string) bool { return ask[bool](b, `document.activeElement.matches(%s)`, selector) })
}

func (b *tab) tabUntil(want string, reached func(got string) bool) {
	b.Helper()
	var way []string
	for range 120 {
		b.key(tabKey)
		got := b.focused()
		way = append(way, got)
		if got != "nothing" {
			b.wantVisibleFocus(got)
		}
		if reached(got) {
			return
		}
	}
	b.Fatalf("%s: Tab did not reach %q, only %q", b.at(), want, way)
}

// wantVisibleFocus fails unless the element with the focus is in view and has an
// outline: 2 pixels, also around the button in a field, or 1 pixel if a script
// moved the focus to a message.
func (b *tab) wantVisibleFocus(name string) {
	b.Helper()
	got := ask[string](b, `(() => {
		const e = document.activeElement, style = getComputedStyle(e.matches(".box > .input") ? e.parentElement : e), box = e.getBoundingClientRect();
		if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < (e.matches("[data-focus]") ? 1 : 2)) return "no outline";
		if (box.width < 2 || box.height < 2) return "no size";
		if (box.bottom < 0 || box.top > innerHeight) return "out of sight";
		return "";
	})()`)
	if got != "" {
		b.Errorf("%s: the focus on %q cannot be seen: %s", b.at(), name, got)
	}
}

func TestKeyboardOnly(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		ana := p.admin(newAccount("ana", "Ana Silva"))
		p.signUp(newAccount("bo", "Bo Chen"))
		b := open(t, p, script)

		b.visit("/login")
		b.wantFocus("Email or username")
		b.wantVisibleFocus("Email or username")
		b.write(ana.username)
		b.tabTo("Password")
		b.write("not the password")
		b.wantStatus(b.enter(), 422)
		if script {
			b.wantFocus("#problem")
			b.tabTo("Email, username or password is not correct.")
			b.key(enterKey) // to the field
			b.wantFocus("Email or username")
		}
		b.tabTo("Forgot password?")
		b.tabTo("Password")
		b.write(ana.password)
		b.tabTo("Stay signed in")
		b.key(spaceKey)
		b.tabTo("Sign in")
		b.wantStatus(b.enter(), 200)
		b.wantAt("/profile")

		b.tabTo("Skip to main content")
		b.key(enterKey)
		b.wantFocus("#main")
		b.tabTo("Name")

		b.tabTo("Use dark theme") // the last control, so nothing traps the focus
		b.visit("/profile")
		b.tabTo("Admin")
		b.enter()
		b.tabTo("Users")
		b.enter()
		b.tabTo("Bo Chen")
		b.enter()
		b.tabTo("Disable")
		if script {
			b.key(enterKey)
			b.until("the dialog to open", `document.querySelector("dialog[open]")`)
		} else {
			b.enter()
		}
		b.wantFocus("Cancel")
		b.wantVisibleFocus("Cancel")
		b.key(tabKey, chromedp.ModifierShift)
		b.wantFocus("Disable Bo Chen")
		b.wantStatus(b.enter(), 200)
		b.see("Bo Chen is disabled.")
		b.tabTo("Undo disabling Bo Chen")
		b.wantStatus(b.enter(), 200)
		b.see("Bo Chen is enabled")
		b.tabTo("Sign out")
		b.enter()
		b.wantAt("/login")
	})
}
