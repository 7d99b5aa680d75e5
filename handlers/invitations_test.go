package handlers_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

func byInvitation(o *portaltest.Options) {
	o.Mail, o.Signup, o.SupportEmail = true, account.SignupInvite, "help@example.org"
}

// invite creates an invitation on the page and returns its token and its id.
func (b *browser) invite(pairs ...string) (token, id string) {
	b.site.T.Helper()
	a := b.post("/admin/invitations/new", pairs...).status(303)
	id = strings.Split(a.header.Get("Location"), "/")[3]
	page := b.follow(a).status(200).says("Invitation created", "You will not see it again.")
	found := regexp.MustCompile(`/signup\?invite=([\w-]{43})`).FindStringSubmatch(page.body)
	if found == nil {
		b.site.T.Fatalf("no link on the page:\n%s", page.text())
	}
	b.get(a.header.Get("Location")).redirects("/admin/invitations") // shown once
	b.get("/admin/invitations").says("The link of an invitation is shown only once.")
	return found[1], id
}

// accept fills in and sends the form behind an invitation.
func (b *browser) accept(token, name string) *answer {
	return b.post("/signup", "invite", token, "username", name, "email", name+"@example.org", "full_name", "Full "+name, "password", secretWord)
}

// TestInvite walks from the admin's form to the account of the invited person.
func TestInvite(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin").says("You are the only user so far.", "Invite someone")
		boss.get("/admin/users").says("You are the only user so far. Invite someone")
		boss.get("/admin/invitations").status(200).says("No invitations yet. Invite someone")
		boss.get("/admin/invitations/new").status(200).has(`value="72" checked`, `name="uses" type="text" value="1"`)
		token, _ := boss.invite("email", "", "role", "user", "hours", "168", "uses", "3", "note", "the <new> team")
		boss.get("/admin/invitations").says("Up to 3 people with the link Open", "the <new> team", "by bo Works until 29 Nov 2026, 12:00 UTC", "Withdraw")

		b := s.browser()
		for range 2 { // opening the link does not use it
			b.get("/signup?invite="+token).status(200).says("Welcome to Latchkey. You are invited. Choose a password to create your account.").
				hides("New password", "new password").has(`<meta name="robots" content="noindex"`, `name="invite" value="`+token+`"`)
			b.do(b.request(http.MethodHead, "/signup?invite="+token, "")).status(200)
		}
		a := b.post("/signup", "invite", token, "username", "a", "email", "x", "full_name", "Ana", "password", "short").status(422).
			says("There is a problem", "Use 2 to 32 characters.", "Enter an email address like name@example.com.").
			has(`name="invite" value="`+token+`"`, `value="/signup?invite=`+token+`"`) // the theme switch comes back here
		checkKept(t, a, map[string]string{"username": "a", "email": "x", "full_name": "Ana"})
		a = b.accept(token, "ana").redirects("/profile").givesTokens()
		b.follow(a).says("Your account is ready.", "Full ana")
		b.get("/signup?invite=" + token).redirects("/profile")
		b.get("/profile").says("You already have an account and are signed in.")
		b.get("/profile/sessions").says("with an invitation")
		boss.get("/admin/invitations").says("Up to 3 people with the link Used 1 of 3")
		boss.get("/admin/audit").says("bo created an invitation: role user, invitation", "for up to 3 accounts", "created an account: invitation")
	}, byInvitation)
}

// TestInvitePolicy checks that people need an invitation, that the pages say so, and
// that programs cannot sign up either.
func TestInvitePolicy(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.get("/login").status(200).says("New to Latchkey? Accounts are by invitation")
		b.get("/signup").status(403).
			says("You need an invitation New accounts are by invitation. Contact help@example.org to get one. If you have an invitation, open its link.")
		b.post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).status(403).says("You need an invitation")
		r := b.request(http.MethodPost, "/signup", `{"username":"ana","email":"ana@example.org","password":"`+secretWord+`"}`)
		r.Header.Set("Content-Type", "application/json")
		b.do(r).status(415)
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 0 {
			t.Errorf("%d accounts (%v), want none", all.Total, err)
		}
	}, byInvitation)
}

// TestInviteAnyPolicy checks that an invitation works while sign-up is open and while
// it is closed.
func TestInviteAnyPolicy(t *testing.T) {
	for _, policy := range []account.SignupPolicy{account.SignupOpen, account.SignupClosed} {
		eachSite(t, func(t *testing.T, s *site) {
			boss, _ := s.signedIn("bo", models.RoleAdmin)
			token, _ := boss.invite("role", "admin")
			s.browser().get("/signup?invite=" + token).says("Your account will be an admin.")
			s.browser().accept(token, "ana").redirects("/profile")
			user, err := s.Store.Users.ByUsername(t.Context(), "ana")
			if err != nil || user.Role != models.RoleAdmin {
				t.Errorf("%s: got %+v (%v), want an admin", policy, user, err)
			}
		}, func(o *portaltest.Options) { o.Signup = policy })
	}
}

