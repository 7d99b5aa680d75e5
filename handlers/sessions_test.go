package handlers_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/models"
)

// TestSessions checks the list of devices and how to sign them out.
func TestSessions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		stranger, _ := s.signedIn("bo", models.RoleUser)
		b.get("/profile/sessions").status(200).says("Firefox on Linux This device Active now", "You are only signed in here.").hides("Sign out everywhere else")
		b.get("/profile/sessions/end-others").redirects("/profile/sessions")
		phone := s.browser()
		phone.agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
		phone.address = "203.0.113.7:4711"
		phone.signIn("ana")
		tablet := s.browser()
		tablet.signIn("ana")
		var phoneID string
		for _, session := range s.LiveSessions(user.ID) {
			if session.IP == "203.0.113.7" {
				phoneID = session.ID
			}
		}
		page := b.get("/profile/sessions").status(200).says("Safari on iPhone", "203.0.113.7", "Sign out everywhere else", "with password")
		page.says("Safari on iPhone New Active now")
		page.has(`action="/profile/sessions/` + phoneID + `/end"`)
		if strings.Contains(page.text()[:len(page.text())/3], "Safari on iPhone This device") {
			t.Error("the phone is marked as this device")
		}

		stranger.post("/profile/sessions/" + phoneID + "/end").status(404)
		phone.get("/profile").status(200)
		b.post("/profile/sessions/" + phoneID + "/end").redirects("/profile/sessions")
		b.get("/profile/sessions").says("Signed out of Safari on iPhone.", "Recently signed out", "Signed out from another device.")
		phone.follow(phone.get("/profile").takesTokens()).says("You signed this device out from another device. Sign in to continue.")
		b.post("/profile/sessions/" + phoneID + "/end").redirects("/profile/sessions")
		b.get("/profile/sessions").says("That device was already signed out.")
		b.post("/profile/sessions/" + models.NewID() + "/end").status(404)

		b.get("/profile/sessions/end-others").status(200).says("Sign out 1 other device?", "This device stays signed in.")
		tablet.get("/profile").status(200) // showing the list ended no session
		b.post("/profile/sessions/end-others").redirects("/profile/sessions")
		b.get("/profile/sessions").says("Signed out of 1 other device.")
		tablet.get("/profile").redirects("/login?next=%2Fprofile")
		b.get("/profile").status(200)
	})
}

// TestAdminEndsSession checks that an admin can sign out one device of a person,
// but not their own devices on that page.
func TestAdminEndsSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, user := s.signedIn("ana", models.RoleUser)
		first := s.LiveSessions(user.ID)[0].ID
		second := s.browser()
		second.signIn("ana")
		boss, admin := s.signedIn("boris", models.RoleAdmin)
		other := s.Person("cy", models.RoleUser)
		page := "/admin/users/" + user.ID
		end := page + "/sessions/" + first + "/end"
		boss.get(page).status(200).has(`action="` + end + `"`)

		boss.post("/admin/users/" + other.ID + "/sessions/" + first + "/end").status(404)
		boss.post(page + "/sessions/" + models.NewID() + "/end").status(404)
		ana.get("/profile").status(200)

		boss.post(end).redirects(page)
		boss.get(page).says("ana is signed out of Firefox on Linux.", "boris signed ana out of a device: session "+first[:6]+".").has("/sessions/").hides(first)
		ana.follow(ana.get("/profile").takesTokens()).says("An admin signed you out")
		second.get("/profile").status(200).says("An admin signed you out of a device.").hides("boris")
		boss.post(end).redirects(page)
		boss.get(page).says("That device was already signed out.")

		own := s.LiveSessions(admin.ID)[0].ID
		boss.get("/admin/users/" + admin.ID).says("Go to your devices").hides("/sessions/" + own)
		boss.post("/admin/users/" + admin.ID + "/sessions/" + own + "/end").status(409)
		boss.get("/profile").status(200)
	})
}

