package handlers_test

import (
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// askEmail asks for another address.
func (b *browser) askEmail(email string) *answer {
	b.site.T.Helper()
	return b.post("/profile/email", "email", email, "current_password", secretWord)
}

// TestAskEmail changes an address: the old one counts until the new one is
// confirmed, and then every other session ends.
func TestAskEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		other := s.browser()
		other.signIn("ana")
		b.get("/profile/email").status(200).says("We send a link to the new address.", "Send a link").hides("Waiting for")
		b.post("/profile/email", "email", "ana@new.example", "current_password", "wrong").status(422)
		a := b.askEmail("Ana@New.example").redirects("/profile").touchesNoToken()
		b.follow(a).says("We sent a link to Ana@New.example. Your address changes when you confirm it.",
			"Waiting for Ana@New.example to be confirmed.", "Send again", "Cancel change", "You asked for another email address.")
		b.get("/profile/email").says("Your current email is ana@example.org.", "Waiting for Ana@New.example to be confirmed.")
		b.get("/verify").says("Check your email", "We sent a link to Ana@New.example.", "Your account keeps its address until you confirm this one.")
		if fresh := s.Reload(user); fresh.Email != "ana@example.org" {
			t.Fatalf("the address is %q already", fresh.Email)
		}
		if s.letter("Ana@New.example").Subject != "Confirm your new email address" {
			t.Errorf("got letter %q", s.letter("Ana@New.example").Subject)
		}
		b.post("/verify/send").redirects("/verify")
		reset := s.resetToken(user)

		a = b.post("/verify", "code", codeIn(s.letter("Ana@New.example"))).redirects("/profile").givesTokens()
		b.follow(a).says("Your email address is changed. Your other devices are signed out.", "Ana@New.example", "Add a second step so that a stolen password is not enough.").hides("Waiting for")
		other.get("/profile").redirects("/login?next=%2Fprofile")
		fresh := s.Reload(user)
		if fresh.Email != "Ana@New.example" || fresh.EmailVerifiedAt.IsZero() {
			t.Errorf("got %+v", fresh)
		}
		s.browser().get("/reset?token=" + reset).status(410)
		if e := s.LastEvent(audit.EmailChange); audit.Detail(e) != "ana@example.org → Ana@New.example, 2 sessions ended" {
			t.Errorf("got detail %q", audit.Detail(e))
		}
		if e := s.LastEvent(audit.EmailChangeAsked); audit.Detail(e) != "ana@example.org → Ana@New.example" {
			t.Errorf("got detail %q", audit.Detail(e))
		}
		kept, err := s.Store.EmailChanges.Since(t.Context(), user.ID, s.Clock.Now())
		if err != nil || len(kept) != 1 || kept[0].OldEmail != "ana@example.org" {
			t.Errorf("got earlier addresses %+v (%v)", kept, err)
		}
	}, withMail)
}

// TestAskEmailElsewhere confirms a new address in a browser that is not signed in:
// it is not signed in by that, and all sessions end.
func TestAskEmailElsewhere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.askEmail("ana@new.example").redirects("/profile")
		token := s.verifyToken("ana@new.example")
		stranger, _ := s.signedIn("bo", models.RoleUser)
		stranger.get("/verify?token="+token).status(200).says("ana@new.example", "It becomes the address of the account ana. Other devices are signed out.")
		phone := s.browser()
		phone.post("/verify", "token", token).redirects("/login").touchesNoToken()
		b.get("/profile").redirects("/login?next=%2Fprofile")
		if got := s.Reload(user).Email; got != "ana@new.example" {
			t.Errorf("got address %q", got)
		}
		stranger.get("/profile").status(200)

		// The old address stays reserved, so that the change can be undone.
		stranger.askEmail("ana@example.org").redirects("/profile")
		s.lastMail("ana@example.org", "Your address cannot be used for a new account yet")
	}, withMail)
}

