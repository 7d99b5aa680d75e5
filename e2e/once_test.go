package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

// reload presses the Reload button. If the page were the response to a form,
// this would send the form again.
func (b *tab) reload() {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Reload())
	b.must("reload", err)
}

// TestShownOnce reloads the pages that show a secret, leaves them and goes back. It
// checks that no second secret is created and that the secret is not shown again.
func TestShownOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, _, _ := adminAndUser(t, script)
		ana.findUser("bo", "Bo Chen")
		user := ana.at()
		const onlyOnce = "A reset link is shown only once. If you lost it, create a new one."

		ana.question("Create reset link")
		ana.wantStatus(ana.press("Create reset link"), 200)
		ana.wantAt(user + "/link")
		link := ana.shownLink()
		ana.reload()
		ana.wantAt(user)
		ana.see(onlyOnce)
		ana.wantNot(link)
		stranger := open(t, ana.portal, script)
		stranger.wantStatus(stranger.visit(link), 200) // no newer link has replaced it

		ana.question("Create reset link")
		ana.press("Create reset link")
		link = ana.shownLink()
		ana.press("Go to Bo Chen")
		ana.back()
		ana.until("the page without the secret", `document.body?.innerText.includes(%s)`, onlyOnce)
		ana.wantAt(user)
		ana.wantNot(link)
		stranger.wantStatus(stranger.visit(link), 200)

		if script {
			ana.question("Create reset link")
			ana.press("Create reset link")
			link = ana.shownLink()
			ana.visit("/healthz") // changes no cookie
			ana.back()
			ana.until("the page without the secret", `document.body?.innerText.includes(%s)`, onlyOnce)
			ana.wantNot(link)
		}

		ana.visit("/profile/tokens")
		ana.wantStatus(ana.createToken("Photos"), 200)
		token := ana.shownToken()
		ana.reload()
		ana.wantAt("/profile/tokens")
		ana.see("An access token is shown only once. If you lost it, remove it and create another.", "Photos")
		ana.wantNot(token)
		ana.createToken("Backup")
		token = ana.shownToken()
		ana.press("I have copied it")
		ana.back()
		ana.until("the page without the secret", `document.body?.innerText.includes("An access token is shown only once.")`)
		ana.wantAt("/profile/tokens")
		ana.wantNot(token)
		if got := ask[int64](ana, `document.querySelectorAll("a[data-dialog]").length`); got != 2 {
			t.Errorf("there are %d tokens, want 2", got)
		}
	})
}
