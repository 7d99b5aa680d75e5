package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/static"
)

// TestSilentRefresh checks that a person does not notice the expiry of the access
// token: the same request succeeds, and its response sets new cookies.
func TestSilentRefresh(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").status(200).touchesNoToken()
		access, refresh := b.cookie("access"), b.cookie("refresh")

		s.Clock.Advance(6 * time.Minute)
		a := b.get("/profile").status(200).says("ana@example.org").givesTokens()
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("got Cache-Control %q, want no-store", got)
		}
		if b.cookie("access") == access || b.cookie("refresh") == refresh {
			t.Error("the cookies are the old ones")
		}
		b.get("/profile").status(200).touchesNoToken()

		// A form that was open for longer than the token lives is accepted.
		s.Clock.Advance(48 * time.Hour)
		b.post("/profile", "username", "ana", "full_name", "Ana Silva").redirects("/profile").givesTokens()
		b.get("/profile").says("Your changes are saved.", "Ana Silva").touchesNoToken()
		live := s.LiveSessions(user.ID)
		if len(live) != 1 || live[0].Generation != 3 {
			t.Errorf("got sessions %+v, want one of generation 3", live)
		}
	})
}

// TestAccountPageRefreshed checks that the account page is the same, whether its
// data is read together with the identity or, after a rotation, separately.
func TestAccountPageRefreshed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		s.browser().signIn("ana")
		live := b.get("/profile").status(200).touchesNoToken().says("You signed in", "2 devices signed in")
		b.forget("access")
		if refreshed := b.get("/profile").status(200).givesTokens(); refreshed.body != live.body {
			t.Errorf("after a rotation the page says\n%s\nand with a live token\n%s", refreshed.text(), live.text())
		}
	})
}

// TestWithoutReferrers signs in with a browser that sends no referrers: its own
// forms carry the Origin "null".
func TestWithoutReferrers(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		b := s.browser()
		r := b.request("POST", "/login", "username=ana&password="+url.QueryEscape(secretWord))
		r.Header.Set("Origin", "null")
		b.do(r).redirects("/profile")
		r = b.request("POST", "/profile", "full_name=Ana+Silva")
		r.Header.Set("Origin", "null")
		b.do(r).redirects("/profile")
		b.get("/profile").says("Your changes are saved.")
	})
}

// TestFormsWithoutRotation checks that forms that need no identity do not rotate a
// session, even if its access token has expired (security.md §1.4).
func TestFormsWithoutRotation(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Clock.Advance(6 * time.Minute)
		b.post("/theme", "theme", "dark").redirects("/").touchesNoToken()
		b.post("/login", "username", "ana", "password", "wrong").status(422).touchesNoToken()
		b.post("/signup", "username", "ana").status(422).touchesNoToken()
		b.post("/reset", "token", "x").status(409).touchesNoToken()
		b.post("/setup", "token", "x").status(409).touchesNoToken()
		if live := s.LiveSessions(user.ID); len(live) != 1 || live[0].Generation != 1 {
			t.Errorf("got sessions %+v, want one of generation 1", live)
		}
		b.get("/.well-known/change-password").redirects("/profile/password").touchesNoToken()

		// Signing in ends the session of the cookies that the browser sent.
		old := b.clone()
		b.signIn("ana")
		if live := s.LiveSessions(user.ID); len(live) != 1 {
			t.Errorf("got %d sessions, want one", len(live))
		}
		old.get("/profile").redirects("/login?next=%2Fprofile")
	})
}

// TestUnusableAccess checks that the refresh token is used even if there is an
// access cookie that is not valid.
func TestUnusableAccess(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		for _, value := range []string{"x", "a.b.c", b.cookie("refresh"), b.cookie("access") + "x"} {
			b.cookies["access"] = kept{value: value}
			b.get("/profile").status(200).givesTokens()
		}
		// A refresh token does not work as an access token, or the reverse.
		b.cookies["refresh"] = kept{value: b.cookie("access")}
		b.forget("access")
		b.get("/profile").redirects("/login?next=%2Fprofile").touchesNoToken()
	})
}

