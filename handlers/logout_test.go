package handlers_test

import (
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestLogout checks that no token of a session is accepted after signing out, from
// any copy of the cookies.
func TestLogout(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").has(`action="/logout"`)
		onlyAccess, onlyRefresh, both := b.clone(), b.clone(), b.clone()
		onlyAccess.forget("refresh")
		onlyRefresh.forget("access")
		a := b.post("/logout").redirects("/login").takesTokens()
		if got, want := a.header.Get("Clear-Site-Data"), `"storage"`; got != want {
			t.Errorf("got Clear-Site-Data %q, want %q", got, want)
		}
		b.follow(a).status(200).says("You are signed out.")
		for name, copied := range map[string]*browser{"access": onlyAccess, "refresh": onlyRefresh, "both": both} {
			if got := copied.get("/profile"); got.code != 303 {
				t.Errorf("a copy of %s: got status %d", name, got.code)
			}
		}
		if e := s.LastEvent(audit.Logout); e.SubjectID != user.ID {
			t.Errorf("got event %+v", e)
		}
		// Signing out again succeeds, and so does signing out without a session.
		b.post("/logout").redirects("/login")
		both.post("/logout").redirects("/login")
	})
}

// TestLogoutPage checks that reading the page does not sign the person out.
func TestLogoutPage(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.get("/logout").status(200).says("Sign out?").has(`id="sign-out" method="post" action="/logout"`, `<header class="top">`).touchesNoToken()
		b.get("/profile").status(200)
		s.browser().get("/logout").redirects("/login")
	})
}

// TestLogoutDoesNotRotate signs out with an expired access token and checks that
// the session is not rotated before it ends.
func TestLogoutDoesNotRotate(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		session := s.LiveSessions(user.ID)[0]
		s.Clock.Advance(6 * time.Minute)
		copied := b.clone()
		b.post("/logout").redirects("/login").takesTokens()
		if len(s.LiveSessions(user.ID)) != 0 {
			t.Error("the session is still live")
		}
		ended, err := s.Store.Sessions.ByID(t.Context(), session.ID)
		if err != nil {
			t.Fatal(err)
		}
		if ended.Generation != session.Generation {
			t.Errorf("the session went from generation %d to %d", session.Generation, ended.Generation)
		}
		copied.get("/profile").redirects("/login?next=%2Fprofile")
	})
}