// TestAskEmailCancel checks that a cancelled change cannot be confirmed, and neither
// can one that someone asked for before the password changed.
func TestAskEmailCancel(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.askEmail("ana@new.example").redirects("/profile")
		first := s.verifyToken("ana@new.example")
		b.follow(b.post("/profile/email/cancel").redirects("/profile/email")).says("Your email address stays as it is.").hides("Waiting for")
		b.post("/profile/email/cancel").redirects("/profile/email")
		s.browser().get("/verify?token="+first).status(410).says("This link no longer works", "The account was changed after the link was sent.").hides("Send a new link")
		s.browser().post("/verify", "token", first).status(409)
		s.browser().post("/verify/send", "token", first).status(410)

		for _, test := range []struct {
			password string
			end      func()
		}{
			{secretWord, func() {
				b.post("/profile/password", "current_password", secretWord, "new_password", otherWord).redirects("/profile")
			}},
			{otherWord, func() {
				s.browser().post("/reset", "token", s.resetToken(user), "password", secretWord).redirects("/login")
			}},
		} {
			thief := s.browser()
			thief.post("/login", "username", "ana", "password", test.password).redirects("/profile")
			thief.post("/profile/email", "email", "thief@example.org", "current_password", test.password).redirects("/profile")
			token := s.verifyToken("thief@example.org")
			test.end()
			s.browser().post("/verify", "token", token).status(409).says("This link no longer works")
		}
		if got := s.Reload(user).Email; got != "ana@example.org" {
			t.Errorf("got address %q", got)
		}
	}, withMail)
}

// TestAskEmailTaken checks that asking for the address of another account looks the
// same as asking for a free one, and gives nothing.
func TestAskEmailTaken(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Person("taken", models.RoleUser)
		for _, email := range []string{"taken@example.org", "fresh@example.org"} {
			b.follow(b.askEmail(email).redirects("/profile")).says("We sent a link to "+email+". Your address changes when you confirm it.",
				"Waiting for "+email+" to be confirmed.")
			b.get("/verify").says("We sent a link to " + email + ".")
		}
		if m := s.letter("taken@example.org"); m.Subject != "You already have an account" || codeIn(m) != "" {
			t.Errorf("got letter %q\n%s", m.Subject, m.Text)
		}
		// The address is taken while the link is on the way.
		token := s.verifyToken("fresh@example.org")
		s.Person("fresh", models.RoleUser)
		b.post("/verify", "token", token).status(409).says("Another account has this address", "Nothing was changed here.").touchesNoToken()
		if got := s.Reload(user).Email; got != "ana@example.org" {
			t.Errorf("got address %q", got)
		}
	}, withMail)
}

// TestVerifySuggestion checks that the account page suggests to confirm the address,
// and that mail alone does not.
func TestVerifySuggestion(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").says("Your email address is not confirmed.", "Confirm it", "Not verified").has(`href="/verify"`)
		if err := s.Store.Users.SetEmailVerified(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.get("/profile").says("Add a second step so that a stolen password is not enough.", "Verified").hides("Not verified")
	}, verifying)
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.get("/profile").says("Add a second step so that a stolen password is not enough.").hides("erified")
		b.get("/verify").redirects("/profile")
		s.browser().post("/signup", "username", "bo", "email", "bo@example.org", "password", secretWord).redirects("/profile").givesTokens()
	}, withMail)
}

// TestVerifyUser checks that an admin can mark an address as verified, and that an
// edited address is not.
func TestVerifyUser(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		path := "/admin/users/" + user.ID
		boss.get(path).says("Not verified", "Mark as verified")
		boss.follow(boss.post(path+"/verify").redirects(path)).says("The email address of ana is marked as verified.", "boss marked the email address of ana as verified.").
			hides("Not verified")
		boss.follow(boss.post(path + "/verify").redirects(path)).says("This account has changed since you opened it.")
		if e := s.LastEvent(audit.UserVerify); e.SubjectID != user.ID || e.ActorName != "boss" {
			t.Errorf("got event %+v", e)
		}
		boss.post(path+"/edit", "username", "ana", "email", "ana@example.org", "full_name", "Ana").redirects(path)
		if s.Reload(user).EmailVerifiedAt.IsZero() {
			t.Error("a new name has made the address unverified")
		}
		boss.post(path+"/edit", "username", "ana", "email", "ana@new.example", "full_name", "Ana").redirects(path)
		boss.get(path).says("Not verified")
		// Another account cannot get the address that the first can still get back.
		bo := s.Person("bo", models.RoleUser)
		page := boss.post("/admin/users/"+bo.ID+"/edit", "username", "bo", "email", "ana@example.org", "full_name", "").status(422)
		if got := page.fieldError("email"); got != "There is already an account with this email address." {
			t.Errorf("got error %q", got)
		}
		s.Clock.Advance(models.KeepEmail + time.Second)
		boss.signIn("boss")
		boss.post("/admin/users/"+bo.ID+"/edit", "username", "bo", "email", "ana@example.org", "full_name", "").redirects("/admin/users/" + bo.ID)
	})
}