// TestInviteAddress checks that the form of an invitation for an address has that
// address, and that another one is refused on the field.
func TestInviteAddress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/invitations/new").says("The invitation is mailed there, and works for no other address.")
		boss.post("/admin/invitations/new", "email", "bo@example.org").status(422).says("There is already an account with this email address.")
		a := boss.post("/admin/invitations/new", "email", "ana@example.org", "role", "admin", "hours", "5", "uses", "2", "note", "n").status(422).
			says("Choose how long the link works.", "An invitation for one email address creates one account.")
		checkKept(t, a, map[string]string{"email": "ana@example.org", "uses": "2"})
		boss.post("/admin/invitations/new", "uses", "two").status(422).says("Enter a number from 1 to 100.")
		a = boss.post("/admin/invitations/new", "email", "ana@example.org", "note", "hired by Eve").status(303)
		boss.follow(a).says("We are mailing an invitation to ana@example.org.", "The link works once, until 25 Nov 2026, 12:00 UTC. You will not see it again.")
		s.Deliver(t)
		letters := s.Mailbox.To("ana@example.org")
		if len(letters) != 1 || strings.Contains(letters[0].Text, "Eve") || !strings.Contains(letters[0].Text, "choose a username and a password") {
			t.Fatalf("letters: %+v", letters)
		}
		token := regexp.MustCompile(`invite=([\w-]{43})`).FindStringSubmatch(letters[0].Text)[1]
		s.browser().get("/signup?invite=" + token).has(`value="ana@example.org" required readonly`).hides("Eve")
		a = s.browser().accept(token, "eve").status(422).says("This invitation is only for ana@example.org.")
		if got, want := a.fieldError("email"), "This invitation is only for ana@example.org. To use another address, ask for another invitation."; got != want {
			t.Errorf("the error of the address: %q, want %q", got, want)
		}
		if got, _ := a.value("email"); got != "ana@example.org" {
			t.Errorf("the form has the address %q, want that of the invitation", got)
		}
		s.browser().accept(token, "ana").redirects("/profile")
		boss.get("/admin/invitations").says("ana@example.org Used", "hired by Eve").hides("/withdraw")
	}, byInvitation)
}

// TestDeadInvitations checks the words for each state, before the form is filled in
// and when it is sent.
func TestDeadInvitations(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		over, _ := boss.invite("hours", "24")
		once, _ := boss.invite("uses", "1")
		twice, _ := boss.invite("uses", "2")
		withdrawn, id := boss.invite("uses", "5")
		s.browser().accept(once, "ana").redirects("/profile")
		s.browser().accept(twice, "carl").redirects("/profile")
		s.browser().accept(twice, "dee").redirects("/profile")
		boss.get("/admin/invitations/"+id+"/withdraw").status(200).says("Withdraw this invitation?", "Accounts that were created with it stay.")
		b := s.browser()
		b.get("/signup?invite=" + withdrawn).status(200)
		boss.post("/admin/invitations/" + id + "/withdraw").redirects("/admin/invitations")
		boss.get("/admin/invitations").says("The invitation is withdrawn. Its link has stopped working.", "Up to 5 people with the link Withdrawn")
		b.accept(withdrawn, "eve").status(409).says("This invitation was withdrawn") // between GET and POST
		boss.post("/admin/invitations/" + id + "/withdraw").redirects("/admin/invitations")
		boss.get("/admin/invitations").says("That invitation was not open any more.")
		boss.get("/admin/invitations/" + id + "/withdraw").redirects("/admin/invitations")
		s.Clock.Advance(25 * time.Hour)
		for _, test := range []struct{ name, token, words string }{
			{"over", over, "This invitation is over It ended on 23 Nov 2026, 12:00 UTC. Ask help@example.org for a new one."},
			{"once", once, "This invitation has been used It works once, and an account was created with it. Ask help@example.org for a new one if that was not you. Sign in"},
			{"twice", twice, "This invitation has been used It was for 2 accounts, and all of them were created. Ask help@example.org"},
			{"withdrawn", withdrawn, "This invitation was withdrawn If you have a newer one, use that. Ask help@example.org"},
			{"broken", once[:20], "This link is not complete Copy the whole link from your invitation. Ask help@example.org"},
			{"empty", "", "This link is not complete"},
			{"long", strings.Repeat("x", 10<<10), "This link is not complete"},
			{"a hash", models.HashToken(over), "This link is not complete"},
		} {
			s.browser().get("/signup?invite=" + test.token).status(410).says(test.words).hides("<form class=").has(`content="noindex"`)
			s.browser().accept(test.token, "eve").status(409).says(test.words).touchesNoToken()
		}
		if _, err := s.Store.Users.ByUsername(t.Context(), "eve"); err == nil {
			t.Error("a dead invitation created an account")
		}
		boss, _ = s.signedIn("boss2", models.RoleAdmin)
		boss.get("/admin/invitations").says("Anyone with the link Over", "Anyone with the link Used", "Up to 2 people with the link Used 2 of 2")
	}, byInvitation)
}

// TestInvitationPages checks that a long list has pages.
func TestInvitationPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for i := range 30 {
			s.Clock.Advance(time.Second)
			if _, _, err := s.Accounts.CreateInvitation(t.Context(), auth.Shell(), account.InvitationDraft{
				Role: models.RoleUser, Hours: 24, Uses: 1, Note: fmt.Sprintf("number %d.", i),
			}); err != nil {
				t.Fatal(err)
			}
		}
		next := regexp.MustCompile(`href="([^"]*\?(?:after|before)=[^"]*)"`)
		first := boss.get("/admin/invitations").status(200).says("number 29.", "number 5.", "Next").hides("number 4.", "Previous")
		second := boss.get(next.FindStringSubmatch(first.body)[1]).status(200).says("number 4.", "number 0.", "Previous").hides("number 5.")
		boss.get(next.FindStringSubmatch(second.body)[1]).status(200).says("number 29.", "number 5.").hides("number 4.")
		boss.get("/admin/invitations?after=x").status(400).says("This page of the list does not exist.")
		boss.get("/admin/invitations?after=x&before=y").status(400)
		if e := s.LastEvent(audit.InviteCreate); e.ActorName != "System" {
			t.Errorf("got %+v", e)
		}
	})
}
