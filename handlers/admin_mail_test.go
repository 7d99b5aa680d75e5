package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/mail"
	"latchkey/internal/outbox"
	"latchkey/internal/testdb"
	"latchkey/models"
	"latchkey/views/letters"
)

// putMail puts a message about an account into the outbox.
func (s *site) putMail(topic string, user *models.User) {
	s.T.Helper()
	_, err := s.Mail.Put(s.T.Context(), s.Store, mail.Envelope{Topic: topic, UserID: user.ID, To: user.Email, Useless: time.Hour},
		letters.Letter{Subject: "Hello", Text: []string{"open https://portal.example/?token=SECRET"}})
	if err != nil {
		s.T.Fatal(err)
	}
}

// TestMailTest sends a test: its page waits for the answer and then has the server's
// own words, the log has the event.
func TestMailTest(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/mail").status(200).says("No messages yet.").has(`value="bo@example.org"`)
		sent := boss.post("/admin/mail/test", "to", " carol@example.org ").status(303)
		path := sent.header.Get("Location")
		boss.get(path).status(200).says("Waiting", "To carol@example.org", "Tried Not yet").has(`<meta http-equiv="refresh" content="2; url=` + path + `">`)
		s.Deliver(t)
		if got := s.Mailbox.To("carol@example.org"); len(got) != 1 || got[0].Subject != "Test message from Latchkey" {
			t.Errorf("got the messages %+v", got)
		}
		boss.get(path).status(200).says("Sent", "Server said 250 2.0.0 Ok").hides("refresh", "Send again")
		boss.get("/admin/audit").says("sent a test message: carol@example.org")

		s.Mailbox.Refuse(errors.New("421 4.3.2 try later"))
		path = boss.post("/admin/mail/test", "to", "carol@example.org").status(303).header.Get("Location")
		s.Deliver(t)
		boss.get(path).status(200).says("Failed", "Server said 421 4.3.2 try later").hides("refresh")
		s.Mailbox.Refuse(nil)
		boss.post(path + "/again").redirects(path)
		boss.get(path).status(200).says("A new message is on its way to carol@example.org.", "Sent again").hides(`<button class="btn primary"`)
		boss.post(path + "/again").redirects(path) // by another admin
		boss.get(path).status(200).says("This message has changed since you opened it.")
		s.Deliver(t)
		if got := s.Mailbox.To("carol@example.org"); len(got) != 2 {
			t.Errorf("got %d messages, want 2", len(got))
		}
		boss.get("/admin/audit").says("sent a message again: carol@example.org")
	}, withMail)
}

func TestMailTestBadInput(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), withMail)
	boss, _ := s.signedIn("bo", models.RoleAdmin)
	for _, to := range []string{"", "carol", "carol@example.org\r\nBcc: eve@example.org", "Carol <carol@example.org>", "a@example.org,b@example.org", strings.Repeat("a", 10<<10) + "@example.org"} {
		boss.post("/admin/mail/test", "to", to).status(422).says("There is a problem").has(`<details class="fold" open>`)
	}
	s.Deliver(t)
	if got := s.Mailbox.All(); len(got) > 0 {
		t.Errorf("got the messages %+v", got)
	}
}

// TestMailOff checks that the pages say what to do while no mail can be sent.
func TestMailOff(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	boss, _ := s.signedIn("bo", models.RoleAdmin)
	boss.get("/admin/mail").status(200).says("No mail can be sent. Set LATCHKEY_SMTP_URL to your mail server and restart the portal.").hides("/admin/mail/test")
	boss.post("/admin/mail/test", "to", "carol@example.org").status(409).says("Set LATCHKEY_SMTP_URL")
}

// TestMailWaiting checks "Send now", the warning while mail does not arrive, and that
// it goes with the next success.
func TestMailWaiting(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		const warning = "Mail is not being delivered since 12:00 UTC: 535 5.7.8 authentication failed"
		boss.get("/admin").status(200).hides("Mail is not")
		s.Mailbox.Refuse(errors.New("535 5.7.8 authentication failed"))
		s.putMail(mail.TopicNotice, ana)
		s.Deliver(t)
		s.Clock.Advance(30 * time.Second)
		boss.get("/admin").status(200).says(warning).has(`<a href="/admin/mail">See the messages</a>`)
		list := boss.get("/admin/mail").status(200).says(warning, "The portal tries again at 12:01 UTC. Nothing is lost until then.", "1 waiting")
		path := list.linkTo("/admin/mail/")
		boss.get(path).status(200).says("Next try 22 Nov 2026, 12:01 UTC", "Not sent after 22 Nov 2026, 13:00 UTC", "About ana", "Send now").hides("SECRET", "refresh")
		s.Mailbox.Refuse(nil)
		boss.post(path + "/again").redirects(path)
		boss.get(path).status(200).says("The message is being sent now.").has("refresh")
		boss.get("/admin/audit").says("sent a message about ana again: ana@example.org")
		s.Deliver(t)
		boss.get(path).status(200).says("Sent", "Tried 2 times, last")
		boss.get("/admin").status(200).hides("Mail is not")
		boss.post(path + "/again").redirects(path) // a page from before
		boss.get(path).status(200).says("This message has changed since you opened it.")

		// For good, for the only message since.
		s.Clock.Advance(time.Hour)
		s.Mailbox.Refuse(outbox.Final{Err: errors.New("550 no such user")})
		s.putMail(mail.TopicNotice, ana)
		s.Deliver(t)
		boss.get("/admin").status(200).says("Mail is not being delivered since 13:00 UTC: 550 no such user")
		s.Clock.Advance(24 * time.Hour)
		boss.signIn("bo")
		boss.get("/admin").status(200).hides("Mail is not")
	}, withMail)
}

