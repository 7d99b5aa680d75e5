package handlers_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/internal/auth/factor"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// codesLink is the link to the file on the page that shows recovery codes.
var codesLink = regexp.MustCompile(`href="(/profile/security/codes\.txt\?codes=[^"]+)"`)

// matching returns how many of the codes are those of an account.
func (s *site) matching(userID string, codes []string) (n int) {
	s.T.Helper()
	rows, err := s.Store.RecoveryCodes.Current(s.T.Context(), userID)
	if err != nil {
		s.T.Fatal(err)
	}
	var set []string
	for _, row := range rows {
		set = append(set, row.CodeHash)
	}
	for _, code := range codes {
		if slices.Contains(set, code) {
			s.T.Error("a code is stored as it is")
		}
		found, err := servicetest.FastHasher().MatchSet(s.T.Context(), set, factor.TidyRecovery(code))
		if err != nil {
			s.T.Fatal(err)
		}
		if found >= 0 {
			n++
		}
	}
	return n
}

// TestRecoveryCodesShown checks the page that shows new codes: once, with a file, and
// with a box that has to be chosen to go on.
func TestRecoveryCodesShown(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		a := b.post(setUpPage, "code", b.scan().code(0)).redirects(codesPage)
		page := b.follow(a).status(200)
		codes := codesOn(page)
		if got := s.matching(user.ID, codes); got != 10 {
			t.Errorf("%d of the codes %q are those of the account, want 10", got, codes)
		}
		if got := page.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("got Cache-Control %q", got)
		}
		b.get(codesPage).status(200).says("Make new recovery codes?", "You have 10 recovery codes left.").hides(codes...)

		link := codesLink.FindStringSubmatch(page.body)
		sealed, _ := page.value("codes")
		if link == nil || sealed == "" {
			t.Fatalf("the page has no link %v or no sealed codes %q", link, sealed)
		}
		want := "Recovery codes of ana for Latchkey (http://localhost:8080)\nMade on 22 Nov 2026. Each code works once.\n\n"
		for i, code := range codes {
			want += fmt.Sprintf("%2d. %s\n", i+1, code)
		}
		file := b.get(link[1]).status(200)
		if diff := cmp.Diff(want, file.body); diff != "" {
			t.Errorf("file (-want +got):\n%s", diff)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/plain; charset=UTF-8", "Content-Disposition": `attachment; filename="recovery-codes-ana.txt"`, "Cache-Control": "no-store",
		} {
			if got := file.header.Get(name); got != want {
				t.Errorf("file: %s: got %q, want %q", name, got, want)
			}
		}

		a = b.post(codesPage+"/saved", "codes", sealed).status(422)
		if got, want := a.fieldError("saved"), "Save the codes, and then say that you have."; got != want {
			t.Errorf("got error %q, want %q", got, want)
		}
		if diff := cmp.Diff(codes, codesOn(a)); diff != "" {
			t.Errorf("codes after the error:\n%s", diff)
		}
		again, _ := a.value("codes")
		b.post(codesPage+"/saved", "codes", again, "saved", "on").redirects(security)
		b.get(security).says("Two-step sign-in is on. Your other devices are signed out.")
		if logs := s.Logs.String(); strings.Contains(logs, codes[0]) || strings.Contains(logs, strings.ReplaceAll(codes[0], "-", "")) {
			t.Error("a code is in the log")
		}
	})
}

// TestRecoveryCodesOnlyThere checks that the sealed codes of a page can be read only in
// its session, for 30 minutes, and that nothing else is taken for them.
func TestRecoveryCodesOnlyThere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		page := b.follow(b.post(setUpPage, "code", b.scan().code(0))).status(200)
		codes := codesOn(page)
		sealed, _ := page.value("codes")
		stranger, _ := s.signedIn("bo", models.RoleUser)
		key := stranger.get(setUpPage).setCookie("app").Value
		refused := func(b *browser, name, value string) {
			t.Helper()
			b.get(codesPage + ".txt?codes=" + url.QueryEscape(value)).redirects(security).hides(codes...)
			b.post(codesPage+"/saved", "codes", value).redirects(security).hides(codes...)
			b.get(security).says("Recovery codes are shown only once. If you did not save them, make new ones.")
			if t.Failed() {
				t.Fatal(name)
			}
		}
		for name, value := range map[string]string{
			"nothing": "", "short": "v1:", "cut": sealed[:len(sealed)-2], "long": strings.Repeat("x", 10<<10),
			"another purpose": key,
		} {
			refused(b, name, value)
		}
		refused(stranger, "another account", sealed)
		refused(stranger, "their own key", key)
		s.Clock.Advance(30 * time.Minute)
		refused(b, "too late", sealed)
	})
}

