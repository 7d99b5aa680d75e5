package handlers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// giveApp gives an account an authenticator app and returns its secret.
func (s *site) giveApp(user *models.User) []byte {
	s.T.Helper()
	secret, id := factor.NewSecret(), models.NewID()
	err := s.Store.Apps.Create(s.T.Context(), &models.AuthenticatorApp{
		ID: id, UserID: user.ID, Secret: s.Auth.SealSecret(id, secret), CreatedAt: models.At(s.Clock.Now()),
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return secret
}

// giveRecoveryCode gives an account a set of one recovery code and returns it.
func (s *site) giveRecoveryCode(user *models.User) string {
	s.T.Helper()
	code := factor.NewRecoveryCodes()[0]
	hashes, err := servicetest.FastHasher().HashSet(s.T.Context(), []string{code})
	if err != nil {
		s.T.Fatal(err)
	}
	row := models.RecoveryCode{ID: models.NewID(), UserID: user.ID, CodeHash: hashes[0], CreatedAt: models.At(s.Clock.Now())}
	if err := s.Store.RecoveryCodes.Replace(s.T.Context(), user.ID, []models.RecoveryCode{row}, s.Clock.Now()); err != nil {
		s.T.Fatal(err)
	}
	return code
}

// codeNow returns what the app shows, in the way that people copy it.
func (s *site) codeNow(secret []byte) string {
	code := factor.Code(secret, factor.StepAt(s.Clock.Now()))
	return " " + code[:3] + " " + code[3:] + " "
}

// onlySession returns the one session of a person.
func (s *site) onlySession(user *models.User) models.Session {
	s.T.Helper()
	list := s.LiveSessions(user.ID)
	if len(list) != 1 {
		s.T.Fatalf("got %d sessions, want one", len(list))
	}
	return list[0]
}

// TestConfirm checks that the password confirms the session that there is: no other
// session, device or token appears, and a second process knows at once.
func TestConfirm(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Clock.Advance(auth.ConfirmedFor)
		b.get("/profile").status(200)
		before := s.onlySession(user)
		a := b.get("/profile/email").redirects("/confirm?next=%2Fprofile%2Femail")
		page := b.follow(a).status(200).says("Confirm it’s you", "You are about to change your email address. We will not ask again for 15 minutes.").
			has(`value="ana@example.org"`, `autocomplete="username"`, `readonly`).hides("Try another way", "authenticator")
		if got := page.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("got Cache-Control %q", got)
		}
		for _, test := range []struct{ typed, want string }{
			{"", "Enter your password."}, {"wrong", "The password is not correct."}, {strings.Repeat("x", 10<<10), "The password is not correct."},
		} {
			b.post("/confirm", "next", "/profile/email", "password", test.typed).status(422).says("There is a problem", test.want).
				has(`name="next" value="/profile/email"`).hides("xxxx")
		}
		if got := s.LastEvent(audit.PasswordFailed); got.SubjectID != user.ID || got.SessionID != before.ID {
			t.Errorf("the wrong password is recorded as %+v", got)
		}
		b.get("/profile/email").status(303)
		b.post("/confirm", "next", "/profile/email", "password", secretWord).redirects("/profile/email").touchesNoToken()
		after := s.onlySession(user)
		if after.ID != before.ID || after.AuthTime.Time() != s.Clock.Now() || after.FullAuthTime != after.AuthTime || after.ACR != models.ACR1 || after.AMR != "pwd" ||
			after.CreatedAt != before.CreatedAt || after.Generation != before.Generation {
			t.Errorf("the session became %+v, was %+v", after, before)
		}
		if got := s.LastEvent(audit.Confirmed); audit.DetailsOf(got).Step != audit.StepPassword || got.SubjectID != user.ID {
			t.Errorf("recorded as %+v", got)
		}
		devices, err := s.Store.Devices.ByUser(t.Context(), user.ID)
		if err != nil || len(devices) != 1 {
			t.Errorf("got %d devices (%v), want one", len(devices), err)
		}
		twin := b.clone()
		twin.site = newSite(t, s.Store)
		twin.site.Clock.Advance(s.Clock.Now().Sub(twin.site.Clock.Now()))
		twin.get("/profile/email").status(200)
		s.Clock.Advance(auth.ConfirmedFor + time.Minute)
		b.get("/profile/email").redirects("/confirm?next=%2Fprofile%2Femail")
	})
}

