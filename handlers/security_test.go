package handlers_test

import (
	"encoding/base32"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/portaltest"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

const (
	security  = "/profile/security"
	setUpPage = security + "/app"
	codesPage = security + "/codes"
)

func allNeedStep(o *portaltest.Options) { o.RequireStep = auth.StepAll }

// phone is an authenticator app.
type phone struct {
	site   *site
	secret []byte
}

var (
	keyOnPage  = regexp.MustCompile(`<data class="code" id="key" value="([A-Z2-7]{32})"`)
	codeOnPage = regexp.MustCompile(`<li>([0-9a-z]{5}-[0-9a-z]{5})\s*</li>`)
)

// scan opens the page that sets up an app, and returns the app.
func (b *browser) scan() *phone {
	b.site.T.Helper()
	return b.scanned(b.get(setUpPage).status(200))
}

// scanned returns the app that the page sets up.
func (b *browser) scanned(page *answer) *phone {
	b.site.T.Helper()
	found := keyOnPage.FindStringSubmatch(page.body)
	if found == nil {
		b.site.T.Fatalf("%s: the page has no key:\n%s", page.asked, page.text())
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(found[1])
	if err != nil {
		b.site.T.Fatal(err)
	}
	return &phone{b.site, secret}
}

// code returns the code that the app shows, steps of 30 seconds from now.
func (p *phone) code(steps int64) string {
	return factor.Code(p.secret, factor.StepAt(p.site.Clock.Now())+steps)
}

// turnOn turns on two-step sign-in, and returns the app and the recovery codes.
func (b *browser) turnOn() (*phone, []string) {
	b.site.T.Helper()
	app := b.scan()
	page := b.follow(b.post(setUpPage, "code", app.code(0)).redirects(codesPage)).status(200)
	return app, codesOn(page)
}

// codesOn returns the recovery codes on a page.
func codesOn(page *answer) (codes []string) {
	for _, found := range codeOnPage.FindAllStringSubmatch(page.body, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// app returns the authenticator app of an account, nil if it has none.
func (s *site) app(userID string) *models.AuthenticatorApp {
	s.T.Helper()
	history, err := s.Store.Apps.History(s.T.Context(), userID)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, app := range history {
		if app.RemovedAt.IsZero() {
			return &app
		}
	}
	return nil
}

// TestSetUpApp turns on two-step sign-in and checks what it changes: every other
// session ends, this browser has a new one of a higher level, remembered devices ask
// for the step again, and the recovery codes are shown.
func TestSetUpApp(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		other := s.browser()
		other.signIn("ana")
		if err := s.Store.Devices.Trust(t.Context(), models.HashToken(other.cookie("device")), user.ID, s.Clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		before := s.LiveSessions(user.ID)
		b.get(security).status(200).says("Two-step sign-in A code after your password. Off", "Firefox on Linux").hides("Recovery codes")
		app := b.scan()
		if again := b.scan(); string(again.secret) != string(app.secret) {
			t.Error("loading the page again changes the key")
		}
		if s.app(user.ID) != nil {
			t.Error("an app is stored before its first code")
		}
		a := b.post(setUpPage, "code", app.code(0)).redirects(codesPage).givesTokens()
		if c := a.setCookie("app"); c == nil || c.MaxAge >= 0 {
			t.Errorf("the cookie of the key is not cleared: %v", c)
		}
		page := b.follow(a).status(200).says("Save your recovery codes", "Two-step sign-in is on.")
		if got := len(codesOn(page)); got != 10 {
			t.Errorf("got %d recovery codes, want 10", got)
		}
		live := s.LiveSessions(user.ID)
		if len(live) != 1 || live[0].ID == before[0].ID || live[0].ID == before[1].ID {
			t.Fatalf("got sessions %+v, want one new one", live)
		}
		if live[0].ACR != models.ACR2 || live[0].AMR != "mfa otp pwd" || live[0].FullAuthTime != models.At(s.Clock.Now()) {
			t.Errorf("the session has level %s by %q at %v", live[0].ACR, live[0].AMR, live[0].FullAuthTime)
		}
		other.follow(other.get("/profile").takesTokens()).says("Your two-step sign-in was changed, and every device was signed out.")
		b.get(security).status(200).says("Authenticator app On Since 22 Nov 2026", "10 of 10 left Not used yet").hides("Remembered devices")
		if row := s.app(user.ID); row == nil || row.LastStep != factor.StepAt(s.Clock.Now()) || strings.Contains(row.Secret, string(app.secret)) {
			t.Errorf("got app %+v, want its code used and its secret sealed", row)
		}
		if e := s.LastEvent(audit.AppOn); e.SubjectID != user.ID || audit.Detail(e) != "2 sessions ended" {
			t.Errorf("the audit log says %q", audit.Detail(e))
		}
	})
}

// TestSetUpAppCodes checks which codes set up an app.
func TestSetUpAppCodes(t *testing.T) {
	const wrong = "That code is not correct. Codes change every 30 seconds, so check for a new one."
	eachSite(t, func(t *testing.T, s *site) {
		stranger, _ := s.signedIn("bo", models.RoleUser)
		theirs := stranger.scan()
		for i, test := range []struct {
			name string
			code func(p *phone) string
			want string // the error; "" if the code is right
		}{
			{"now", func(p *phone) string { return p.code(0) }, ""},
			{"the previous step", func(p *phone) string { return p.code(-1) }, ""},
			{"the next step", func(p *phone) string { return p.code(1) }, ""},
			{"with a space", func(p *phone) string { return p.code(0)[:3] + " " + p.code(0)[3:] + " " }, ""},
			{"with a no-break space", func(p *phone) string { return p.code(0)[:3] + "\u00a0" + p.code(0)[3:] }, ""},
			{"with a hyphen", func(p *phone) string { return p.code(0)[:3] + "-" + p.code(0)[3:] }, ""},
			{"two steps ago", func(p *phone) string { return p.code(-2) }, wrong},
			{"five minutes ago", func(p *phone) string { return p.code(-10) }, wrong},
			{"of another account", func(*phone) string { return theirs.code(0) }, wrong},
			{"nothing", func(*phone) string { return "" }, "Enter the code that the app shows."},
			{"letters", func(*phone) string { return "abcdef" }, "Enter the 6 digits that the app shows."},
			{"five digits", func(p *phone) string { return p.code(0)[:5] }, "Enter the 6 digits that the app shows."},
			{"other digits", func(*phone) string { return "١٢٣٤٥٦" }, "Enter the 6 digits that the app shows."},
			{"long", func(*phone) string { return strings.Repeat("1", 10<<10) }, "Enter the 6 digits that the app shows."},
		} {
			b, user := s.signedIn("ana"+string(rune('a'+i)), models.RoleUser)
			app := b.scan()
			a := b.post(setUpPage, "code", test.code(app))
			if test.want == "" {
				a.redirects(codesPage)
			} else if a.status(422); a.fieldError("code") != test.want {
				t.Errorf("%s: got error %q, want %q", test.name, a.fieldError("code"), test.want)
			}
			if got, want := s.app(user.ID) != nil, test.want == ""; got != want {
				t.Errorf("%s: the account has an app: %t, want %t", test.name, got, want)
			}
			if test.want == wrong {
				a.says("It is 12:00:00 UTC here.").has(`datetime="2026-11-22T12:00:00Z" data-clock="second"`)
				b.post(setUpPage, "code", app.code(0)).redirects(codesPage) // the key on the page still works
			}
		}
	})
}

// TestSetUpAppOver checks that the key of the page works for 15 minutes, in this
// session, once.
func TestSetUpAppOver(t *testing.T) {
	const over = "This page was open for too long."
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		app := b.scan()
		sealed := b.cookies["app"]
		s.Clock.Advance(14 * time.Minute)
		b.get(setUpPage).has(factor.Key(app.secret))
		s.Clock.Advance(time.Minute)
		b.signIn("ana") // to be confirmed
		b.cookies["app"] = kept{value: sealed.value}
		a := b.post(setUpPage, "code", app.code(0)).status(422)
		if !strings.HasPrefix(a.fieldError("code"), over) {
			t.Errorf("too late: got %q", a.fieldError("code"))
		}
		fresh := b.scanned(a)
		if string(fresh.secret) == string(app.secret) {
			t.Error("too late: the page shows the old key")
		}

		twin := s.browser()
		twin.signIn("ana")
		twin.cookies["app"] = b.cookies["app"]
		twin.post(setUpPage, "code", fresh.code(0)).status(422).says(over)

		sealed = b.cookies["app"]
		b.follow(b.post(setUpPage, "code", fresh.code(0))).status(200)
		first := s.app(user.ID)
		b.cookies["app"] = sealed // kept in spite of the response
		b.post(setUpPage, "code", fresh.code(1)).status(422).says(over)
		if now := s.app(user.ID); first == nil || now == nil || *now != *first {
			t.Errorf("the app changed from %+v to %+v", first, now)
		}
	})
}

// TestReplaceApp checks that another app takes the place of the first only after a
// right code, and that the recovery codes stay.
func TestReplaceApp(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		_, codes := b.turnOn()
		old := s.app(user.ID)
		next := b.scan()
		b.post(setUpPage, "code", "000000").status(422).says("Your present app keeps working")
		if now := s.app(user.ID); *now != *old {
			t.Errorf("a wrong code changed the app from %+v to %+v", old, now)
		}
		b.post(setUpPage, "code", next.code(0), "next", "/profile/tokens").redirects("/profile/tokens")
		b.get("/profile/tokens").says("Your authenticator app is replaced.")
		history, err := s.Store.Apps.History(t.Context(), user.ID)
		if err != nil || len(history) != 2 {
			t.Fatalf("got %d apps (%v), want 2", len(history), err)
		}
		for _, row := range history {
			if row.ID == old.ID && (row.RemovedBy != models.RemovedReplaced || row.Secret != "") {
				t.Errorf("the old app is %+v, want it removed without its secret", row)
			}
		}
		rows, err := s.Store.RecoveryCodes.Current(t.Context(), user.ID)
		if err != nil || len(rows) != len(codes) {
			t.Errorf("got %d recovery codes (%v), want the same %d", len(rows), err, len(codes))
		}
		s.LastEvent(audit.AppReplace)
	})
}

