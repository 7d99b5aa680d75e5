package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestNothingMovesUnderALateScript holds the script back until the page is
// painted: what it then changes may not move anything.
func TestNothingMovesUnderALateScript(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	admin := p.admin(newAccount("ana", "Ana Silva"))
	bo := p.signUp(newAccount("bo", "Bo Chen"))
	p.signInFrom(bo, iphone)
	b := open(t, p, true)
	b.signIn(admin.username, admin.password)
	p.signInFrom(admin, firefox)
	b.visit("/profile/sessions")
	b.press("Sign out Firefox on Windows")
	b.visit("/admin/users")
	b.press("Bo Chen")
	user := b.at()

	b.holdScriptBack()
	for _, width := range []int64{1280, 320} {
		b.screen(width, 800, false)
		for _, path := range []string{"/profile", "/profile/sessions", "/admin", "/admin/users", user, "/admin/audit", "/forgot"} {
			b.wantStatus(b.visit(path), 200)
			for _, shift := range b.layoutShifts() {
				b.Errorf("%s, %d wide: a late script moved %s", path, width, shift)
			}
		}
	}
}

// holdScriptBack lets scripts arrive only after the first paint.
func (b *tab) holdScriptBack() {
	b.Helper()
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}) // what is cached does not pause
	paused := chromedp.Events(b.ctx, fetch.RequestPaused)
	call(b, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: "*.js"}}})
	go func() {
		painted := chromedp.Poll[bool](`performance.getEntriesByType("paint").length > 0`, chromedp.WithPollingInterval(10*time.Millisecond))
		for event, err := range paused {
			if err != nil {
				return
			}
			_, _ = chromedp.Run(b.ctx, painted)
			_, _ = chromedp.Call(b.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: event.RequestID})
		}
	}()
}