// TestLapsedSessions checks that sessions that lapsed stay in the list of ended
// sessions, with the reason.
func TestLapsedSessions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		lapsed := s.browser()
		b, _ := s.signedIn("ana", models.RoleUser)
		lapsed.post("/login", "username", "ana", "password", secretWord).status(303) // without "Stay signed in"
		s.Clock.Advance(6 * 24 * time.Hour)
		b.get("/profile/sessions").says("You are only signed in here.", "Recently signed out Firefox on Linux It was not used for a while.")
		s.Clock.Advance(29 * 24 * time.Hour)
		b.get("/profile/sessions").redirects("/login?next=%2Fprofile%2Fsessions")
		b.signIn("ana")
		b.get("/profile/sessions").says("Recently signed out Firefox on Linux It was not used for a while.").hides("Signed out on the device.")
	})
}

// TestNewDevice checks which sessions are marked as new: those opened with the
// password in a browser without the person's device cookie, for a week, and not on
// that device itself.
func TestNewDevice(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		first := s.browser()
		first.post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).redirects("/profile")
		const this, other, unseen = "Firefox on Linux This device Active now", "Firefox on Linux Active now", "Firefox on Linux New Active now"
		first.get("/profile/sessions").says(this)

		second := s.browser()
		second.signIn("ana")
		second.get("/profile/sessions").says(this, other).hides("New")
		first.get("/profile/sessions").says(this, unseen)
		s.Clock.Advance(6*24*time.Hour + 23*time.Hour)
		second.get("/profile/sessions")
		first.get("/profile/sessions").says(this, unseen)
		s.Clock.Advance(time.Hour)
		second.get("/profile/sessions")
		first.get("/profile/sessions").says(this, other).hides("New")

		second.post("/logout").status(303)
		second.signIn("ana")
		first.get("/profile/sessions").says(this, other).hides("New")

		bo, _ := s.signedIn("bo", models.RoleUser)
		bo.post("/logout").status(303)
		bo.signIn("ana") // the device is bo's, and new to ana
		first.get("/profile/sessions").says(unseen)
	})
}

// TestSessionsApart checks how identical devices are told apart: by the time of
// signing in, by how long each stays signed in, and by a number on the buttons if
// the rest is the same.
func TestSessionsApart(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		s.browser().post("/login", "username", "ana", "password", secretWord).status(303)
		s.browser().signIn("ana")
		s.Clock.Advance(time.Hour)
		s.browser().signIn("ana")
		const from, later = "Sign out Firefox on Linux, signed in 22 Nov 2026, 12:00 UTC", "22 Nov 2026, 13:00 UTC"
		b.get("/profile/sessions").says(
			"Signed in "+later+" with password Stays signed in until 22 Dec 2026 Sign out Firefox on Linux, signed in "+later,
			"Signed in until 23 Nov 2026, or until the browser closes "+from, from+" (2)",
			"Forget Firefox on Linux, last used "+later, "Forget Firefox on Linux, last used 22 Nov 2026, 12:00 UTC (3)",
		)
	})
}

// TestEndOwnSession checks that ending the current session in the list signs the
// person out.
func TestEndOwnSession(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.post("/profile/sessions/" + s.LiveSessions(user.ID)[0].ID + "/end").redirects("/login").takesTokens()
		b.get("/login").says("You are signed out.")
		if len(s.LiveSessions(user.ID)) != 0 {
			t.Error("the session is still live")
		}
	})
}

// TestKnownDevices checks that the browsers that a person has signed in with are
// listed, and that only this person can forget them.
func TestKnownDevices(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.browser().signIn("ana")
		devices, err := s.Auth.Devices(t.Context(), user.ID, "")
		if err != nil || len(devices) != 2 {
			t.Fatalf("got %+v (%v), want two devices", devices, err)
		}
		b.get("/profile/sessions").says("Known devices", "This device", "Last used to sign in", "Forget")
		eve, _ := s.signedIn("eve", models.RoleUser)
		eve.post("/profile/devices/" + devices[0].ID + "/forget").redirects("/profile/sessions")
		for _, device := range devices {
			forget := "/profile/devices/" + device.ID + "/forget"
			b.post(forget).redirects("/profile/sessions")
			b.get("/profile/sessions").says("Forgot Firefox on Linux.")
			b.post(forget).redirects("/profile/sessions")
			b.get("/profile/sessions").says("That device was already forgotten.")
		}
		b.get("/profile/sessions").hides("Known devices")
		b.get("/profile").says("You removed a known device.")
		if n := len(s.LiveSessions(user.ID)); n != 2 {
			t.Errorf("%d live sessions, want the two as before", n)
		}
	})
}