// TestSetUpAppTogether sends one right code 20 times at once: the account has one app,
// and one session that the winner's response opened.
func TestSetUpAppTogether(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		app := b.scan()
		answers := make([]*answer, 20)
		servicetest.Parallel(len(answers), func(i int) { answers[i] = b.clone().post(setUpPage, "code", app.code(0)) })
		won := 0
		for _, a := range answers {
			switch location := a.header.Get("Location"); {
			case a.code == http.StatusSeeOther && location == codesPage:
				won++
			case a.code != http.StatusTooManyRequests && !strings.HasPrefix(location, "/login"):
				t.Errorf("got status %d to %q", a.code, location)
			}
		}
		history, err := s.Store.Apps.History(t.Context(), user.ID)
		if won != 1 || err != nil || len(history) != 1 || len(s.LiveSessions(user.ID)) != 1 {
			t.Errorf("%d requests won, %d apps (%v), %d sessions; want 1 of each", won, len(history), err, len(s.LiveSessions(user.ID)))
		}
	})
}

// TestSetUpAppLimit checks that wrong codes are limited, also while other limits are off.
func TestSetUpAppLimit(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		app := b.scan()
		for range 10 {
			b.post(setUpPage, "code", "000000").status(422)
		}
		b.post(setUpPage, "code", app.code(0)).status(429).says("Too many wrong codes were entered for this account. You can try again in 60 minutes, at 13:00 UTC.")
		if s.app(user.ID) != nil {
			t.Error("the code was looked at")
		}
	})
}

