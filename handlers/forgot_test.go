package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/mail"
	"latchkey/internal/portaltest"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func withMail(o *portaltest.Options) { o.Mail = true }

// mailTo delivers what is due and returns the messages to an address, the latest last.
func (s *site) mailTo(address string) []mail.Message {
	s.T.Helper()
	s.Deliver(s.T)
	return s.Mailbox.To(address)
}

// lastMail returns the latest message to an address with a subject.
func (s *site) lastMail(address, subject string) mail.Message {
	s.T.Helper()
	list := s.mailTo(address)
	for _, m := range slices.Backward(list) {
		if m.Subject == subject {
			return m
		}
	}
	var subjects []string
	for _, m := range list {
		subjects = append(subjects, m.Subject)
	}
	s.T.Fatalf("no message %q to %s, only %q", subject, address, subjects)
	return mail.Message{}
}

// TestForgot resets a password with a mailed link. The person is signed out everywhere
// and comes back to the page that they wanted to open.
func TestForgot(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		elsewhere, user := s.signedIn("ana", models.RoleUser)
		b := s.browser()
		b.post("/login", "username", "ana@example.org", "password", "not the password", "next", "/profile/email").
			has(`href="/forgot?email=ana%40example.org&next=%2Fprofile%2Femail"`)
		page := b.get("/forgot?email=ana%40example.org&next=%2Fprofile%2Femail").status(200)
		if got, _ := page.value("email"); got != "ana@example.org" {
			t.Errorf("the form has the address %q", got)
		}
		sent := b.post("/forgot", "email", " Ana@Example.org ", "next", "/profile/email").redirects("/forgot/sent?next=%2Fprofile%2Femail")
		b.follow(sent).status(200).says("If Ana@Example.org has an account, we have sent a link. It works for 30 minutes.", "no-reply@portal.example")
		b.get("/forgot/sent").status(200).says("If the address has an account, we have sent a link.").hides("Ana@")

		m := s.lastMail("ana@example.org", "Reset your password")
		token := servicetest.LinkIn(m, s.URL+"/reset")
		if token == "" || !strings.Contains(m.Text, "next=%2Fprofile%2Femail") || !strings.Contains(m.Text, "within 30 minutes") {
			t.Fatalf("the message:\n%s", m.Text)
		}
		link := "/reset?token=" + token + "&next=%2Fprofile%2Femail"
		for range 2 { // a scanner that opens the link uses nothing up
			b.do(b.request(http.MethodHead, link, "")).status(200)
			b.get(link).status(200).says("For the account of ana@example.org.").has(`<meta name="robots" content="noindex"`)
		}
		b.post("/reset", "token", token, "password", otherWord, "next", "/profile/email").redirects("/login?next=%2Fprofile%2Femail")
		elsewhere.get("/profile").redirects("/login?next=%2Fprofile")
		b.post("/login", "username", "ana", "password", otherWord).redirects("/profile")
		b.get(link).status(410).says("This link has already been used")
		if e := s.LastEvent(audit.ResetAsked); e.SubjectID != user.ID || e.IP != "192.0.2.1" || e.ActorID != "" {
			t.Errorf("the event: %+v", e)
		}
	}, withMail)
}

// TestForgotStates checks the links and messages that do not reset a password.
func TestForgotStates(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, bo := s.Person("ana", models.RoleUser), s.Person("bo", models.RoleUser)
		ask := func(address string) {
			s.browser().post("/forgot", "email", address).redirects("/forgot/sent")
			s.Clock.Advance(time.Second)
		}
		token := func(address string) string {
			return servicetest.LinkIn(s.lastMail(address, "Reset your password"), s.URL+"/reset")
		}
		ask(ana.Email)
		older := token(ana.Email)
		ask(ana.Email)
		newer := token(ana.Email)
		s.browser().get("/reset?token="+older).status(410).says("This link has been replaced", "A newer link was created on")
		s.browser().post("/reset", "token", older, "password", otherWord).status(409)
		s.Clock.Advance(30 * time.Minute)
		s.browser().get("/reset?token="+newer).status(410).says("This link has expired", "Links work for 30 minutes.").
			has(`href="/forgot?email=ana%40example.org">Send a new link`)
		s.browser().post("/reset", "token", newer, "password", otherWord).status(409)

		ask(bo.Email)
		if err := s.Store.Users.Disable(t.Context(), bo.ID, "a note", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		before := len(s.mailTo(bo.Email))
		ask(bo.Email)
		m := s.lastMail(bo.Email, "Your account is disabled")
		if len(s.mailTo(bo.Email)) != before+1 || strings.Contains(m.Text, "/reset") || strings.Contains(m.Text, "a note") {
			t.Errorf("the message to a disabled person:\n%s", m.Text)
		}
		all := len(s.Mailbox.All())
		ask("nobody@example.org")
		if s.Deliver(t); len(s.Mailbox.All()) != all {
			t.Error("an address without an account got a message")
		}
		for typed, want := range map[string]string{
			"": "Enter an email address.", "ana": "Enter an email address like name@example.com.",
			"ana@example.org\r\nBcc: eve@example.org": "Enter an email address like name@example.com.",
			strings.Repeat("a", 300) + "@example.org": "Use an email address of at most 254 characters.",
		} {
			page := s.browser().post("/forgot", "email", typed).status(422).says("There is a problem")
			if got := page.fieldError("email"); !strings.HasPrefix(got, want) {
				t.Errorf("%q: got %q, want %q", typed, got, want)
			}
		}
	}, withMail)
}

