package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/models"
)

// half signs in with a password only, to an account with an app.
func (b *browser) half(name string, pairs ...string) *answer {
	b.site.T.Helper()
	return b.post("/login", append([]string{"username", name, "password", secretWord}, pairs...)...)
}

// shifted returns the code that an app shows some time from now.
func (s *site) shifted(secret []byte, by time.Duration) string {
	return factor.Code(secret, factor.StepAt(s.Clock.Now().Add(by)))
}

// TestSecondStep checks a sign-in with an app from the first page to the last, and
// what it leaves behind.
func TestSecondStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		b := s.browser()
		b.half("ana", "remember", "on", "next", "/profile/sessions").redirects("/login/code?next=%2Fprofile%2Fsessions").touchesNoToken()
		if got := len(s.LiveSessions(user.ID)); got != 0 {
			t.Fatalf("half a sign-in has opened %d sessions", got)
		}
		page := b.get("/login/code?next=/profile/sessions").status(200).
			says("Enter your code", "Signing in as ana@example.org.", "Not you?", "the 6-digit code for Latchkey", "Do not ask again on this device for 30 days")
		page.has(`autocomplete="one-time-code"`, `inputmode="numeric"`, `name="next" value="/profile/sessions"`).hides("maxlength", "It is")
		b.post("/login/code", "code", s.Code(secret), "next", "/profile/sessions").redirects("/profile/sessions").givesTokens()
		b.get("/profile/sessions").status(200)
		b.get("/login/code").redirects("/profile")
		if b.cookie("ticket") != "" {
			t.Error("the browser still has the ticket")
		}
		live := s.LiveSessions(user.ID)
		if len(live) != 1 {
			t.Fatalf("got %d sessions, want 1", len(live))
		}
		got := live[0]
		if got.ACR != models.ACR2 || got.AMR != "pwd otp mfa" || !got.Remember || got.AuthTime != models.At(s.Clock.Now()) || got.FullAuthTime != got.AuthTime {
			t.Errorf("the session: acr %q, amr %q, remember %t, auth_time %v, full_auth_time %v", got.ACR, got.AMR, got.Remember, got.AuthTime, got.FullAuthTime)
		}
		if e := s.LastEvent(audit.Login); audit.DetailsOf(e).Step != audit.StepCode {
			t.Errorf("the audit log says %q", audit.Detail(e))
		}
		if s.Reload(user).LastSignInAt != models.At(s.Clock.Now()) {
			t.Error("the sign-in was not recorded")
		}
	})
}

// TestCodes checks which codes finish a sign-in.
func TestCodes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		other := s.GiveApp(s.Person("bo", models.RoleUser))
		const wrong, used = "That code is not correct. Codes change every 30 seconds, so check for a new one.", "That code was already used. Wait for the next one."
		now := s.Code(secret)
		for _, test := range []struct{ name, code, problem string }{
			{"empty", "", "Enter the code from your authenticator app."},
			{"letters", "abcdef", wrong},
			{"five digits", now[:5], wrong},
			{"seven digits", now + "0", wrong},
			{"another account's", s.Code(other), wrong},
			{"of five minutes ago", s.shifted(secret, -5*time.Minute), wrong},
			{"of a minute ago", s.shifted(secret, -time.Minute), wrong},
			{"of the next minute", s.shifted(secret, time.Minute), wrong},
			{"Arabic digits", strings.Map(func(r rune) rune { return r - '0' + '٠' }, now), wrong},
			{"long", strings.Repeat("1", 10_000), wrong},
			{"one step ahead", s.shifted(secret, 30*time.Second), ""},
			{"an older one", now, used},
			{"the same again", s.shifted(secret, 30*time.Second), used},
		} {
			b := s.browser()
			b.half("ana").redirects("/login/code")
			a := b.post("/login/code", "code", test.code)
			if test.problem == "" {
				a.redirects("/profile").givesTokens()
				continue
			}
			a.status(422).says(test.problem, "There is a problem").touchesNoToken()
			if test.code != "" {
				a.says("It is 12:00:00 UTC here. If your phone shows another time, let it set its time automatically.")
			}
			if err := s.Store.Attempts.Clear(t.Context(), "step:"+user.ID); err != nil {
				t.Fatal(err)
			}
		}
		s.Clock.Advance(2 * time.Minute)
		for _, write := range []func(string) string{
			func(code string) string { return code[:3] + " " + code[3:] },
			func(code string) string { return " " + code[:3] + "-" + code[3:] + "\n" },
			func(code string) string { return code[:3] + "\u202f" + code[3:] },
		} {
			s.Clock.Advance(time.Minute)
			b := s.browser()
			b.half("ana")
			b.post("/login/code", "code", write(s.Code(secret))).redirects("/profile")
		}
	})
}