// TestConfirmNext checks where a confirmation leads, and what the page says and links to.
func TestConfirmNext(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleAdmin)
		page := "/admin/users/" + user.ID
		const anything = "Show us that it is you before you go on."
		for _, test := range []struct{ next, want, says, cancel string }{
			{"", "/profile/security", anything, "/profile/security"},
			{"https://evil.example/", "/profile/security", anything, "/profile/security"},
			{"//evil.example", "/profile/security", anything, "/profile/security"},
			{"/logout", "/profile/security", anything, "/profile/security"},
			{"/profile/delete", "/profile/delete", "You are about to delete your account.", "/profile"},
			{"/profile/tokens?x=1", "/profile/tokens?x=1", "You are about to create an access token.", "/profile/tokens"},
			{page + "/disable", page + "/disable", "You are about to disable an account.", page},
			{page, page, "You are about to change another person’s account.", page},
			{"/admin/users/new", "/admin/users/new", "You are about to add a user.", "/admin/users"},
			{"/admin/invitations/new", "/admin/invitations/new", "You are about to invite someone.", "/admin/invitations"},
			{"/admin/mail", "/admin/mail", "You are about to send a message.", "/admin/mail"},
		} {
			b.get("/confirm?next=" + url.QueryEscape(test.next)).status(200).says(test.says).has(`href="` + test.cancel + `">Cancel`)
			b.post("/confirm", "next", test.next, "password", secretWord).redirects(test.want)
		}
	})
}

// TestConfirmByCode checks the page of a person with an app: a code is asked first, the
// password is the other way, a code works once, and it makes a second step of a session
// that was opened with a password.
func TestConfirmByCode(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		secret, recovery := s.giveApp(user), s.giveRecoveryCode(user)
		b.get("/confirm?next=/profile/email").status(200).has(`name="code"`, `autocomplete="one-time-code"`, "way=password").hides(`type="password"`)
		b.get("/confirm?next=/profile/email&way=password").status(200).has(`type="password"`, "way=code").hides(`name="code"`)
		s.Clock.Advance(time.Hour + 5*time.Second)
		for _, test := range []struct{ code, want string }{
			{" ", "That code is not correct."},
			{"letters", "That code is not correct."},
			{strings.Repeat("1", 10<<10), "That code is not correct."},
			{factor.Code(secret, factor.StepAt(s.Clock.Now().Add(-5*time.Minute))), "That code is not correct."},
		} {
			b.post("/confirm", "next", "/profile/email", "code", test.code).status(422).says(test.want).hides(`value="`+test.code, "11111111")
		}
		b.post("/confirm", "code", "").status(422).says("Enter a code.")
		b.post("/confirm", "code", "000000").status(422).says("It is 13:00:05 UTC here")
		if got := s.LastEvent(audit.CodeCheckFailed).SubjectID; got != user.ID {
			t.Errorf("the wrong code is recorded for %q", got)
		}
		b.get("/profile/email").status(303)
		before := s.onlySession(user)
		code := s.codeNow(secret)
		b.post("/confirm", "next", "/profile/email", "code", code).redirects("/profile/email").touchesNoToken()
		after := s.onlySession(user)
		if after.ID != before.ID || after.ACR != models.ACR2 || after.AMR != "mfa otp pwd" || after.AuthTime.Time() != s.Clock.Now() || after.FullAuthTime != before.FullAuthTime {
			t.Errorf("the session became %+v, was %+v", after, before)
		}
		if got := audit.DetailsOf(s.LastEvent(audit.Confirmed)).Step; got != audit.StepCode {
			t.Errorf("recorded as %q", got)
		}
		b.post("/confirm", "code", code).status(422).says("That code was already used. Wait for the next one.")
		s.Clock.Advance(auth.ConfirmedFor)
		b.post("/confirm", "next", "/profile/email", "code", strings.ToUpper(factor.ShowRecovery(recovery))).redirects("/profile/email")
		b.get("/profile/email").status(200)
		if got := audit.DetailsOf(s.LastEvent(audit.Confirmed)).Step; got != audit.StepRecovery {
			t.Errorf("recorded as %q", got)
		}
		b.post("/confirm", "code", recovery).status(422).says("That code was already used.")
		s.Clock.Advance(auth.ConfirmedFor)
		b.post("/confirm", "next", "/profile/email", "password", secretWord).redirects("/profile/email")
		if now := s.onlySession(user); now.ACR != models.ACR2 || now.FullAuthTime != before.FullAuthTime {
			t.Errorf("after the password the session is %+v", now)
		}
	})
}

