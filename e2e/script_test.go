package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Tests of features that need script. The other tests of this package show that
// pages work without it.

func TestShowPassword(t *testing.T) {
	t.Parallel()
	b := open(t, startPortal(t), true)
	b.visit("/login")
	b.fill("Password", "seen by all")
	b.click("Show password")
	if got, want := ask[string](b, `document.getElementById("current-password").type`), "text"; got != want {
		t.Errorf("got a field of type %q, want %q", got, want)
	}
	if got, want := ask[string](b, `document.querySelector("#current-password ~ [role=status]").textContent`), "Your password is visible"; got != want {
		t.Errorf("got announced %q, want %q", got, want)
	}
	b.click("Hide password")
	if got, want := ask[string](b, `document.getElementById("current-password").type`), "password"; got != want {
		t.Errorf("got a field of type %q, want %q", got, want)
	}
}

func TestNoDeadButtonWithoutScript(t *testing.T) {
	t.Parallel()
	b := open(t, startPortal(t), false)
	b.visit("/login")
	if got := ask[bool](b, `document.querySelector("[data-show-password]").checkVisibility()`); got {
		t.Error("a button that does nothing is shown")
	}
}

func TestFormSentOnce(t *testing.T) {
	t.Parallel()
	ana, _, _ := adminAndUser(t, true)
	ana.findUser("bo", "Bo Chen")
	ana.question("Disable")
	ana.press("Disable Bo Chen")
	ana.wantSentOnce(".flash button", "Undoing…")
	ana.wantSentOnce(".rail form button", "Signing out…")

	b := open(t, ana.portal, true)
	b.visit("/login")
	b.wantSentOnce("#sign-in button:not([type])", "Signing in…")
}

// wantSentOnce fails unless a second click on a button does nothing while its
// form is being sent, and the button shows busy and stays focusable.
func (b *tab) wantSentOnce(selector, busy string) {
	b.Helper()
	// The form is not really sent, so that its page stays.
	got := ask[[]string](b, `(() => {
		const button = document.querySelector(%s), form = button.form;
		let sent = 0;
		form.addEventListener("submit", (e) => { if (!e.defaultPrevented) sent++; e.preventDefault(); });
		button.click(); button.click();
		return [String(sent), button.textContent, button.getAttribute("aria-disabled"), String(button.disabled)];
	})()`, selector)
	for i, want := range []string{"1", busy, "true", "false"} {
		if got[i] != want {
			b.Errorf("%s: got %q, want %q", selector, got[i], want)
		}
	}
}

// TestNotice checks that a message has a plain outline after the script moved the
// focus to it: one pixel, in the colour of lines.
func TestNotice(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/name")
	b.press("Save name")
	b.see("Your changes are saved.")
	for _, dark := range []bool{false, true} {
		b.screen(1280, 800, dark)
		got := ask[[]string](b, `(() => {
			const message = document.activeElement, { outline } = getComputedStyle(message);
			const line = document.createElement("p");
			message.append(line);
			line.style.outline = "1px solid var(--line-strong)"; // set by script, which the policy allows
			const want = getComputedStyle(line).outline;
			line.remove();
			return [message.getAttribute("role"), outline, want];
		})()`)
		if got[0] != "alert" || got[1] != got[2] {
			t.Errorf("dark %t: the focus is on %q with the outline %s, want a message with %s", dark, got[0], got[1], got[2])
		}
	}
}

func TestConfirmDialog(t *testing.T) {
	t.Parallel()
	ana, bo, _ := adminAndUser(t, true)
	ana.findUser("bo", "Bo Chen")
	page := ana.at()
	for _, test := range []struct{ link, heading string }{
		{"Disable", "Disable Bo Chen?"},
		{"Sign out everywhere", "Sign out Bo Chen everywhere?"},
		{"Change role", "Make Bo Chen an admin?"},
		{"Create reset link", "Create a reset link for Bo Chen?"},
		{"Delete", "Delete Bo Chen?"},
	} {
		ana.question(test.link) // the focus is on Cancel
		if got := ask[string](ana, `document.querySelector("dialog[open] h2").textContent`); got != test.heading {
			t.Errorf("got heading %q, want %q", got, test.heading)
		}
		ana.key(escapeKey)
		ana.until("the dialog to close", `!document.querySelector("dialog[open]")`)
		ana.wantFocus(test.link)

		ana.question(test.link)
		ana.click("Cancel")
		ana.until("the dialog to close", `!document.querySelector("dialog[open]")`)
		ana.wantFocus(test.link)
	}
	ana.wantAt(page)
	bo.wantStatus(bo.visit("/profile"), 200)
	bo.wantAt("/profile")
}

