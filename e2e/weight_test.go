package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

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