// TestConfirmFull checks that the first passkey can ask for everything that the account
// has in one form: neither the password nor the code counts alone, and no attempt at one
// uses the other up.
func TestConfirmFull(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		full := func() bool {
			t.Helper()
			ok, err := s.Auth.FullyConfirmed(t.Context(), &auth.Identity{UserID: user.ID, SessionID: s.onlySession(user).ID})
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		s.Clock.Advance(auth.ConfirmedFor)
		b.get("/confirm?full=1").status(200).has(`type="password"`, `name="full" value="1"`).hides(`name="code"`)
		if full() {
			t.Error("it is confirmed before")
		}
		b.post("/confirm", "full", "1", "password", secretWord).redirects("/profile/security")
		if !full() {
			t.Error("the password is everything that this account has")
		}
		secret, recovery := s.giveApp(user), s.giveRecoveryCode(user)
		s.Clock.Advance(auth.ConfirmedFor)
		b.get("/confirm?full=1&next=/profile/name").status(200).has(`type="password"`, `name="code"`).hides("Try another way")
		code := s.codeNow(secret)
		for _, form := range [][]string{
			{"password", secretWord}, {"code", code}, {"password", "", "code", ""}, {"password", "wrong", "code", code}, {"password", secretWord, "code", "000000"},
		} {
			b.post("/confirm", append([]string{"full", "1"}, form...)...).status(422)
		}
		b.post("/confirm", "password", secretWord).status(303)
		if full() {
			t.Error("half of it counts as everything")
		}
		b.post("/confirm", "full", "1", "next", "/profile/name", "password", secretWord, "code", code).redirects("/profile/name")
		if !full() || s.onlySession(user).ACR != models.ACR2 {
			t.Errorf("after both: %t, %+v", full(), s.onlySession(user))
		}
		s.Clock.Advance(auth.ConfirmedFor)
		b.post("/confirm", "full", "1", "password", secretWord, "code", recovery).status(303)
		if !full() {
			t.Error("a recovery code does not take the place of the app")
		}
		s.Clock.Advance(auth.ConfirmedFor)
		b.post("/profile/password", "current_password", secretWord, "new_password", otherWord).redirects("/profile")
		if full() {
			t.Error("the current password counts as everything")
		}
		b.get("/profile/email").status(200) // but it is a confirmation
	})
}

// TestConfirmLimits checks that wrong passwords and wrong codes are limited, also in the
// full form, and that the limit of codes holds without the other limits.
func TestConfirmLimits(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		secret := s.giveApp(user)
		for i := range 10 { // of a known device
			form := [][]string{{"password", "wrong"}, {"full", "1", "password", "wrong", "code", "1"}}[i%2]
			b.post("/confirm", form...).status(422).says("The password is not correct.")
		}
		b.post("/confirm", "password", secretWord).status(429).says("Too many attempts with a wrong password. You can try again in 15 minutes").hides(secretWord)
		b.post("/profile/email", "email", "new@example.org", "current_password", secretWord).status(429)
		s.Clock.Advance(15 * time.Minute)
		b.post("/confirm", "password", secretWord).redirects("/profile/security")
		for range 10 {
			b.post("/confirm", "code", "000000").status(422)
		}
		b.post("/confirm", "code", s.codeNow(secret)).status(429).says("Too many wrong codes were entered for this account.")
		b.post("/confirm", "full", "1", "password", secretWord, "code", s.codeNow(secret)).status(429)
		for range 10 { // each of them was a right password: none counts
			b.post("/confirm", "full", "1", "password", secretWord, "code", s.codeNow(secret)).status(429)
		}
		b.post("/confirm", "password", secretWord).status(303)
		s.Clock.Advance(time.Hour)
		b.post("/confirm", "code", s.codeNow(secret)).status(303)
	}, withLimits)
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		secret := s.giveApp(user)
		for range 10 {
			b.post("/confirm", "code", "000000").status(422)
		}
		b.post("/confirm", "code", s.codeNow(secret)).status(429)
	})
}

// TestConfirmOnce checks that of many requests with one code one confirms.
func TestConfirmOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		secret := s.giveApp(user)
		code := s.codeNow(secret)
		results := make(chan int, 8)
		for range 8 {
			go func() {
				outcome, err := s.Auth.Confirm(t.Context(), auth.Confirmation{
					Identity: &auth.Identity{UserID: user.ID, Username: "ana", SessionID: s.LiveSessions(user.ID)[0].ID}, ByCode: true, Code: code,
				})
				switch {
				case err != nil:
					t.Error(err)
					results <- 0
				case outcome.Refused == "":
					results <- 1
				case outcome.Refused == auth.UsedCode:
					results <- 0
				default:
					t.Errorf("refused: %s", outcome.Refused)
					results <- 0
				}
			}()
		}
		n := 0
		for range 8 {
			n += <-results
		}
		if n != 1 {
			t.Errorf("the code confirmed %d times", n)
		}
		b.get("/profile/email").status(200)
	})
}