// TestOneCodeOneSignIn sends the same right code from 20 requests at once: one of them
// signs in.
func TestOneCodeOneSignIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		for _, test := range []struct {
			name  string
			share bool // all with one ticket
		}{{"one ticket", true}, {"a ticket each", false}} {
			s.Clock.Advance(time.Hour)
			first := s.browser()
			first.half("ana")
			var browsers []*browser
			for range 20 {
				b := first.clone()
				if !test.share {
					b = s.browser()
					b.half("ana")
				}
				browsers = append(browsers, b)
			}
			before := len(s.LiveSessions(user.ID))
			code := s.Code(secret)
			answers := make([]*answer, len(browsers))
			var all sync.WaitGroup
			for i, b := range browsers {
				all.Go(func() { answers[i] = b.post("/login/code", "code", code) })
			}
			all.Wait()
			in := 0
			for _, a := range answers {
				switch location := a.header.Get("Location"); {
				case a.code == http.StatusSeeOther && location == "/profile":
					in++
				case a.code == http.StatusSeeOther && location == "/login", a.code == http.StatusUnprocessableEntity, a.code == http.StatusTooManyRequests:
				default:
					t.Errorf("%s: got %d %q", test.name, a.code, location)
				}
			}
			if live := len(s.LiveSessions(user.ID)) - before; in != 1 || live != 1 {
				t.Errorf("%s: %d of 20 signed in, %d sessions", test.name, in, live)
			}
		}
	})
}

// TestTicket checks when half a sign-in can no longer be finished.
func TestTicket(t *testing.T) {
	tests := []struct {
		name   string
		change func(s *site, b *browser, user *models.User)
	}{
		{"six minutes later", func(s *site, _ *browser, _ *models.User) { s.Clock.Advance(6 * time.Minute) }},
		{"in another browser", func(_ *site, b *browser, _ *models.User) { b.agent = "Mozilla/5.0 (Windows NT 10.0) Chrome/140" }},
		{"after a new password", func(s *site, _ *browser, user *models.User) {
			if err := s.Store.Users.SetPassword(s.T.Context(), user.ID, "another hash", s.Clock.Now()); err != nil {
				s.T.Fatal(err)
			}
		}},
		{"after another app", func(s *site, _ *browser, user *models.User) {
			if _, err := s.Store.Apps.Remove(s.T.Context(), user.ID, models.RemovedReplaced, s.Clock.Now()); err != nil {
				s.T.Fatal(err)
			}
			s.GiveApp(user)
		}},
		{"after the app is off", func(s *site, _ *browser, user *models.User) {
			if _, err := s.Store.Apps.Remove(s.T.Context(), user.ID, models.RemovedBySelf, s.Clock.Now()); err != nil {
				s.T.Fatal(err)
			}
		}},
		{"after the account is disabled", func(s *site, _ *browser, user *models.User) {
			if _, _, err := s.Accounts.Disable(s.T.Context(), auth.Shell(), user.ID, ""); err != nil {
				s.T.Fatal(err)
			}
		}},
		{"with a ticket of another browser", func(s *site, b *browser, _ *models.User) {
			bo := s.browser()
			s.GiveApp(s.Person("bo", models.RoleUser))
			bo.half("bo")
			b.cookies["ticket"] = bo.cookies["ticket"]
		}},
		{"with a broken ticket", func(_ *site, b *browser, _ *models.User) { b.cookies["ticket"] = kept{value: "v1:AAAA"} }},
	}
	eachSite(t, func(t *testing.T, s *site) {
		for i, test := range tests {
			name := fmt.Sprintf("ana%d", i)
			user := s.Person(name, models.RoleUser)
			secret := s.GiveApp(user)
			b := s.browser()
			b.half(name).redirects("/login/code")
			test.change(s, b, user)
			for _, path := range []string{"/login/code", "/login/recovery"} {
				a := b.post(path, "code", s.Code(secret), "next", "/profile/name").touchesNoToken()
				if test.name == "with a ticket of another browser" { // it is bo's sign-in, and the code is not
					a.status(422)
					continue
				}
				if location := a.status(303).header.Get("Location"); location != "/login?next=%2Fprofile%2Fname" {
					t.Errorf("%s: got Location %q", test.name, location)
				}
			}
			if n := len(s.LiveSessions(user.ID)); n != 0 {
				t.Errorf("%s: %d sessions", test.name, n)
			}
		}
		// A ticket works once.
		user := s.Person("once", models.RoleUser)
		secret := s.GiveApp(user)
		b := s.browser()
		b.half("once")
		twin := b.clone()
		b.post("/login/code", "code", s.Code(secret)).redirects("/profile")
		s.Clock.Advance(time.Minute)
		twin.follow(twin.post("/login/code", "code", s.Code(secret)).redirects("/login").touchesNoToken()).
			says("This sign-in can no longer be finished: it took more than 5 minutes, or there were too many wrong codes. Sign in again.")
	})
}