// TestLostResponse checks that a browser whose response was lost stays signed in
// with the cookies it has, and that the lost tokens do not work.
func TestLostResponse(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Clock.Advance(6 * time.Minute)
		lost := b.clone()
		lost.get("/profile").status(200).givesTokens()
		s.Clock.Advance(time.Hour) // long after the grace period
		b.get("/profile").status(200).givesTokens()
		if b.cookie("refresh") == lost.cookie("refresh") {
			t.Error("the lost refresh token was delivered again, an hour later")
		}
		if live := s.LiveSessions(user.ID); len(live) != 1 || live[0].Generation != 2 || live[0].Delivery != 1 {
			t.Errorf("got sessions %+v, want one of generation 2, delivery 1", live)
		}
		lost.forget("access")
		lost.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
	})
}

// TestCrash checks that a browser that crashed before it saved its new cookies
// stays signed in with the old ones.
func TestCrash(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		saved := b.clone()
		s.Clock.Advance(6 * time.Minute)
		b.get("/profile").givesTokens()
		s.Clock.Advance(20 * time.Second)
		b.get("/profile/sessions").status(200) // the new cookies are in use
		s.Clock.Advance(time.Hour)
		saved.get("/profile").status(200).givesTokens()
		saved.get("/profile").hides("a copy of its sign-in was used")
	})
}

// TestLateDeliveryTold checks that a person sees that a session continued from
// another address, in the activity and as an admin in the audit log.
func TestLateDeliveryTold(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleAdmin)
		thief := b.clone()
		thief.agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
		s.Clock.Advance(6 * time.Minute)
		b.get("/profile").givesTokens()
		s.Clock.Advance(time.Minute)
		thief.get("/profile").givesTokens().
			says("One of your sessions continued from another address or in another browser than before. If that was not you, sign out your devices. Firefox on Windows",
				"One of your sessions was used from elsewhere. Check your devices")
		thief.get("/admin/audit").says("Someone continued a session of ana from another address or in another browser", "generation 2, delivery 1")
		if e := s.LastEvent(audit.LateDelivery); e.SubjectID != user.ID || audit.Detail(e) != "generation 2, delivery 1" {
			t.Errorf("got event %+v", e)
		}
	})
}

// TestReplay checks that a used refresh token ends only its own session, and that
// the person is told twice.
func TestReplay(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		other := s.browser()
		other.signIn("ana")
		thief := b.clone()
		thief.forget("access", "device")
		s.Clock.Advance(6 * time.Minute)
		b.get("/profile").givesTokens()
		s.Clock.Advance(2 * time.Minute)
		b.get("/profile").status(200) // the successor is in use
		thief.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()

		const words = "To protect your account, we ended this session: someone may have used a copy of it. Sign in again. " +
			"If you do not recognise this, change your password."
		b.get("/profile").redirects("/login?next=%2Fprofile").takesTokens()
		b.get("/login?next=%2Fprofile").status(200).says(words)
		b.get("/login").hides("to protect your account")
		other.get("/profile").status(200)
		if e := s.LastEvent(audit.Replay); e.SubjectID != user.ID || audit.Detail(e) != "presented generation 1, delivery 0; current generation 2, delivery 0" {
			t.Errorf("got event %+v", e)
		}
		if s.Logs.Line(`"level":"WARN"`, audit.Replay, user.ID) == "" {
			t.Error("the replay is not in the log as a warning")
		}
		// The next sign-in shows it once.
		const told = "We ended one of your sessions because a copy of it was used."
		b.signIn("ana")
		b.get("/profile").says(told)
		b.get("/profile").hides(told)
		b.signIn("ana")
		b.get("/profile").hides(told)
	})
}

