package handlers_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestAuditSentences checks the sentences of events.
func TestAuditSentences(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		page := "/admin/users/" + user.ID
		s.browser().post("/login", "username", "ana", "password", "wrong")
		s.browser().post("/login", "username", "nobody-there", "password", "wrong")
		boss.post(page+"/disable", "reason", "left")
		s.browser().post("/login", "username", "ana", "password", secretWord)
		boss.post(page + "/enable")
		boss.post(page + "/sign-out")
		boss.post(page+"/role", "role", "admin")
		boss.post(page + "/reset-link")
		boss.post(page + "/unlock")
		if _, _, err := s.Accounts.SignOutUser(t.Context(), auth.Shell(), user.ID); err != nil {
			t.Fatal(err)
		}
		boss.post("/profile", "username", "bo", "full_name", "Bo Chen").redirects("/profile")
		boss.get("/admin/audit").status(200).says(
			"Bo Chen changed their profile: name (none) → Bo Chen.",
			"Bo Chen signed in.", "Someone tried to sign in as ana with a wrong password.", "Someone tried to sign in with a wrong password.",
			"Bo Chen disabled ana. Reason: left.", "Someone tried to sign in to the disabled account ana.", "Bo Chen enabled ana.",
			"Bo Chen signed out ana everywhere.", "Bo Chen changed the role of ana: user → admin.", "Bo Chen created a reset link for ana.",
			"Bo Chen cleared the sign-in limits of ana.", "System signed out ana everywhere.", "IP address 192.0.2.1", "Firefox on Linux",
		).has(`href="`+page+`"`, `href="/admin/users/`+admin.ID+`"`)
		boss.get(page).says("Bo Chen disabled ana. Reason: left.", "See all in the audit log")
	})
}

// TestAuditFilters checks each filter, and that links to other pages keep them.
func TestAuditFilters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		s.browser().signIn("ana")
		s.Clock.Advance(48 * time.Hour)
		boss.signIn("bo")
		boss.post("/admin/users/" + user.ID + "/unlock").redirects("/admin/users/" + user.ID)
		boss.post("/admin/users/" + admin.ID + "/unlock").status(409) // not recorded
		if err := s.Store.Audit.Append(t.Context(), models.Event{At: models.At(s.Clock.Now()), Action: audit.UserDelete, ActorID: admin.ID, ActorName: "bo", SubjectID: models.NewID(), SubjectName: "gone"}); err != nil {
			t.Fatal(err)
		}
		const signedIn, cleared, deleted = "ana signed in.", "bo cleared the sign-in limits of ana.", "bo deleted the account of gone (deleted)."
		all := []string{signedIn, cleared, deleted}
		for _, test := range []struct {
			query string
			want  []string
		}{
			{"", all},
			{"actor=bo", []string{cleared, deleted}},
			{"actor=BO%40example.org", []string{cleared, deleted}},
			{"actor=" + user.ID, []string{signedIn}},
			{"subject=ana", []string{signedIn, cleared}},
			{"subject=gone", []string{deleted}},
			{"subject=nobody", nil},
			{"action=user-unlock", []string{cleared}},
			{"action=signing-in", []string{signedIn}},
			{"action=sign-ins", []string{signedIn}},
			{"action=own-account", nil},
			{"action=admins", []string{cleared, deleted}},
			{"actor=ana&action=admins", nil},
			{"from=2026-11-24", []string{cleared, deleted}},
			{"to=2026-11-22", []string{signedIn}},
			{"from=2026-11-23&to=2026-11-23", nil},
			{"actor=bo&subject=ana&action=user-unlock&from=2026-11-24&to=2026-11-24", []string{cleared}},
		} {
			a := boss.get("/admin/audit?" + test.query).status(200)
			var got []string
			for _, sentence := range all {
				if strings.Contains(a.text(), sentence) {
					got = append(got, sentence)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", test.query, diff)
			}
			if test.want == nil {
				a.says("Nothing in the log matches these filters.", "Clear filters")
			}
			if lines := readCSV(t, boss.get("/admin/audit.csv?"+test.query)); len(lines)-1 != strings.Count(a.body, `<span class="what">`) {
				t.Errorf("%q: got %d lines in the download, and not as many on the page", test.query, len(lines)-1)
			}
		}
		boss.get("/admin/audit?action=admins").has(`<option value="admins" selected>All admin actions</option>`, `href="/admin/audit.csv?action=admins"`)
		for _, unknown := range []string{"Admins", "admin", "user", "*"} {
			boss.get("/admin/audit?action=" + unknown).status(400)
			boss.get("/admin/audit.csv?action=" + unknown).status(400)
		}
	})
}