// TestTurnOffApp checks what turning off two-step sign-in removes.
func TestTurnOffApp(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.turnOn()
		b.get(setUpPage+"/off").status(200).says("Turn off two-step sign-in?", "Your password alone will be enough to sign in.")
		if s.app(user.ID) == nil {
			t.Fatal("opening the question removed the app")
		}
		session := s.LiveSessions(user.ID)[0].ID
		b.post(setUpPage + "/off").redirects(security).givesTokens()
		b.get(security).says("Two-step sign-in is off. Your other devices are signed out.", "Off").hides("Recovery codes")
		if live := s.LiveSessions(user.ID); len(live) != 1 || live[0].ID == session {
			t.Errorf("got sessions %+v, want a new one", live)
		}
		rows, err := s.Store.RecoveryCodes.Current(t.Context(), user.ID)
		if s.app(user.ID) != nil || err != nil || len(rows) != 0 {
			t.Errorf("the app %v and %d codes are still there (%v)", s.app(user.ID), len(rows), err)
		}
		s.LastEvent(audit.AppOff)
		b.post(setUpPage + "/off").redirects(security)
		b.get(security).says("Two-step sign-in is already off.")
		other := s.browser()
		other.signIn("ana")
	})
}

// TestStepRequired checks the way of a person who has to add a second step first: every
// page leads to it, it leads on, and then it cannot be turned off.
func TestStepRequired(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		page := b.follow(b.get("/profile/tokens?a=1").redirects(security + "?next=%2Fprofile%2Ftokens%3Fa%3D1")).status(200)
		page.says("Your account needs a second step.").has(`href="` + setUpPage + `?next=%2Fprofile%2Ftokens%3Fa%3D1"`)
		b.post("/profile/later").status(303)
		app := b.scanned(b.get(setUpPage + "?next=%2Fprofile%2Ftokens%3Fa%3D1").status(200).has(`name="next" value="/profile/tokens?a=1"`))
		b.post(setUpPage, "code", "000000", "next", "/profile/tokens?a=1").status(422).has(`name="next" value="/profile/tokens?a=1"`)
		a := b.post(setUpPage, "code", app.code(0), "next", "/profile/tokens?a=1").redirects(codesPage + "?next=%2Fprofile%2Ftokens%3Fa%3D1")
		page = b.follow(a).status(200).has(`name="next" value="/profile/tokens?a=1"`)
		sealed, _ := page.value("codes")
		b.post(codesPage+"/saved", "codes", sealed, "saved", "on", "next", "/profile/tokens?a=1").redirects("/profile/tokens?a=1")
		b.get("/profile/tokens?a=1").status(200)

		b.get(setUpPage + "/off").status(200).says("Your account needs a second step").hides(`action="` + setUpPage + `/off"`)
		b.post(setUpPage + "/off").status(409).says("Your account needs a second step")
		if s.app(user.ID) == nil {
			t.Error("the app is gone")
		}
	}, allNeedStep)
}

