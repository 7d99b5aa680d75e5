package handlers_test

import (
	"errors"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/backup"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// figureLink matches the figures of the overview: the link of each, its name, its
// number and its note.
var figureLink = regexp.MustCompile(`<a href="([^"]+)"><span class="label">([^<]+)</span> <span class="number">([^<]+)</span> <span class="label">([^<]+)</span>`)

// TestOverview checks the four figures, that the list behind each has that many
// lines, and the chart.
func TestOverview(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		s.Person("ana", models.RoleUser)
		safe := s.Person("safe", models.RoleUser)
		s.GiveApp(safe)
		s.GivePasskey(safe, "Phone")
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422) // yesterday
		s.Clock.Advance(24 * time.Hour)
		s.browser().signIn("ana")
		s.browser().signIn("ana")
		s.browser().post("/signup", "username", "eve", "email", "eve@example.org", "password", secretWord).redirects("/profile")
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422)
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422)
		s.GiveApp(s.Named("eve"))
		boss.confirm()
		boss.post("/admin/users/new", "username", "guest", "email", "guest@example.org", "full_name", "", "role", "user")
		a := boss.get("/admin").status(200).says("There is only one active admin.").has(`<svg class="chart"`).
			says("4 sign-ins and 3 failed attempts. The busiest day was 23 November, with 5 attempts.")
		want := [][4]string{
			{"/admin/users", "Users", "5", "2 new in 7 days, 1 invited"},
			{"/admin/audit?action=sign-ins&from=2026-11-23", "Signed in today", "3", "0 last Monday (UTC)"},
			{"/admin/users?second_step=app", "Two-step sign-in", "40%", "2 of 5 users, 1 with passkeys"},
			{"/admin/audit?action=login-failed&from=2026-11-23", "Failed today", "2", "0 last Monday (UTC)"},
		}
		var got [][4]string
		for _, found := range figureLink.FindAllStringSubmatch(a.body, -1) {
			figure := [4]string{html.UnescapeString(found[1]), found[2], found[3], found[4]}
			list := boss.get(figure[0]).status(200)
			lines := len(list.names())
			if strings.HasPrefix(figure[0], "/admin/audit") {
				lines = len(auditLines(list))
			}
			number := figure[2]
			if number == "40%" { // of five users
				number = "2"
			}
			if strconv.Itoa(lines) != number {
				t.Errorf("%s: got %d lines behind the number %s", figure[0], lines, figure[2])
			}
			got = append(got, figure)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
		r := boss.request(http.MethodHead, "/admin", "")
		boss.do(r).status(200)
	})
}

// TestFigureLines checks the lines under the totals, which are computed backwards
// from the current number by the additions and removals of each day.
func TestFigureLines(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		safe := s.Person("safe", models.RoleUser)
		s.GiveApp(safe)
		s.Clock.Advance(24 * time.Hour)
		s.browser().post("/signup", "username", "eve", "email", "eve@example.org", "password", secretWord).redirects("/profile")
		if _, _, err := s.Accounts.ResetTwoStep(t.Context(), auth.Shell(), safe.ID, ""); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(24 * time.Hour)
		boss.get("/admin").
			has(`0L84.6 25.0L92.3 3.0L100.0 3.0"`).  // users: the two days before eve, with her, today
			has(`0L84.6 3.0L92.3 25.0L100.0 25.0"`). // two-step: safe, and no one after the reset
			has(`0L84.6 3.0L92.3 3.0L100.0 25.0"`)   // signed in: bo, eve, no one
	})
}

// TestNextSteps checks that a step of the setup is shown until it is done.
func TestNextSteps(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin").says("Next steps", "There is only one active admin.").hides("LATCHKEY_PUBLIC_URL", "LATCHKEY_SUPPORT_EMAIL")
		s.Person("ana", models.RoleAdmin)
		boss.get("/admin").hides("Next steps", "only one active admin")
	}, withHTTPS, withSupport)
}

// TestCopiedSessions checks that the overview reports copied sessions for a week.
func TestCopiedSessions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		replay := models.Event{At: models.At(s.Clock.Now()), Action: audit.Replay}
		boss.get("/admin").hides("Needs attention")
		for _, want := range []string{
			"A copy of a session was used in the last 7 days. The session was ended at once.",
			"Copies of 2 sessions were used in the last 7 days. The sessions were ended at once.",
		} {
			if err := s.Store.Audit.Append(t.Context(), replay); err != nil {
				t.Fatal(err)
			}
			boss.get("/admin").says("Needs attention", want).has(`href="/admin/audit?action=refresh-replay&from=` + s.Clock.Now().AddDate(0, 0, -6).Format(time.DateOnly))
		}
		s.Clock.Advance(6 * 24 * time.Hour)
		boss.get("/admin").says("Needs attention")
		s.Clock.Advance(24 * time.Hour)
		boss.get("/admin").hides("Needs attention")
	})
}

// TestOverviewQuiet checks that the overview distinguishes days without a sign-in
// from a portal without any: an admin stays signed in the whole time.
func TestOverviewQuiet(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for range 6 { // each step is below the idle limit, their sum below the absolute limit
			s.Clock.Advance(5*24*time.Hour - time.Minute)
			boss.get("/admin").status(200)
		}
		boss.get("/admin").says("No sign-ins and no failed attempts.", "Signed in today 0")
	})
}

// TestBackupWarning checks that the overview warns about the backups of a schedule when
// there is none in time or the latest attempt failed, and only then.
func TestBackupWarning(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // of the site's clock
	for _, test := range []struct {
		name   string
		status backup.Status
		want   string // empty: no warning
	}{
		{"in time", backup.Status{Every: time.Hour, Last: noon.Add(-time.Hour)}, ""},
		{"none yet, since a minute", backup.Status{Every: time.Hour, Since: noon.Add(-time.Minute)}, ""},
		{"none yet, since long", backup.Status{Every: time.Hour, Since: noon.Add(-3 * time.Hour)}, "The server has made no backup yet. Look in the server’s log for the reason."},
		{"old", backup.Status{Every: time.Hour, Last: noon.Add(-3 * time.Hour)}, "The last backup is from 22 Nov 2026, 09:00 UTC. Look in the server’s log for the reason."},
		{
			"failed",
			backup.Status{Every: time.Hour, Last: noon.Add(-time.Hour), Failed: errors.New("no space left on device")},
			"The last backup is from 22 Nov 2026, 11:00 UTC. The latest attempt failed: no space left on device",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testdb.SQLite(t), func(o *portaltest.Options) { o.Backups = func() backup.Status { return test.status } })
			boss, _ := s.signedIn("bo", models.RoleAdmin)
			page := boss.get("/admin").status(200)
			if test.want == "" {
				page.hides("Needs attention")
				return
			}
			page.says("Needs attention", test.want)
		})
	}
}