// TestAuditDays checks that the page and the download refuse the same days with the
// same messages.
func TestAuditDays(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for _, test := range []struct{ from, to, field, want string }{
			{"yesterday", "", "from", "From: enter a day like 2026-11-22."},
			{"", "2026-02-30", "to", "To: enter a day like 2026-11-22."},
			{"2026-11-23", "2026-11-22", "to", "To: choose a day that is not before the first day."},
			{"2026-11-22", "2026-11-22", "", ""},
		} {
			query := "?from=" + test.from + "&to=" + test.to
			if test.want == "" {
				boss.get("/admin/audit" + query).status(200).says("bo signed in.")
				boss.get("/admin/audit.csv" + query).status(200).says("bo")
				continue
			}
			a := boss.get("/admin/audit" + query).status(422)
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("%s: got %q at %s, want %q", a.asked, got, test.field, test.want)
			}
			for name, typed := range map[string]string{"from": test.from, "to": test.to} {
				if got, _ := a.value(name); got != typed {
					t.Errorf("%s: got %s %q in the form, want %q", a.asked, name, got, typed)
				}
			}
			boss.get("/admin/audit.csv" + query).status(422).says(test.want)
		}
	})
}

// TestAuditPages pages through the log with a filter, forward and back.
func TestAuditPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		s.appendEvents(120, admin)
		var seen int
		path, pages := "/admin/audit?action=user-unlock&actor=bo", []string{}
		for path != "" && len(pages) < 9 {
			a := boss.get(path).status(200)
			seen += strings.Count(a.body, `<span class="what">`)
			pages = append(pages, path)
			path = a.page("next")
			if path != "" && !strings.Contains(path, "action=user-unlock") {
				t.Errorf("%s leads to %s", a.asked, path)
			}
		}
		if seen != 120 || len(pages) != 5 {
			t.Errorf("got %d events on %d pages, want 120 on 5", seen, len(pages))
		}
		if got := boss.get(boss.get(pages[2]).page("prev")).text(); got != boss.get(pages[1]).text() {
			t.Error("paging back does not lead to the first page")
		}
	})
}

// appendEvents writes events of an admin, newest last.
func (s *site) appendEvents(n int, actor *models.User) {
	s.T.Helper()
	var events []models.Event
	for i := range n {
		events = append(events, models.Event{
			At: models.At(s.Clock.Now().Add(time.Duration(i) * time.Second)), Action: audit.UserUnlock,
			ActorID: actor.ID, ActorName: actor.Username, SubjectName: fmt.Sprintf("somebody%03d", i),
		})
	}
	if err := s.Store.Audit.Append(s.T.Context(), events...); err != nil {
		s.T.Fatal(err)
	}
}

// TestAuditCSV checks that the download has every event that matches the filter,
// and no cell that a spreadsheet would run.
func TestAuditCSV(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		s.appendEvents(2500, admin) // more than a batch
		formulas := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a;=cmd|' /C calc'!A0;b", "a; -1", "a\t@x"}
		for _, text := range formulas {
			if err := s.Store.Audit.Append(t.Context(), models.Event{
				At: models.At(s.Clock.Now()), Action: audit.ProfileChange, ActorName: text, Detail: `a "quote", a comma` + "\nand a line", UserAgent: text,
			}); err != nil {
				t.Fatal(err)
			}
		}
		a := boss.get("/admin/audit.csv").status(200)
		for name, want := range map[string]string{
			"Content-Type":        "text/csv; charset=utf-8; header=present",
			"Content-Disposition": `attachment; filename="audit-2026-11-22.csv"`,
			"Cache-Control":       "no-store",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("got %s %q, want %q", name, got, want)
			}
		}
		lines := readCSV(t, a)
		if want := 1 + 1 + 2500 + len(formulas); len(lines) != want { // header, one sign-in
			t.Errorf("got %d lines, want %d", len(lines), want)
		}
		wantHeader := []string{"time", "action", "actor_id", "actor", "subject_id", "subject", "detail", "ip", "user_agent", "session", "request"}
		if diff := cmp.Diff(wantHeader, lines[0]); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		for _, line := range lines {
			// Some spreadsheets split cells at semicolons or tabs.
			for _, cell := range strings.FieldsFunc(strings.Join(line, ";"), func(r rune) bool { return r == ';' || r == '\t' }) {
				if cell = strings.TrimLeft(cell, " "); cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("a spreadsheet runs %q", cell)
				}
			}
		}
		if got := len(readCSV(t, boss.get("/admin/audit.csv?action=profile-change"))); got != 1+len(formulas) {
			t.Errorf("filtered by action: got %d lines, want %d", got, 1+len(formulas))
		}
		if got := len(readCSV(t, boss.get("/admin/audit.csv?subject=somebody007"))); got != 2 {
			t.Errorf("filtered by subject: got %d lines, want 2", got)
		}
		boss.get("/admin/audit?actor=bo&action=login").has(`href="/admin/audit.csv?action=login&actor=bo"`)
		head := boss.do(boss.request(http.MethodHead, "/admin/audit.csv", "")).status(200)
		if head.body != "" || head.header.Get("Content-Type") != a.header.Get("Content-Type") {
			t.Errorf("HEAD: got %q and a body of %d bytes", head.header.Get("Content-Type"), len(head.body))
		}
	})
}

func readCSV(t *testing.T, a *answer) [][]string {
	t.Helper()
	text, marked := strings.CutPrefix(a.body, "\ufeff")
	if !marked {
		t.Errorf("%s: Excel reads a file without a byte order mark as another encoding", a.asked)
	}
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
