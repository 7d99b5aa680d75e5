package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEnlargedText doubles the text size (WCAG 2.2, 1.4.4) on a narrow phone and
// checks that no page scrolls sideways and that a password field stays wide enough
// for a password.
func TestEnlargedText(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(3)
	b := open(t, p, true)
	b.visit("/login")
	b.wantEnlarged("login")
	b.wantWide("#current-password", 96)
	b.signIn(boss.username, boss.password)
	for _, path := range []string{
		"profile", "profile/name", "profile/theme", "profile/password", "profile/sessions", "profile/tokens", "profile/security", "profile/security/app", "admin", "admin/users", "admin/users/new", "admin/audit", "admin/settings",
	} {
		b.visit("/" + path)
		b.wantEnlarged(path)
	}
	b.visit("/admin/users")
	b.press("Ingrid")
	b.wantEnlarged("user")
	b.visit("/admin/audit")
	b.openLine()
	b.wantEnlarged("audit details")
	b.wantStatus(b.visit("/admin/audit?from=0001-01-01&to=0001-01-01"), 422)
	b.see("From: enter a day", "To: enter a day")
	b.wantEnlarged("audit wrong")
}

const doubled = `html { font-size: 200% !important }`

// wantEnlarged doubles the text size of the page and fails if the page scrolls
// sideways. The text stays doubled.
func (b *tab) wantEnlarged(name string) {
	b.Helper()
	b.restyle(doubled)
	for _, width := range []int64{390, 320} {
		b.screen(width, 640, false)
		for _, fault := range b.sideways() {
			b.Errorf("%s, text doubled on a screen of %d: %s", name, width, fault)
		}
		b.picture(strings.ReplaceAll("enlarged "+name, "/", " "))
	}
}

// wantWide fails if an element is narrower than least pixels.
func (b *tab) wantWide(selector string, least float64) {
	b.Helper()
	if got := ask[float64](b, `document.querySelector(%s).getBoundingClientRect().width`, selector); got < least {
		b.Errorf("%s: got %v pixels wide, want at least %v", selector, got, least)
	}
}

// TestUserTable checks that the user list does not overflow at any width, as a
// table or with two lines for each person, and that a page of it stays short.
func TestUserTable(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(24)
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.visit("/admin/users")
	for _, style := range []string{"", doubled} {
		b.restyle(style)
		for _, width := range []int64{320, 641, 768, 865, 928, 1024, 1280} {
			b.screen(width, 800, false)
			if got := ask[int64](b, `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector(".tablewrap"))`); got > 0 {
				b.Errorf("on a screen of %d with %q the table is %d too wide", width, style, got)
			}
		}
	}
	b.restyle("")
	b.screen(1280, 800, false)
	if got := ask[float64](b, `document.querySelector("tbody tr").getBoundingClientRect().height`); got > 53 {
		b.Errorf("a row is %v pixels high, want 52 and its line", got)
	}
	b.screen(320, 800, false)
	ask[chromedp.Void](b, `document.querySelectorAll(".seen time").forEach((time) => { time.textContent = "17 minutes ago" })`)
	if got := ask[[]float64](b, `["tbody tr", ".tablewrap"].map((s) => document.querySelector(s).getBoundingClientRect().height)`); got[0] > 73 || got[1] > 2000 {
		b.Errorf("on a phone a row and the list of 25 are %v pixels high, want 72 and at most 2,000", got)
	}
	// The filter is folded away, and the boxes are large enough for a finger.
	if got := ask[float64](b, `document.querySelector("tbody tr").getBoundingClientRect().top + scrollY`); got > 450 {
		b.Errorf("on a phone the first person is %v pixels down the page, want at most 450", got)
	}
	box := ask[[]float64](b, `(({ width, height }) => [width, height])(document.querySelector(".tick label").getBoundingClientRect())`)
	if box[0] < 24 || box[1] < 24 {
		b.Errorf("the box of a person is %v pixels large, want at least 24 by 24", box)
	}
}
