package handlers_test

import (
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestRemoveTokensWithPassword checks that the forms for a new password state the
// number of access tokens, and that a checkbox removes them. It is checked by
// default after a reset link, because someone else may have used the account, and
// not for an ordinary change.
func TestRemoveTokensWithPassword(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		other, _ := s.signedIn("bo", models.RoleUser)
		bystander := other.makeToken("Bo's", "scope.me", "on")
		const box = `name="end_tokens" type="checkbox" value="on"`
		link := "/reset?token=" + s.resetToken(user)
		for _, path := range []string{"/profile/password", link} {
			b.get(path).status(200).hides(box, "access token")
		}
		secrets := []string{b.makeToken("Backup", "scope.me", "on"), b.makeToken("Calendar", "scope.apps", "on")}
		working := func(want int, when string) {
			t.Helper()
			got := 0
			for _, secret := range secrets {
				if s.works(secret) {
					got++
				}
			}
			if got != want || !s.works(bystander) {
				t.Errorf("%s: %d tokens work, want %d; another person's works: %v", when, got, want, s.works(bystander))
			}
		}

		// An ordinary change: the checkbox is not checked by default, and keeps its
		// state if the form is shown again.
		b.get("/profile/password").status(200).says("Remove 2 access tokens too").has(box).hides(box + " checked")
		b.post("/profile/password", "current_password", "wrong", "new_password", "another-"+secretWord, "end_tokens", "on").status(422).has(box + " checked")
		b.post("/profile/password", "current_password", secretWord, "new_password", "another-"+secretWord).redirects("/profile")
		working(2, "after a plain change")
		if got := audit.DetailsOf(s.LastEvent(audit.PasswordChange)).TokensEnded; got != 0 {
			t.Errorf("the audit log says %d", got)
		}
		s.Clock.Advance(time.Minute)
		b.post("/profile/password", "current_password", "another-"+secretWord, "new_password", secretWord, "end_tokens", "on").redirects("/profile")
		working(0, "after a change with the box ticked")
		if got := audit.DetailsOf(s.LastEvent(audit.PasswordChange)).TokensEnded; got != 2 {
			t.Errorf("the audit log says %d", got)
		}
		b.get("/profile/tokens").says("Removed with the password")
		b.get("/profile/password").status(200).hides(box)

		// A reset: the checkbox is checked.
		secrets = []string{b.makeToken("Backup", "scope.me", "on")}
		token := s.resetToken(user)
		s.browser().get("/reset?token=" + token).status(200).says("Remove 1 access token too").has(box + " checked")
		s.browser().post("/reset", "token", token, "password", "short").status(422).has(box).hides(box + " checked")
		s.browser().post("/reset", "token", token, "password", "another-"+secretWord).redirects("/login")
		working(1, "after a reset without it")
		s.Clock.Advance(time.Minute)
		token = s.resetToken(user)
		s.browser().post("/reset", "token", token, "password", secretWord, "end_tokens", "on").redirects("/login")
		working(0, "after a reset")
		if got := audit.DetailsOf(s.LastEvent(audit.PasswordReset)).TokensEnded; got != 1 {
			t.Errorf("the audit log says %d", got)
		}
	})
}