// TestMakeCodes checks that new codes take the place of the old ones, and that an
// account without an app has none.
func TestMakeCodes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.post(codesPage).redirects(security)
		b.get(security).says("Recovery codes come with two-step sign-in, which is off.")
		_, old := b.turnOn()
		s.useCodes(user.ID, 8)
		b.get(security).says("2 of 10 left Make new ones Last used 22 Nov 2026")
		session := s.LiveSessions(user.ID)[0].ID
		page := b.follow(b.post(codesPage).redirects(codesPage)).status(200).says("Save your recovery codes").hides("Two-step sign-in is on.")
		fresh := codesOn(page)
		if s.matching(user.ID, old) != 0 || s.matching(user.ID, fresh) != 10 {
			t.Errorf("%d old and %d new codes work", s.matching(user.ID, old), s.matching(user.ID, fresh))
		}
		if live := s.LiveSessions(user.ID); len(live) != 1 || live[0].ID != session {
			t.Error("the session has changed")
		}
		sealed, _ := page.value("codes")
		b.post(codesPage+"/saved", "codes", sealed, "saved", "on").redirects(security)
		b.get(security).says("You have new recovery codes. The old ones have stopped working.", "10 of 10 left")
		s.LastEvent(audit.CodesMade)
	})
}

// useCodes uses up n recovery codes of an account.
func (s *site) useCodes(userID string, n int) {
	s.T.Helper()
	rows, err := s.Store.RecoveryCodes.Current(s.T.Context(), userID)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, row := range rows[:n] {
		if _, err := s.Store.RecoveryCodes.Use(s.T.Context(), row.ID, s.Clock.Now()); err != nil {
			s.T.Fatal(err)
		}
	}
}

// addPasskey gives an account a passkey.
func (s *site) addPasskey(userID string) {
	s.T.Helper()
	err := s.Store.Passkeys.Create(s.T.Context(), &models.Passkey{
		ID: models.NewID(), UserID: userID, CredentialID: models.NewID(), RPID: "localhost", Name: "Key", CreatedAt: models.At(s.Clock.Now()),
	})
	if err != nil {
		s.T.Fatal(err)
	}
}

// TestSuggestions checks what the account page suggests, and for how long "Not now"
// keeps it quiet.
func TestSuggestions(t *testing.T) {
	const (
		addStep  = "Add a second step so that a stolen password is not enough. Not now"
		fewCodes = "Make new recovery codes because you have only 2 left. Not now"
		noCodes  = "Make new recovery codes because you have none left. Not now"
		addKey   = "Add another passkey so that you can sign in when you lose the first one. Not now"
		nothing  = "Everything is in order"
	)
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		want := func(when, state, suggested string) {
			t.Helper()
			page := b.get("/profile").status(200).says(suggested, state)
			for _, other := range []string{addStep, fewCodes, noCodes, addKey, nothing} {
				if other != suggested {
					page.hides(other)
				}
			}
			if t.Failed() {
				t.Fatal(when)
			}
		}
		want("nothing", "Two-step sign-in Off Passkeys None Devices", addStep)
		b.turnOn()
		want("an app", "Two-step sign-in On, with an authenticator app Passkeys None Recovery codes 10 left", nothing)
		s.useCodes(user.ID, 7)
		want("3 codes", "3 left", nothing)
		s.useCodes(user.ID, 8)
		want("2 codes", "2 left", fewCodes)
		s.addPasskey(user.ID)
		want("2 codes and a passkey", "Passkeys 1", fewCodes)
		s.useCodes(user.ID, 10)
		want("no codes", "None left", noCodes)
		b.follow(b.post("/profile/later").redirects("/profile")).says(nothing)
		if got, want := s.Reload(user).QuietUntil, models.At(s.Clock.Now().Add(90*24*time.Hour)); got != want {
			t.Errorf("quiet until %v, want %v", got.Time(), want.Time())
		}
		if err := s.Store.Users.Quiet(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		want("90 days later", "None left", noCodes)
		b.post(setUpPage + "/off").redirects(security)
		want("only a passkey", "Two-step sign-in Off Passkeys 1", addKey)
		s.addPasskey(user.ID)
		want("two passkeys", "Passkeys 2", nothing)
	})
}

// TestStepLetters checks the letters about changes of the second step.
func TestStepLetters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.turnOn()
		b.post(setUpPage, "code", b.scan().code(0)).redirects(security)
		b.post(codesPage).redirects(codesPage)
		b.post(setUpPage + "/off").redirects(security)
		var got []string
		s.Deliver(t)
		for _, letter := range s.Mailbox.To(user.Email) {
			got = append(got, letter.Subject)
			if !strings.Contains(letter.Text, "/secure?token=") || !strings.Contains(letter.Text, "Firefox on Linux") {
				t.Errorf("%s: the letter has no link or no device:\n%s", letter.Subject, letter.Text)
			}
		}
		slices.Sort(got)
		want := []string{
			"New recovery codes were made", "Two-step sign-in was turned off", "Two-step sign-in was turned on", "Your authenticator app was replaced",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
	}, withMail)
}
