package handlers_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/models"
)

// endedWords are the messages of the sign-in page for each reason.
var endedWords = map[models.Reason]string{
	models.ReasonLogout:         "You signed out. Sign in to continue.",
	models.ReasonEndedElsewhere: "You signed this device out from another device. Sign in to continue.",
	models.ReasonAdmin:          "An admin signed you out. Sign in to continue.",
	models.ReasonDisabled:       "This account is disabled. Contact help@example.org.",
	models.ReasonDeleted:        "You were signed out. Sign in to continue.",
	models.ReasonPassword:       "Your password was changed, and every device was signed out. Sign in with the new password.",
	models.ReasonEmail:          "Your email address was changed, and every device was signed out. Sign in to continue.",
	models.ReasonSecured:        "Your account was secured, and every device was signed out. Choose a new password with the link that we mailed to you.",
	models.ReasonReplaced:       "You signed in again in this browser, so the earlier session ended. Sign in to continue.",
	models.ReasonLimit:          "You signed in on too many devices, so the least recently used one, this device, was signed out. Sign in to continue.",
	models.ReasonReplay: "To protect your account, we ended this session: someone may have used a copy of it. Sign in again. " +
		"If you do not recognise this, change your password.",
	models.ReasonTwoStep:  "Your two-step sign-in was changed, and every device was signed out. Sign in to continue.",
	models.ReasonPasskey:  "A passkey was removed from your account, and this device was signed out. Sign in to continue.",
	models.ReasonRestored: "You were signed out. Sign in to continue.",
	models.ReasonIdle:     "You were signed out because this device was not used for a while. Sign in to continue.",
	models.ReasonExpired:  "You were signed out because you last signed in too long ago. Sign in to continue.",
}

// TestEndedWords checks the message for every reason, on the sign-in page after a
// redirect and when it is opened directly, with and without a live access token.
func TestEndedWords(t *testing.T) {
	reasons := reasonsInSource(t)
	eachSite(t, func(t *testing.T, s *site) {
		for i, reason := range reasons {
			words, known := endedWords[reason]
			if !known {
				t.Errorf("reason %q: endedWords has no message", reason)
				continue
			}
			// Without "Stay signed in" the browser keeps the cookie for as long as
			// its window is open, past the end of the session.
			b, user := s.browser(), s.Person("person"+strconv.Itoa(i), models.RoleUser)
			b.post("/login", "username", user.Username, "password", secretWord).redirects("/profile")
			switch reason {
			case models.ReasonIdle:
				s.Clock.Advance(12 * time.Hour)
			case models.ReasonExpired:
				for range 2 {
					s.Clock.Advance(8 * time.Hour)
					b.get("/profile").status(200)
				}
				s.Clock.Advance(8 * time.Hour)
			case models.ReasonDisabled:
				if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, "a note"); err != nil {
					t.Fatal(err)
				}
			default:
				s.end(user, reason)
			}
			cookies := (*answer).takesTokens
			if reason == models.ReasonReplaced {
				cookies = (*answer).touchesNoToken // a late response must not clear the new cookies
			}
			byHand, refreshed, home := b.clone(), b.clone(), b.clone()
			refreshed.forget("access")
			for _, visitor := range []*browser{b, refreshed} {
				a := cookies(visitor.get("/profile/email").redirects("/login?next=%2Fprofile%2Femail"))
				visitor.follow(a).status(200).says(words).hides("a note")
				if reason != models.ReasonReplaced {
					visitor.get("/login").hides(words)
				}
			}
			cookies(byHand.get("/login").status(200).says(words))
			home.follow(cookies(home.get("/").redirects("/login"))).says(words)
		}
	}, withSupport)
}

// TestEndedByPastDisabling checks that people are not told that their account is
// disabled when it has been enabled again.
func TestEndedByPastDisabling(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		refreshed, byHand := b.clone(), b.clone()
		refreshed.forget("access")
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, ""); err != nil {
			t.Fatal(err)
		}
		b.clone().get("/login").status(200).says("This account is disabled.")
		if _, err := s.Accounts.Enable(t.Context(), auth.Shell(), user.ID); err != nil {
			t.Fatal(err)
		}
		for _, visitor := range []*browser{b, refreshed} {
			visitor.follow(visitor.get("/profile").takesTokens()).status(200).says(endedWords[models.ReasonAdmin]).hides("disabled")
		}
		byHand.get("/login").status(200).says(endedWords[models.ReasonAdmin]).hides("disabled")
		b.signIn("ana")
	})
}

// end ends every session of an account for a reason.
func (s *site) end(user *models.User, reason models.Reason) {
	s.T.Helper()
	err := s.Store.InTx(s.T.Context(), func(tx *models.Store) error {
		_, err := tx.Sessions.EndAll(s.T.Context(), user.ID, "", reason, s.Clock.Now())
		return err
	})
	if err != nil {
		s.T.Fatal(err)
	}
}

// reasonsInSource reads the constants of models.Reason from the source, so that a
// new one cannot be left out.
func reasonsInSource(t *testing.T) []models.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../models/sessions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []models.Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Reason" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, models.Reason(text))
		}
		return true
	})
	if len(list) < 10 {
		t.Fatalf("found only %d reasons", len(list))
	}
	return list
}

// TestRestoredBackup checks that a session that is older in the database than in
// the browser ends without a warning about a copy.
func TestRestoredBackup(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		// The browser's tokens are of generation 3; the backup has the first.
		b.cookies["refresh"] = kept{value: s.resign(b.cookie("refresh"), map[string]any{"gen": 3, "jti": models.NewID()})}
		b.forget("access")
		b.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		b.get("/login").status(200).says("You were signed out. Sign in to continue.").hides("protect")
		if s.LastEvent(audit.Restored).SubjectID != user.ID {
			t.Error("the audit log does not have the end of the session")
		}
		b.signIn("ana")
		b.get("/profile").hides("a copy of its sign-in")
	})
}

// TestManyDevices checks that the twenty-first sign-in ends the least recently used
// session, and that its browser is told the reason.
func TestManyDevices(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		first, user := s.signedIn("ana", models.RoleUser)
		for range 20 {
			s.Clock.Advance(time.Second)
			s.browser().signIn("ana")
		}
		if live := s.LiveSessions(user.ID); len(live) != 20 {
			t.Errorf("got %d live sessions, want 20", len(live))
		}
		first.follow(first.get("/profile")).says(endedWords[models.ReasonLimit])
	})
}

// TestOldHash checks that a password hash with other costs keeps working and is
// replaced.
func TestOldHash(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		weak := password.NewHasher(password.HasherOptions{Params: password.Params{Memory: 32, Time: 1, Threads: 1}})
		hash, err := weak.Hash(t.Context(), secretWord)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Store.Users.SetPassword(t.Context(), user.ID, hash, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		s.browser().signIn("ana")
		if s.Reload(user).PasswordHash == hash {
			t.Error("the hash is still the weak one")
		}
		s.browser().signIn("ana")
	})
}
