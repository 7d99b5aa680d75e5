package handlers_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/models"
)

// auditLines returns the sentences of a page of the audit log, newest first.
func auditLines(a *answer) []string {
	var lines []string
	for _, match := range regexp.MustCompile(`(?s)<span class="what">(.*?)<span class="meta">`).FindAllStringSubmatch(a.body, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(match[1], "")
		lines = append(lines, strings.Join(strings.Fields(html.UnescapeString(text)), " "))
	}
	return lines
}

// TestAuditPeople checks that the log finds people by the names that admins see and
// by parts of them, even after the account is deleted, and that it names and links
// them like the list of users.
func TestAuditPeople(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		carla, hans, gone := s.Person("crossi", models.RoleUser), s.Person("hm", models.RoleUser), s.Person("leaver.smith", models.RoleUser)
		for user, name := range map[*models.User]string{admin: "Bo Chen", carla: "Carla Rossi", hans: "Hans Müller"} {
			if err := s.rename(user, name); err != nil {
				t.Fatal(err)
			}
		}
		for _, user := range []*models.User{carla, hans, gone} {
			s.Clock.Advance(time.Second)
			boss.post("/admin/users/" + user.ID + "/unlock").status(303)
		}
		s.Clock.Advance(time.Second)
		boss.post("/admin/users/"+gone.ID+"/delete", "confirm", gone.Email).status(303)
		const (
			deleted  = "Bo Chen deleted the account of leaver.smith (deleted)."
			left     = "Bo Chen cleared the sign-in limits of leaver.smith (deleted)."
			unlocked = "Bo Chen cleared the sign-in limits of "
			signedIn = "Bo Chen signed in."
		)
		all := []string{deleted, left, unlocked + "Hans Müller.", unlocked + "Carla Rossi.", signedIn}
		for _, test := range []struct {
			query string
			want  []string
		}{
			{"", all},
			{"actor=Bo+Chen", all},
			{"actor=chen", all},
			{"actor=++chen++BO", all},
			{"person=Bo+Chen", all},
			{"subject=Rossi+Carla", []string{unlocked + "Carla Rossi."}},
			{"subject=ross", []string{unlocked + "Carla Rossi."}},
			{"subject=muller", []string{unlocked + "Hans Müller."}},
			{"subject=M%C3%9CLLER", []string{unlocked + "Hans Müller."}},
			{"subject=hm", []string{unlocked + "Hans Müller."}},
			{"subject=leaver.smith", []string{deleted, left}},
			{"subject=smith", []string{deleted, left}},
			{"subject=Leaver", []string{deleted, left}},
			{"person=leav", []string{deleted, left}},
			{"person=hm%E2%80%8B", []string{unlocked + "Hans Müller."}},
			{"subject=nobody", nil},
			{"actor=system", nil},
		} {
			if diff := cmp.Diff(test.want, auditLines(boss.get("/admin/audit?"+test.query).status(200))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.query, diff)
			}
		}
		boss.get("/admin/audit").has(`<a href="/admin/users/`+admin.ID+`">Account<span class="vh"> of Bo Chen</span>`, `<a href="/admin/users/`+carla.ID+`">`).
			has(`<a href="/admin/audit?person=`+carla.ID+`">All events<span class="vh"> of Carla Rossi</span>`, `<a href="/admin/audit?action=user-unlock">`).
			says("Bo Chen Account of Bo Chen All events of Bo Chen Username then: bo", "Username then: crossi")
		boss.get("/admin/audit?action=user-unlock&person="+carla.ID).says("Remove filter Person: Carla Rossi", "Remove filter Event: Cleared sign-in limits").
			has(`href="/admin/audit?action=user-unlock"`, `href="/admin/audit?person=`+carla.ID+`"`)
	})
}

// TestAuditTooManyPeople checks that a name that too many people have is an error,
// so that no events are left out silently.
func TestAuditTooManyPeople(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for i := range 101 {
			s.Person(fmt.Sprintf("clone%d.x", i), models.RoleUser)
		}
		for _, field := range []string{"person", "actor", "subject"} {
			a := boss.get("/admin/audit?" + field + "=clone").status(422)
			if got, want := a.fieldError(field), "More than 100 people match “clone”. Type more of the name."; got != want {
				t.Errorf("%s: got %q, want %q", field, got, want)
			}
			boss.get("/admin/audit.csv?" + field + "=clone").status(422)
		}
	})
}