// TestTicketTries checks that a ticket allows five codes, and a new password check five
// more, up to ten wrong codes an hour for the account.
func TestTicketTries(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		wrong := func() string { return s.shifted(secret, -time.Hour) }
		b := s.browser()
		b.half("ana")
		for range 5 {
			b.post("/login/code", "code", wrong()).status(422)
		}
		b.post("/login/code", "code", s.Code(secret)).redirects("/login").touchesNoToken()
		b.half("ana")
		for range 5 {
			b.post("/login/recovery", "code", "0000000000").status(422).says("That recovery code is not correct.")
		}
		b.half("ana")
		b.post("/login/code", "code", s.Code(secret)).status(429).touchesNoToken().
			says("Too many wrong codes were entered for this account. You can try again in 60 minutes")
		s.Clock.Advance(61 * time.Minute)
		b.half("ana")
		b.post("/login/code", "code", s.Code(secret)).redirects("/profile")
		if e := s.LastEvent(audit.CodeFailed); e.SubjectID != user.ID {
			t.Errorf("the audit log has no wrong code of ana: %+v", e)
		}
	})
}

// TestGuessing lets someone who knows the password try 1,000 codes over fresh sign-ins
// from many addresses within an hour: at most ten are looked at.
func TestGuessing(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		s.GiveApp(user)
		lookedAt := 0
		var b *browser
		for i := range 1000 {
			if i%5 == 0 {
				b = s.browser()
				b.address = fmt.Sprintf("198.51.%d.%d:4711", i/250, i%250+1)
				b.half("ana").redirects("/login/code")
			}
			switch a := b.post("/login/code", "code", fmt.Sprintf("%06d", i)); {
			case a.code == http.StatusUnprocessableEntity:
				lookedAt++
			case a.code == http.StatusTooManyRequests, a.code == http.StatusSeeOther && a.header.Get("Location") == "/login":
			default:
				t.Fatalf("code %d: got %d %q", i, a.code, a.header.Get("Location"))
			}
		}
		if lookedAt > 10 {
			t.Errorf("%d codes were looked at", lookedAt)
		}
		if n := len(s.LiveSessions(user.ID)); n != 0 {
			t.Errorf("%d sessions", n)
		}
	}, withLimits)
}

// TestRecoveryCode checks that a recovery code takes the place of the app once, and
// leads to setting up a new one.
func TestRecoveryCode(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		codes := factor.NewRecoveryCodes()
		s.GiveApp(user, codes...)
		b := s.browser()
		b.half("ana", "next", "/profile/name")
		b.get("/login/recovery?next=/profile/name").status(200).says("Use a recovery code", "Signing in as ana@example.org.")
		b.post("/login/recovery", "code", "").status(422).says("Enter one of your recovery codes.")
		spelled := strings.ToUpper(codes[3][:5]) + " - " + strings.ReplaceAll(codes[3][5:], "0", "O")
		b.post("/login/recovery", "code", spelled, "next", "/profile/name").redirects("/profile/security/app?next=%2Fprofile%2Fname").givesTokens()
		if e := s.LastEvent(audit.Login); audit.DetailsOf(e).Step != audit.StepRecovery {
			t.Errorf("the audit log says %q", audit.Detail(e))
		}
		again := s.browser()
		again.half("ana")
		again.post("/login/recovery", "code", codes[3]).status(422).says("That recovery code was already used. Use another one.")
		again.post("/login/recovery", "code", codes[4]).status(303).givesTokens()

		// Two requests with one code: one is in.
		var all sync.WaitGroup
		answers := make([]*answer, 8)
		for i := range answers {
			twin := s.browser()
			twin.half("ana")
			all.Go(func() { answers[i] = twin.post("/login/recovery", "code", codes[5]) })
		}
		all.Wait()
		in := 0
		for _, a := range answers {
			if a.code == http.StatusSeeOther {
				in++
			}
		}
		if in != 1 {
			t.Errorf("one code let %d of 8 in", in)
		}
		// Another person's codes are nothing here.
		s.GiveApp(s.Person("bo", models.RoleUser), factor.NewRecoveryCodes()...)
		bo := s.browser()
		bo.half("bo")
		bo.post("/login/recovery", "code", codes[6]).status(422).says("That recovery code is not correct.")
	})
}