// TestForgetRemembered checks that a remembered device can be made to ask for the second
// step again, by its owner only, and stays known and signed in.
func TestForgetRemembered(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		stranger, _ := s.signedIn("bo", models.RoleUser)
		b.turnOn()
		hash := models.HashToken(b.cookie("device"))
		trust := func(until time.Time) {
			t.Helper()
			if err := s.Store.Devices.Trust(t.Context(), hash, user.ID, until); err != nil {
				t.Fatal(err)
			}
		}
		trust(s.Clock.Now())
		b.get(security).hides("Remembered devices")
		trust(s.Clock.Now().Add(28 * 24 * time.Hour))
		b.get(security).says("Remembered devices They skip the second step.", "Firefox on Linux This device Until 20 Dec 2026")
		list, err := s.Store.Devices.ByUser(t.Context(), user.ID)
		if err != nil {
			t.Fatal(err)
		}
		forget := security + "/devices/" + list[0].ID() + "/forget"
		stranger.post(forget).redirects(security)
		trusted := func() bool {
			t.Helper()
			yes, err := s.Store.Devices.Trusted(t.Context(), hash, user.ID, s.Clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return yes
		}
		if !trusted() {
			t.Error("a stranger made the device ask for the step")
		}
		b.post(forget).redirects(security)
		b.get(security).says("Firefox on Linux asks for the second step again.").hides("Remembered devices")
		if known, err := s.Store.Devices.Known(t.Context(), hash, user.ID); trusted() || !known || err != nil {
			t.Errorf("trusted %t, known %t (%v); want only known", trusted(), known, err)
		}
		b.post(forget).redirects(security)
		b.get(security).says("That device already asks for the second step.")
		s.LastEvent(audit.DeviceDistrust)
	})
}

// TestSecurityConfirmed checks which pages of the second step ask people to confirm that
// it is them when they last did so 15 minutes ago. Saving new codes can take longer.
func TestSecurityConfirmed(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.turnOn()
		app := *s.app(user.ID)
		s.Clock.Advance(auth.ConfirmedFor)
		for _, page := range []string{setUpPage, setUpPage + "/off", codesPage} {
			b.get(page).redirects("/confirm?next=" + url.QueryEscape(page))
			b.post(page).redirects("/confirm?next=" + url.QueryEscape(page))
		}
		b.get(security).status(200)
		b.post(codesPage + "/saved").redirects(security)
		b.get(codesPage + ".txt").redirects(security)
		if now := s.app(user.ID); now == nil || *now != app {
			t.Errorf("the app changed from %+v to %+v", app, now)
		}
	})
}
