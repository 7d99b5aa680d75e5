package handlers_test

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/auth"
	"latchkey/models"
)

// figureLink finds the figures of the overview: where each leads, its number and
// its name.
var figureLink = regexp.MustCompile(`<a href="([^"]+)"><span class="number">([^<]+)</span> <span class="label">([^<]+)</span>`)

// TestOverview checks the four figures, that each list has as many lines as the
// number that leads to it says, and the chart.
func TestOverview(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		s.Person("ana", models.RoleUser)
		off := s.Person("off", models.RoleUser)
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), off.ID, ""); err != nil {
			t.Fatal(err)
		}
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422) // yesterday
		s.Clock.Advance(24 * time.Hour)
		s.browser().signIn("ana")
		s.browser().signIn("ana")
		s.browser().post("/signup", "username", "eve", "email", "eve@example.org", "password", secretWord).redirects("/profile")
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422)
		s.browser().post("/login", "username", "ana", "password", "wrong").status(422)
		a := boss.get("/admin").status(200).says("4 sign-ins in 14 days, highest 3 on 23 November", "There is only one active admin.").
			has(`<svg class="chart"`)
		want := [][3]string{
			{"/admin/users", "4", "Users"},
			{"/admin/audit?action=sign-ins&from=2026-11-23", "3", "Sign-ins today (UTC)"},
			{"/admin/users?status=disabled", "1", "Disabled"},
			{"/admin/audit?action=login-failed&from=2026-11-23", "2", "Failed sign-ins today (UTC)"},
		}
		var got [][3]string
		for _, found := range figureLink.FindAllStringSubmatch(a.body, -1) {
			figure := [3]string{html.UnescapeString(found[1]), found[2], found[3]}
			list := boss.get(figure[0]).status(200)
			lines := len(list.names())
			if strings.HasPrefix(figure[0], "/admin/audit") {
				lines = strings.Count(list.body, `<p class="what">`)
			}
			if strconv.Itoa(lines) != figure[1] {
				t.Errorf("%s: got %d lines behind the number %s", figure[0], lines, figure[1])
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

// TestNextSteps checks that a step of the setup is shown until it is done.
func TestNextSteps(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin").says("Next steps", "There is only one active admin.").hides("LATCHKEY_PUBLIC_URL", "LATCHKEY_SUPPORT_EMAIL")
		s.Person("ana", models.RoleAdmin)
		boss.get("/admin").hides("Next steps", "only one active admin")
	}, withHTTPS, withSupport)
}

// TestOverviewQuiet wants days without a sign-in told, and not taken for none
// ever: an admin who stays signed in is there all the while.
func TestOverviewQuiet(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for range 3 { // less than the idle limit each
			s.Clock.Advance(5 * 24 * time.Hour)
			boss.get("/admin").status(200)
		}
		boss.get("/admin").says("No sign-ins in 14 days.", "0 Sign-ins today")
	})
}
