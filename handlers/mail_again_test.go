package handlers_test

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"latchkey/internal/outbox"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// failed returns the path of the latest failed message to an address.
func (s *site) failed(address string) string {
	s.T.Helper()
	page, err := s.Store.Deliveries.List(s.T.Context(), models.DeliveryQuery{Kind: "mail", State: models.DeliveryFailed, Limit: 50})
	if err != nil {
		s.T.Fatal(err)
	}
	for _, d := range page.Deliveries {
		if d.Recipient == address {
			return "/admin/mail/" + d.ID
		}
	}
	s.T.Fatalf("no failed message to %s", address)
	return ""
}

// TestMailMadeAgain lets messages fail and sends them again: each is made anew with a
// link that works, and one that has no reason any more is refused in words.
func TestMailMadeAgain(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		b, ana := s.signedIn("ana", models.RoleUser)
		s.Deliver(t)
		refuse := func(act func()) {
			s.Mailbox.Refuse(outbox.Final{Err: errors.New("550 5.1.1 no such mailbox")})
			act()
			s.Deliver(t)
			s.Mailbox.Refuse(nil)
			s.Clock.Advance(time.Minute)
		}
		again := func(address string) string {
			t.Helper()
			path := s.failed(address)
			boss.get(path).status(200).says("Failed", "550 5.1.1 no such mailbox")
			boss.follow(boss.post(path + "/again").redirects(path)).says("A new message is on its way to " + address)
			return path
		}

		refuse(func() { s.browser().post("/forgot", "email", ana.Email).redirects("/forgot/sent") })
		again(ana.Email)
		reset := servicetest.LinkIn(s.lastMail(ana.Email, "Reset your password"), s.URL+"/reset")
		s.browser().get("/reset?token=" + reset).status(200)

		refuse(func() {
			b.post("/profile/email", "email", "new@example.org", "current_password", secretWord).status(303)
		})
		again("new@example.org")
		token := s.verifyToken("new@example.org")
		refuse(func() { b.post("/verify", "token", token).status(303) })
		again(ana.Email)
		s.browser().get("/secure?token=" + s.alarm(s.lastMail(ana.Email, emailChanged))).status(200).
			says("goes back from new@example.org to ana@example.org") // the link is as old as the change

		refuse(func() {
			boss.post("/admin/invitations/new", "email", "carl@example.org", "role", "user", "hours", "24", "uses", "1").status(303)
		})
		again("carl@example.org")
		invitation := s.lastMail("carl@example.org", "You are invited to Latchkey")
		invite := regexp.MustCompile(`/signup\?invite=[\w-]+`).FindString(invitation.Text)
		s.browser().get(invite).status(200).says("Choose a password")

		refuse(func() { s.browser().post("/forgot", "email", "new@example.org").redirects("/forgot/sent") })
		path := s.failed("new@example.org")
		if err := s.Store.Users.Disable(t.Context(), ana.ID, "", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		boss.post(path + "/again").status(409).says("This account is disabled. Enable it first.")
	}, verifying)
}
