package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

// TestOverviewColumns checks that the overview has two figures in a row on a phone.
func TestOverviewColumns(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.screen(320, 640, false)
	b.visit("/admin")
	if got := ask[int](b, `new Set([...document.querySelectorAll(".figures > li")].map((e) => e.offsetLeft)).size`); got != 2 {
		t.Errorf("the figures are in %d columns on a screen of 320, want 2", got)
	}
}

// TestPageWeight limits the bytes and requests of a first visit: all requests of
// a page with an empty cache, headers included.
func TestPageWeight(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(30)
	signedOut, signedIn := open(t, p, true), open(t, p, true)
	signedIn.signIn(boss.username, boss.password)
	signedIn.findUser("person03", "Kwame Mensah")
	user := signedIn.at()
	for _, test := range []struct {
		tab   *tab
		path  string
		bytes int
		last  string // the URL that the browser requests last, and only once
	}{
		{signedOut, "/login", 18 << 10, "/img/icon.svg"}, // with the options of a passkey
		{signedOut, "/signup", 16 << 10, ""},
		{signedIn, "/profile", 60 << 10, ""},
		{signedIn, "/admin", 60 << 10, ""},
		{signedIn, "/admin/users", 60 << 10, ""},
		{signedIn, user, 60 << 10, ""},
		{signedIn, "/admin/audit", 60 << 10, ""},
		{signedIn, "/admin/settings", 60 << 10, ""},
	} {
		b := test.tab
		call(b, network.ClearBrowserCache, cdp.Empty{})
		b.watch.restart()
		b.visit(test.path)
		b.until("the page to be complete", `document.readyState === "complete"`)
		if test.last != "" {
			waitFor(t, "every response", func() bool { return b.watch.quiet(test.last) })
		}
		requests, bytes := b.watch.transferred()
		for _, url := range requests {
			if !strings.HasPrefix(url, p.url) {
				t.Errorf("%s requested %s", test.path, url)
			}
		}
		if len(requests) > 6 || bytes > test.bytes {
			t.Errorf("%s: got %d bytes in %d requests, want at most %d in 6: %q", test.path, bytes, len(requests), test.bytes, requests)
		}
		t.Logf("%s: %d bytes in %d requests", test.path, bytes, len(requests))
	}
}

// TestHomeHeight: on a phone the account home with its activity scrolls at most
// half as far as it once did (2,021 pixels), and the rows that it got since: two-step
// sign-in, passkeys and the suggestion.
func TestHomeHeight(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	for range 6 {
		p.signInFrom(ana, iphone)
	}
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.screen(320, 640, false)
	b.visit("/profile")
	if got := ask[int](b, `document.documentElement.scrollHeight - innerHeight`); got > 1100 {
		t.Errorf("got %d pixels to scroll, want at most 1100", got)
	}
}
