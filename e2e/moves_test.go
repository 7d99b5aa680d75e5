package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestNoLayoutShift loads pages on a slow network. The end of the page and the
// script arrive late and must not move any painted content.
func TestNoLayoutShift(t *testing.T) {
	t.Parallel()
	p := startPortal(t, "LATCHKEY_LIMITS=on")
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

	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 100, DownloadThroughput: 50 << 10, UploadThroughput: 50 << 10}},
	})
	for _, width := range []int64{1280, 412, 320} {
		b.screen(width, 800, false)
		p.lockOut(p.signUp(newAccount(fmt.Sprintf("locked-%d", width), ""))) // the lock lasts half a minute, so the list comes first
		for _, path := range []string{"/admin/users", "/profile", "/profile/sessions", "/admin", user, "/admin/audit", "/forgot"} {
			b.wantStatus(b.visit(path), 200)
			for _, shift := range b.layoutShifts() {
				b.Errorf("%s, %d wide: moved while it loaded: %s", path, width, shift)
			}
		}
	}
}