// TestMailAgain checks which failed messages can be sent again.
func TestMailAgain(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		s.Mailbox.Refuse(outbox.Final{Err: errors.New("550 no")})
		s.putMail(mail.TopicDeleted, ana)
		s.Deliver(t)
		path := boss.get("/admin/mail").status(200).linkTo("/admin/mail/")
		boss.get(path).status(200).says("Failed").hides("Send again")
		boss.post(path + "/again").status(409).says("This message cannot be sent again.")

		var repeated []string
		s.Mail.Again(mail.TopicDeleted, func(_ context.Context, _ *models.Store, d models.Delivery) error {
			repeated = append(repeated, d.Topic+" "+d.UserID+" "+d.Recipient)
			return nil
		})
		boss.get(path).status(200).says("Send again")
		boss.post(path + "/again").redirects(path)
		if len(repeated) != 1 || repeated[0] != "deleted "+ana.ID+" ana@example.org" {
			t.Errorf("made again: %q", repeated)
		}
		s.browser().post(path + "/again").status(303) // to sign in
		if len(repeated) != 1 {
			t.Errorf("made again by nobody: %q", repeated)
		}
	}, withMail)
}

// TestMailList checks the filters, the pages and the messages on the page of a user.
func TestMailList(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana, carl := s.Person("ana", models.RoleUser), s.Person("carl", models.RoleUser)
		for range 26 {
			s.putMail(mail.TopicReset, ana)
			s.Clock.Advance(time.Second)
		}
		s.Deliver(t)
		s.putMail(mail.TopicInvitation, carl)
		lines := func(query string) int {
			t.Helper()
			return strings.Count(boss.get("/admin/mail"+query).status(200).body, "About this message")
		}
		for query, want := range map[string]int{
			"": 25, "?state=waiting": 1, "?state=sent": 25, "?state=failed": 0, "?kind=invitation": 1, "?kind=reset&state=waiting": 0,
			"?person=ana": 25, "?person=carl@example.org": 1, "?person=" + carl.ID: 1, "?person=CARL@example.org": 1, "?person=nobody": 0,
		} {
			if got := lines(query); got != want {
				t.Errorf("%s: got %d messages, want %d", query, got, want)
			}
		}
		first := boss.get("/admin/mail?kind=reset")
		second := boss.get(first.linkTo("/admin/mail?after=")).status(200)
		if n := strings.Count(second.body, "About this message"); n != 1 {
			t.Errorf("second page: got %d messages, want 1", n)
		}
		if back := boss.get(second.linkTo("/admin/mail?before=")); strings.Count(back.body, "About this message") != 25 {
			t.Error("the way back does not lead to the first page")
		}
		boss.get("/admin/mail?person=" + carl.ID).says("Person: carl").has(`href="/admin/mail"`)
		for _, bad := range []string{"?state=lost", "?kind=pigeon", "?after=x", "?after=a&before=b", "?state=sent&state=failed"} {
			boss.get("/admin/mail" + bad).status(400)
		}
		boss.get("/admin/users/"+ana.ID).status(200).says("Messages").has(fmt.Sprintf("/admin/mail?person=%s", ana.ID), "Reset link")
		if n := strings.Count(boss.get("/admin/users/"+ana.ID).body, "/admin/mail/"); n != 5 {
			t.Errorf("the page of the user has %d messages, want 5", n)
		}
	}, withMail)
}

// TestOtherDeliveries checks that deliveries that are not mail have no pages here.
func TestOtherDeliveries(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), withMail)
	boss, _ := s.signedIn("bo", models.RoleAdmin)
	id, err := s.Outbox.Put(t.Context(), s.Store, outbox.Item{Kind: "logout", Recipient: "app", Useless: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	boss.get("/admin/mail").status(200).says("No messages yet.")
	boss.get("/admin/mail/" + id).status(404)
	boss.post("/admin/mail/" + id + "/again").status(404)
}

// TestMailLimit checks that tests count as changes of an admin.
func TestMailLimit(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), withMail, withLimits)
	boss, _ := s.signedIn("bo", models.RoleAdmin)
	for range 60 {
		boss.post("/admin/mail/test", "to", "carol@example.org").status(303)
	}
	boss.post("/admin/mail/test", "to", "carol@example.org").status(429)
}

// linkTo returns the first link of a page that begins with prefix.
func (a *answer) linkTo(prefix string) string {
	a.t.Helper()
	_, rest, found := strings.Cut(a.body, `href="`+prefix)
	end, _, _ := strings.Cut(rest, `"`)
	if !found {
		a.t.Fatalf("no link to %s…\n%s", prefix, a.text())
	}
	return strings.ReplaceAll(prefix+end, "&amp;", "&")
}
