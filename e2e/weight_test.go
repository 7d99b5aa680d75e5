package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

// TestOverviewSize limits the bytes of the overview with an empty cache, headers
// included, and checks that its figures stand two by two on a phone.
func TestOverviewSize(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	call(b, network.ClearBrowserCache, cdp.Empty{})
	_, before := b.watch.transferred()
	b.visit("/admin")
	b.until("the page to be complete", `document.readyState === "complete"`)
	if _, after := b.watch.transferred(); after-before > 60<<10 {
		t.Errorf("got %d bytes, want at most 60 KiB", after-before)
	}
	b.screen(320, 640, false)
	if got := ask[int](b, `new Set([...document.querySelectorAll(".figures > li")].map((e) => e.offsetLeft)).size`); got != 2 {
		t.Errorf("the figures stand in %d columns on a screen of 320, want 2", got)
	}
}

// TestPageWeight limits the bytes and requests of a first visit: all requests of
// a page with an empty cache, headers included.
func TestPageWeight(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	for _, test := range []struct {
		path     string
		bytes    int
		requests int
	}{
		{"/login", 15 << 10, 5},
		{"/signup", 15 << 10, 5},
	} {
		b := open(t, p, true)
		call(b, network.ClearBrowserCache, cdp.Empty{})
		b.visit(test.path)
		b.until("the page to be complete", `document.readyState === "complete"`)
		requests, bytes := b.watch.transferred()
		for _, url := range requests {
			if !strings.HasPrefix(url, p.url) {
				t.Errorf("%s requested %s", test.path, url)
			}
		}
		if len(requests) > test.requests || bytes > test.bytes {
			t.Errorf("%s: got %d bytes in %d requests, want at most %d in %d: %q",
				test.path, bytes, len(requests), test.bytes, test.requests, requests)
		}
		t.Logf("%s: %d bytes in %d requests", test.path, bytes, len(requests))
	}
}