// TestLongDialog checks that the question is in view when a dialog opens in a
// window that is too low for it, as with a zoom of 400 %.
func TestLongDialog(t *testing.T) {
	t.Parallel()
	ana, _, _ := adminAndUser(t, true)
	ana.findUser("bo", "Bo Chen")
	ana.zoom(320, 256, 4)
	for _, link := range []string{"Change role", "Create reset link", "Sign out everywhere", "Disable", "Delete"} {
		ana.click(link)
		ana.until("the dialog to open", `document.querySelector("dialog[open]")`)
		got := ask[string](ana, `(() => {
			const dialog = document.querySelector("dialog[open]"), heading = dialog.querySelector("h2").getBoundingClientRect();
			if (dialog.scrollHeight <= dialog.clientHeight) return "nothing to scroll";
			if (heading.top < 0 || heading.bottom > innerHeight) return "the question is out of view";
			return dialog.contains(document.activeElement) ? "" : "the focus is outside";
		})()`)
		if got != "" {
			t.Errorf("%s: %s", link, got)
		}
		ana.key(escapeKey)
		ana.until("the dialog to close", `!document.querySelector("dialog[open]")`)
		ana.wantFocus(link)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	ana, _, _ := adminAndUser(t, true)
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(ana.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission:       &browser.PermissionDescriptor{Name: name},
			Setting:          browser.PermissionSettingGranted,
			Origin:           ana.portal.url,
			BrowserContextID: chromedp.FromContext(ana.ctx).BrowserContextID,
		})
		ana.must("allow "+name, err)
	}
	ana.findUser("bo", "Bo Chen")
	ana.question("Create reset link")
	ana.press("Create reset link")
	ana.click("Copy")
	ana.until("the button to say so", `document.querySelector("[data-copy] span").textContent === "Copied"`)
	if got, want := ask[string](ana, `document.querySelector(".copy [role=status]").textContent`), "Copied the link"; got != want {
		t.Errorf("got announced %q, want %q", got, want)
	}
	if got, want := ask[string](ana, `navigator.clipboard.readText()`), ana.portal.url+ana.shownLink(); got != want {
		t.Errorf("got copied %q, want %q", got, want)
	}

	// The key of an app is copied without the spaces that it is shown with; recovery
	// codes are copied, printed and downloaded.
	ana.visit("/profile/security/app")
	key := ana.shownKey()
	ana.click("Copy")
	ana.until("the button to say so", `document.querySelector("[data-copy] span").textContent === "Copied"`)
	if got := ask[string](ana, `navigator.clipboard.readText()`); got != key {
		t.Errorf("got copied %q, want %q", got, key)
	}
	ana.fill("Code", appCode(t, key))
	ana.press("Turn on two-step sign-in")
	codes := ana.shownCodes()
	ana.click("Copy")
	ana.until("the button to say so", `document.querySelector("[data-copy] span").textContent === "Copied"`)
	if got := strings.Fields(ask[string](ana, `navigator.clipboard.readText()`)); !slices.Equal(got, codes) {
		t.Errorf("got copied %q, want %q", got, codes)
	}
	ask[bool](ana, `(() => { window.print = () => { window.printed = true; }; return true; })()`)
	ana.click("Print")
	ana.until("the page to be printed", `window.printed === true`)
	file := ask[string](ana, `fetch(document.querySelector("a[download]").href).then((answer) => answer.text())`)
	for _, code := range codes {
		if !strings.Contains(file, code) {
			t.Errorf("the file lacks %s:\n%s", code, file)
		}
	}
}

func TestRelativeTimes(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	for _, test := range []struct {
		script bool
		want   string
	}{
		{true, `^just now$|^1 minute ago$`},
		{false, `^\d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC$`},
	} {
		b := open(t, p, test.script)
		b.signIn(ana.username, ana.password)
		if got := ask[string](b, `document.querySelector("time[data-relative]").textContent`); !ask[bool](b, `new RegExp(%s).test(%s)`, test.want, got) {
			t.Errorf("script %t: got the time %q, want %s", test.script, got, test.want)
		}
		if title := ask[string](b, `document.querySelector("time[data-relative]").title`); test.script != (title != "") {
			t.Errorf("script %t: got the title %q", test.script, title)
		}
	}
}
