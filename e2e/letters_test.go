package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLetters looks at every letter as people read it: the HTML form on a phone and on a
// tablet, in light and dark, and the text form. Each has at most 20 KB, loads nothing,
// and its links lead to the portal.
func TestLetters(t *testing.T) {
	t.Parallel()
	p, mails := startWithMail(t, false, "LATCHKEY_VERIFY_EMAIL=on")
	everyLetter(t, p, mails)
	var subjects []string
	for _, l := range mails.all() {
		if slices.Contains(subjects, l.subject) {
			continue
		}
		subjects = append(subjects, l.subject)
		t.Run(l.subject, func(t *testing.T) {
			t.Parallel()
			checkLetter(t, p, l)
			lookAtLetter(t, p, l)
		})
	}
	t.Logf("letters: %q", subjects)
}

// everyLetter causes a letter of every kind.
func everyLetter(t *testing.T, p *portal, mails *mailServer) {
	t.Helper()
	boss := p.admin(newAccount("boss", "Boss Admin"))
	ana := p.admin(newAccount("ana", "Ana Silva"))
	p.command("user", "demote", "ana")
	v := newVisitor(t)
	p.post(v, "/signup", "/verify", url.Values{"username": {"newcomer"}, "email": {"new@example.org"}, "password": {ana.password}})
	p.post(v, "/signup", "/verify", url.Values{"username": {"eve"}, "email": {ana.email}, "password": {ana.password}})
	p.post(newVisitor(t), "/forgot", "/forgot/sent", url.Values{"email": {ana.email}})
	p.signInFrom(ana, firefox)
	p.signInFrom(ana, iphone)
	p.command("user", "verify", "ana")
	p.command("user", "disable", "ana")
	p.post(newVisitor(t), "/forgot", "/forgot/sent", url.Values{"email": {ana.email}})
	mails.wait(ana.email, "Your account is disabled")
	p.command("user", "enable", "ana")

	person := newVisitor(t)
	p.post(person, "/login", "/profile", url.Values{"username": {"ana"}, "password": {ana.password}})
	p.post(person, "/profile/username", "/profile", url.Values{"username": {"anna"}, "current_password": {ana.password}})
	p.post(person, "/profile/tokens", "", url.Values{"name": {"Nightly backup"}, "scope.me": {"on"}, "days": {"30"}, "current_password": {ana.password}})
	p.post(person, "/profile/email", "", url.Values{"email": {"ana@new.example"}, "current_password": {ana.password}})
	token := tokenOf(mails.wait("ana@new.example", "Confirm your new email address"), "/verify")
	p.post(person, "/verify", "", url.Values{"token": {token}})
	mails.wait(ana.email, "Your email address was changed")
	p.post(person, "/profile/password", "/profile", url.Values{"current_password": {ana.password}, "new_password": {"twelve wise owls read"}})
	token = tokenOf(mails.wait("ana@new.example", "Your password was changed"), "/secure")
	p.post(newVisitor(t), "/secure", "/login", url.Values{"token": {token}})
	token = tokenOf(mails.wait("ana@new.example", "Your account is secured"), "/reset")
	p.post(newVisitor(t), "/reset", "/login", url.Values{"token": {token}, "password": {"twelve wise owls read"}})

	admin := newVisitor(t)
	p.post(admin, "/login", "/profile", url.Values{"username": {"boss"}, "password": {boss.password}})
	p.post(admin, "/admin/invitations/new", "", url.Values{"email": {"guest@example.org"}, "role": {"user"}, "hours": {"72"}, "uses": {"1"}})
	p.post(admin, "/admin/mail/test", "", url.Values{"to": {"boss@example.org"}})
	id := userID.FindStringSubmatch(p.command("user", "show", "anna"))[1]
	p.post(admin, "/admin/users/"+id+"/delete", "", url.Values{"confirm": {"ana@new.example"}})
	p.command("user", "restore", "anna")
	mails.wait("ana@new.example", "Your account was restored")
	p.post(person, "/login", "/profile", url.Values{"username": {"anna"}, "password": {"twelve wise owls read"}})
	p.post(person, "/profile/delete", "", url.Values{"confirm": {"ana@new.example"}, "current_password": {"twelve wise owls read"}})
	mails.wait("ana@new.example", "Your Latchkey account is deleted")
	mails.wait("boss@example.org", "Test message")
	mails.wait("guest@example.org", "You are invited")
	mails.wait(ana.email, "You already have an account")
}

var userID = regexp.MustCompile(`(?m)^Id\s+(\w+)$`)

// tokenOf returns the token of a link in a letter.
func tokenOf(l letter, page string) string {
	found := regexp.MustCompile(regexp.QuoteMeta(page) + `\?token=([\w-]+)`).FindStringSubmatch(l.text)
	if found == nil {
		return ""
	}
	return found[1]
}

// checkLetter checks the parts of a letter that are not looks.
func checkLetter(t *testing.T, p *portal, l letter) {
	t.Helper()
	if l.size > 20<<10 {
		t.Errorf("%d bytes, want 20 KB at most", l.size)
	}
	if from, err := mail.ParseAddress(l.header.Get("From")); err != nil || from.Address != "accounts@example.org" || from.Name != "Example Accounts" {
		t.Errorf("from %q", l.header.Get("From"))
	}
	if l.header.Get("Auto-Submitted") != "auto-generated" || l.header.Get("Message-Id") == "" || l.header.Get("Date") == "" {
		t.Errorf("header %v", l.header)
	}
	if found := regexp.MustCompile(`(?i)\ssrc=|<link|<img|url\(|<script|@import`).FindString(l.html); found != "" {
		t.Errorf("the HTML loads something: %q", found)
	}
	links := regexp.MustCompile(`https?://[^\s"<)]+`)
	for _, form := range []string{l.text, l.html} {
		for _, link := range links.FindAllString(form, -1) {
			if link = strings.TrimRight(link, "."); link != p.url && !strings.HasPrefix(link, p.url+"/") {
				t.Errorf("a link to %s", link)
			}
		}
	}
}

// lookAtLetter opens the HTML form of a letter, and fails if it scrolls sideways, has
// faults of accessibility, loads anything or lacks a sentence of the text form.
func lookAtLetter(t *testing.T, p *portal, l letter) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, l.html)
	}))
	defer server.Close()
	b := open(t, p, true)
	b.visitAt(server.URL + "/")
	loaded, _ := b.watch.transferred()
	for _, address := range loaded {
		if address != server.URL+"/" && address != server.URL+"/favicon.ico" {
			t.Errorf("the letter loads %s", address)
		}
	}
	shown := strings.Join(strings.Fields(b.text()), " ")
	for line := range strings.Lines(l.text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && line != "--" && !strings.HasSuffix(line, ":") && !strings.Contains(line, ": ") &&
			!strings.Contains(shown, line) && !strings.Contains(l.html, `href="`+line+`"`) {
			t.Errorf("the HTML does not say %q:\n%s", line, shown)
		}
	}
	b.watch.mute(true)
	ask[chromedp.Void](b, strings.ReplaceAll(suite.axe, "%", "%%")+"; undefined")
	for _, width := range []int64{360, 640} {
		for _, dark := range []bool{false, true} {
			b.screen(width, 700, dark)
			faults := b.sideways()
			if width == 360 { // the width changes neither colours nor structure
				faults = append(faults, b.axe().Violations...)
			}
			for _, fault := range faults {
				t.Errorf("%d wide, dark %t: %s", width, dark, fault)
			}
			b.picture(fmt.Sprintf("letter %s %d dark %t", l.subject, width, dark))
		}
	}
}