// TestForgotTellsNothing compares the responses for an address with an account and for
// one without.
func TestForgotTellsNothing(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("known", models.RoleUser)
		var first *answer
		for _, address := range []string{"known@example.org", "other@example.org"} {
			b := s.browser()
			a := b.post("/forgot", "email", address).redirects("/forgot/sent")
			page := b.follow(a).status(200)
			page.body = strings.NewReplacer(address, "ADDRESS", strings.Replace(address, "@", "<wbr>@", 1), "ADDRESS").Replace(page.body)
			if first == nil {
				first = page
				continue
			}
			if page.body != first.body {
				t.Errorf("the pages differ:\n%s\n%s", first.body, page.body)
			}
			for name := range page.header {
				if len(page.header[name]) != len(first.header[name]) || name != "X-Request-Id" && name != "Set-Cookie" && page.header.Get(name) != first.header.Get(name) {
					t.Errorf("%s differs: %q and %q", name, first.header[name], page.header[name])
				}
			}
		}
		rows := s.Store.Deliveries
		list, err := rows.Take(t.Context(), []string{"forgot"}, 10, s.Clock.Now(), s.Clock.Now())
		if err != nil || len(list) != 2 || list[0].UserID+list[1].UserID+list[0].Recipient+list[1].Recipient != "" {
			t.Errorf("before the worker has run, the rows differ: %+v (%v)", list, err)
		}
	}, withMail)
}

// TestForgotLimits checks the limits of one account and of one network. Beyond them the
// response stays the same, and nothing is sent.
func TestForgotLimits(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana := s.Person("ana", models.RoleUser)
		bo := s.Person("bo", models.RoleUser)
		ask := func(from, address string) {
			b := s.browser()
			b.address = from + ":1234"
			b.post("/forgot", "email", address).redirects("/forgot/sent")
			s.Deliver(t)
		}
		for _, from := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"} {
			ask(from, ana.Email)
		}
		if n := len(s.mailTo(ana.Email)); n != 3 {
			t.Errorf("%d messages to one account within an hour, want 3", n)
		}
		for range 10 {
			ask("198.51.100.7", "nobody@example.org")
		}
		ask("198.51.100.7", bo.Email)
		if n := len(s.mailTo(bo.Email)); n != 0 {
			t.Errorf("%d messages asked for by a network that asked 10 times before", n)
		}
		s.Clock.Advance(time.Hour + time.Second)
		ask("198.51.100.7", bo.Email)
		if n := len(s.mailTo(bo.Email)); n != 1 {
			t.Errorf("%d messages an hour later, want 1", n)
		}
	}, withMail, withLimits)
}

// TestResetOnce sends one mailed link twenty times at once: one request sets the
// password.
func TestResetOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana := s.Person("ana", models.RoleUser)
		s.browser().post("/forgot", "email", ana.Email)
		token := servicetest.LinkIn(s.lastMail(ana.Email, "Reset your password"), s.URL+"/reset")
		var mu sync.Mutex
		codes := map[int]int{}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				code := s.browser().post("/reset", "token", token, "password", otherWord).code
				mu.Lock()
				defer mu.Unlock()
				codes[code]++
			})
		}
		if group.Wait(); codes[303] != 1 || codes[409] != 19 {
			t.Errorf("statuses %v, want 303 once and 409 otherwise", codes)
		}
	}, withMail)
}