// TestForeignSite checks that another site can neither change anything nor rotate a
// session, and that it cannot embed pages.
func TestForeignSite(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		s.Clock.Advance(6 * time.Minute) // a refresh is due
		for _, test := range []struct {
			method, path string
			header       map[string]string
			want         int
		}{
			{"POST", "/profile", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
			{"POST", "/profile", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": ""}, 403},
			{"POST", "/profile", map[string]string{"Origin": "null", "Sec-Fetch-Site": ""}, 403},
			{"POST", "/profile", map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403},
			{"POST", "/profile", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403},
			{"POST", "/profile", map[string]string{"Origin": "http://localhost:8081", "Sec-Fetch-Site": "same-site"}, 403},
			{"POST", "/logout", map[string]string{"Origin": "", "Sec-Fetch-Site": "cross-site"}, 403},
			{"POST", "/login", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
			{"POST", "/signup", map[string]string{"Origin": "https://localhost:8080", "Sec-Fetch-Site": "cross-site"}, 403},
			{"GET", "/profile", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403},
			{"GET", "/profile", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, 403},
		} {
			r := b.request(test.method, test.path, "username=evil&full_name=Evil")
			for name, value := range test.header {
				r.Header.Del(name)
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			a := b.do(r).status(test.want).says("This request came from another website, so it was refused.")
			if len(a.cookies) > 0 {
				t.Errorf("%s %v: sets cookies %v", a.asked, test.header, a.cookies)
			}
			if s.Logs.Line(a.header.Get("X-Request-Id"), `"msg":"security"`) == "" {
				t.Errorf("%s %v: not in the log", a.asked, test.header)
			}
		}
		if live := s.LiveSessions(user.ID); len(live) != 1 || live[0].Generation != 1 {
			t.Errorf("got sessions %+v, want one of generation 1", live)
		}
		// Links from other sites work, and so do clients that send none of these
		// headers.
		r := b.request(http.MethodGet, "/profile", "")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		b.do(r).status(200)
		r = b.request(http.MethodPost, "/profile", "username=ana")
		r.Header.Del("Origin")
		r.Header.Del("Sec-Fetch-Site")
		b.do(r).redirects("/profile")
	})
}

// TestPlainRoutes checks that static files and health checks change no cookies,
// whether the tokens in them are live or expired.
func TestPlainRoutes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.forget("access")
		broken := s.browser()
		broken.cookies["access"], broken.cookies["refresh"], broken.cookies["flash"] = kept{value: "x"}, kept{value: "y"}, kept{value: "z"}
		for _, path := range []string{"/healthz", "/readyz", "/favicon.ico", static.URL("css/app.css"), "/static/nothing"} {
			for _, visitor := range []*browser{b, broken} {
				if a := visitor.get(path); len(a.cookies) > 0 {
					t.Errorf("%s: sets cookies %v", path, a.cookies)
				}
			}
		}
		if live := s.LiveSessions(user.ID); live[0].Generation != 1 {
			t.Errorf("the session rotated to %d", live[0].Generation)
		}
	})
}

// TestDoubledCookie checks that two cookies with the same name are both ignored,
// because one of them may come from another host.
func TestDoubledCookie(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		r := b.request(http.MethodGet, "/profile", "")
		r.AddCookie(&http.Cookie{Name: "access", Value: "planted"})
		b.clone().do(r).status(200).givesTokens() // by the refresh token
		r = b.request(http.MethodGet, "/profile", "")
		r.AddCookie(&http.Cookie{Name: "access", Value: "planted"})
		r.AddCookie(&http.Cookie{Name: "refresh", Value: b.cookie("refresh")})
		b.clone().do(r).redirects("/login?next=%2Fprofile").touchesNoToken()
		if len(s.LiveSessions(user.ID)) != 1 {
			t.Error("the session is over")
		}
		b.get("/profile").status(200)
	})
}

// TestRotationLimit checks that a session that rotates too often has to wait, but
// does not end.
func TestRotationLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		for range 60 {
			b.forget("access")
			b.get("/profile").status(200)
		}
		b.forget("access")
		a := b.get("/profile").status(429).touchesNoToken().says("Please wait a moment")
		if got := a.header.Get("Retry-After"); got != "60" {
			t.Errorf("got Retry-After %q, want 60", got)
		}
		if len(s.LiveSessions(user.ID)) != 1 {
			t.Error("the session is over")
		}
		s.Clock.Advance(time.Minute)
		b.get("/profile").status(200).givesTokens()
	}, withLimits)
}