// TestAuditZone checks that days begin and end at midnight in the zone of the
// query, and that the page names the zone.
func TestAuditZone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		add := func(at time.Time) {
			t.Helper()
			if err := s.Store.Audit.Append(t.Context(), models.Event{
				At: models.At(at), Action: audit.UserUnlock, ActorID: admin.ID, ActorName: "bo", SubjectID: models.NewID(), SubjectName: at.Format("0102-1504"),
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range []time.Time{
			time.Date(2026, 3, 28, 22, 59, 0, 0, time.UTC), time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC), // midnight in Berlin
			time.Date(2026, 3, 29, 21, 59, 0, 0, time.UTC), time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC), // the same, after the clocks changed
			time.Date(2018, 11, 4, 2, 59, 0, 0, time.UTC), time.Date(2018, 11, 4, 3, 0, 0, 0, time.UTC), // a day of São Paulo without midnight
		} {
			add(at)
		}
		for _, test := range []struct {
			query, zone string
			want        string
		}{
			{"from=2026-03-29&to=2026-03-29&zone=Europe/Berlin", "Europe/Berlin", "0329-2159 0328-2300"},
			{"from=2026-03-29&to=2026-03-29", "UTC", "0329-2200 0329-2159"},
			{"from=2026-03-29&to=2026-03-29&zone=UTC", "UTC", "0329-2200 0329-2159"},
			{"from=2026-03-29&to=2026-03-29&zone=Mars/Olympus", "UTC", "0329-2200 0329-2159"},
			{"from=2026-03-29&to=2026-03-29&zone=Local", "UTC", "0329-2200 0329-2159"},
			{"from=2026-03-29&to=2026-03-29&zone=../../etc/passwd", "UTC", "0329-2200 0329-2159"},
			{"to=2018-11-03&zone=America/Sao_Paulo", "America/Sao_Paulo", "1104-0259"},
			{"to=2018-11-04&zone=America/Sao_Paulo", "America/Sao_Paulo", "1104-0300 1104-0259"},
		} {
			a := boss.get("/admin/audit?action=user-unlock&"+test.query).status(200).says("First day ("+test.zone+")", "Last day ("+test.zone+")")
			var got []string
			for _, line := range auditLines(a) {
				name, _, _ := strings.Cut(line[strings.LastIndex(line, "of ")+3:], " ")
				got = append(got, name)
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("%s: got %q, want %q", test.query, got, test.want)
			}
			if lines := readCSV(t, boss.get("/admin/audit.csv?action=user-unlock&"+test.query)); len(lines)-1 != len(got) {
				t.Errorf("%s: the download has %d lines, want %d", test.query, len(lines)-1, len(got))
			}
		}
		// Links keep the zone; a filter without days needs none.
		boss.get("/admin/audit?from=2026-03-29&zone=Europe/Berlin").has(`href="/admin/audit.csv?from=2026-03-29&zone=Europe%2FBerlin"`)
		boss.get("/admin/audit?action=user-unlock&zone=Europe/Berlin").has(`href="/admin/audit.csv?action=user-unlock"`, `data-zone="from-hint to-hint"`)
	})
}

// TestCardsLeadToWhatTheyShow checks that the link of every summary leads to a page
// with exactly the events or users that it summarises.
func TestCardsLeadToWhatTheyShow(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		s.browser().signIn("ana")
		s.browser().post("/login", "username", "ana", "password", "wrong")
		s.browser().post("/login", "username", "nobody", "password", "wrong")
		boss.post("/admin/users/"+ana.ID+"/disable", "reason", "left").status(303)
		s.Person("eve", models.RoleUser)
		if err := s.rename(ana, "Ana Silva"); err != nil {
			t.Fatal(err)
		}

		overview := boss.get("/admin").status(200)
		figures := regexp.MustCompile(`(?s)<a href="([^"]*)">\s*<span class="label">([^<]*)</span>\s*<span class="number">(\d+)%?</span>`).
			FindAllStringSubmatch(overview.body, -1)
		if len(figures) != 4 {
			t.Fatalf("got %d figures on the overview, want 4", len(figures))
		}
		for _, figure := range figures {
			link, label, number := html.UnescapeString(figure[1]), figure[2], figure[3]
			a, rows := boss.get(link).status(200), 0
			if strings.HasPrefix(link, "/admin/users") {
				rows = len(a.names())
			} else {
				rows = len(auditLines(a))
			}
			if fmt.Sprint(rows) != number {
				t.Errorf("%s says %s, and %s has %d", label, number, link, rows)
			}
		}

		for _, user := range []*models.User{ana, admin} {
			page := boss.get("/admin/users/" + user.ID).status(200)
			match := regexp.MustCompile(`href="(/admin/audit[^"]*)">See all`).FindStringSubmatch(page.body)
			if match == nil {
				t.Fatalf("the page of %s has no link to all activity", user.Username)
			}
			link, err := url.PathUnescape(html.UnescapeString(match[1]))
			if err != nil {
				t.Fatal(err)
			}
			lines := auditLines(boss.get(link).status(200))
			if len(lines) < 2 {
				t.Errorf("%s: only %d lines: %q", link, len(lines), lines)
			}
			for _, line := range lines {
				if !strings.Contains(page.text(), line) {
					t.Errorf("the page of %s does not show %q, and %s does", user.Username, line, link)
				}
			}
		}
	})
}