// TestTrustedDevice checks that a remembered device skips the code for 30 days, only
// for the person who chose so, and that the password is still needed.
func TestTrustedDevice(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		bo := s.Person("bo", models.RoleUser)
		bosSecret := s.GiveApp(bo)
		b := s.browser()
		b.half("ana")
		b.post("/login/code", "code", "000000", "trust", "on").status(422).has(`name="trust" type="checkbox" value="on" checked`)
		b.post("/login/code", "code", s.Code(secret), "trust", "on").redirects("/profile")
		b.post("/logout")
		s.Clock.Advance(time.Minute)
		b.half("ana").redirects("/profile").givesTokens()
		live := s.LiveSessions(user.ID)
		if len(live) != 1 || live[0].ACR != models.ACR2 || live[0].AMR != "pwd" || !live[0].FullAuthTime.IsZero() {
			t.Errorf("the session: %+v", live)
		}
		if e := s.LastEvent(audit.Login); audit.DetailsOf(e).Step != audit.StepTrusted {
			t.Errorf("the audit log says %q", audit.Detail(e))
		}
		b.post("/logout")
		b.post("/login", "username", "ana", "password", "wrong").status(422)
		b.half("bo").redirects("/login/code")
		b.post("/login/code", "code", s.Code(bosSecret)).redirects("/profile")
		b.post("/logout")
		other := s.browser()
		other.half("ana").redirects("/login/code")
		s.Clock.Advance(31 * 24 * time.Hour)
		b.half("ana").redirects("/login/code")

		// Without the box, the device asks again.
		plain := s.browser()
		plain.half("ana")
		plain.post("/login/code", "code", s.Code(secret)).redirects("/profile")
		plain.post("/logout")
		plain.half("ana").redirects("/login/code")
	})
}

// TestHalfSignIn tries the cookies of half a sign-in on every route: they open
// nothing.
func TestHalfSignIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for i, row := range accessTable() {
			name := fmt.Sprintf("half%d", i)
			user := s.Person(name, models.RoleAdmin)
			s.GiveApp(user)
			b := s.browser()
			b.half(name, "remember", "on").redirects("/login/code")
			path := row.path
			if path == "" {
				path = strings.ReplaceAll(row.route, ":id", user.ID)
			}
			form := url.Values{}
			for i := 0; i+1 < len(row.form); i += 2 {
				form.Set(row.form[i], strings.NewReplacer("{id}", user.ID, "{email}", user.Email).Replace(row.form[i+1]))
			}
			a := b.do(b.request(row.method, path, form.Encode()))
			want := row.anonymous
			want.location = strings.NewReplacer("{id}", user.ID, "%7Bid%7D", user.ID).Replace(want.location)
			switch row.method + " " + row.route { // the pages that finish it
			case "GET /login/code", "GET /login/recovery":
				want = okay
			case "POST /login/code", "POST /login/recovery":
				want = refused
			}
			if got := (outcome{a.code, a.header.Get("Location")}); got != want {
				t.Errorf("%s %s: got %v, want %v", row.method, row.route, got, want)
			}
			if n := len(s.LiveSessions(user.ID)); n != 0 {
				t.Errorf("%s %s: %d sessions", row.method, row.route, n)
			}
			r := b.request(http.MethodGet, "/users/me", "")
			r.Header.Set("Authorization", "Bearer "+b.cookie("ticket"))
			b.do(r).status(http.StatusUnauthorized)
		}
	})
}

// TestPasswordGrantWithStep checks that a program gets the words of a wrong password
// for an account with an app.
func TestPasswordGrantWithStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		s.GiveApp(user)
		b := s.browser()
		for _, path := range []string{"/token", "/token/", "/login"} {
			right := b.do(b.program(path, url.Values{"username": {"ana"}, "password": {secretWord}}))
			wrong := b.do(b.program(path, url.Values{"username": {"ana"}, "password": {"wrong"}}))
			if right.code != wrong.code || right.body != wrong.body || right.code < 400 {
				t.Errorf("%s: right %d %s, wrong %d %s", path, right.code, right.body, wrong.code, wrong.body)
			}
		}
		if n := len(s.LiveSessions(user.ID)); n != 0 {
			t.Errorf("%d sessions", n)
		}
		s.LastEvent(audit.LoginNoStep)
	})
}

// program returns a request with a form as programs send it.
func (b *browser) program(path string, form url.Values) *http.Request {
	r := b.request(http.MethodPost, path, form.Encode())
	r.Header.Del("Origin")
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Set("Accept", "application/json")
	return r
}

// TestResetKeepsStep checks that a reset link does not take the second step away: the
// new password alone opens nothing.
func TestResetKeepsStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(user)
		b := s.browser()
		b.post("/reset", "token", s.resetToken(user), "password", otherWord).redirects("/login").touchesNoToken()
		b.post("/login", "username", "ana", "password", otherWord).redirects("/login/code").touchesNoToken()
		b.get("/profile").redirects("/login?next=%2Fprofile")
		b.post("/login/code", "code", s.Code(secret)).redirects("/profile").givesTokens()
	})
}
