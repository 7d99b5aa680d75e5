package e2e

import "testing"

// TestMailPages looks at the pages of messages in each of their states, and waits for
// the result of a test without pressing anything.
func TestMailPages(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		admin := p.admin(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		look := func(state string) {
			if script {
				b.inspect(state)
			}
		}
		b.signIn(admin.username, admin.password)
		b.visit("/admin/mail")
		look("mail empty")
		b.click("Send a test")
		b.fill("To", "nowhere")
		b.wantStatus(b.press("Send"), 422)
		look("mail wrong address")
		b.fill("To", "bo@example.org")
		b.press("Send")
		b.until("the result", `document.body?.innerText.includes("Written to")`)
		look("message sent")
	})
	t.Run("no server", func(t *testing.T) {
		t.Parallel()
		p := startPortal(t, "LATCHKEY_SMTP_URL=smtp://localhost:1")
		admin := p.admin(newAccount("ana", "Ana Silva"))
		b := open(t, p, true)
		b.signIn(admin.username, admin.password)
		b.visit("/admin/mail")
		b.click("Send a test")
		b.press("Send")
		b.until("the result", `document.body?.innerText.includes("connection refused")`)
		b.inspect("message failed")
		b.visit("/admin")
		b.see("Mail is not being delivered since")
		b.inspectLooks("overview, no mail")
		b.visit("/admin/mail?state=failed")
		b.openLine()
		b.inspect("mail failed")
		b.visit("/admin/mail?kind=invitation")
		b.inspect("mail no match")
	})
}
