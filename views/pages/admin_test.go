package pages

import (
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"latchkey/views/layouts"
)

// TestSignInChart wants the caption to say the result, a bar for every day
// that had anything, and the same numbers as a table.
func TestSignInChart(t *testing.T) {
	doc := parse(t, AdminOverview(signedIn("Overview", layouts.SectionOverview), AdminOverviewView{SignIns: sampleDays()}))
	caption := doc.byID("sign-ins-result")
	if want := "639 sign-ins in 14 days, highest 91 on 22 November"; caption.text != want {
		t.Errorf("caption: got %q, want %q", caption.text, want)
	}
	var chart *node
	for _, svg := range doc.all("svg") {
		if svg.attrs["role"] == "img" {
			chart = svg
		}
	}
	if chart == nil || chart.attrs["aria-labelledby"] != caption.attrs["id"] {
		t.Fatalf("chart: got %v, want an image named by its caption", chart)
	}
	bars := doc.inside(chart, "rect")
	if len(bars) != 14 {
		t.Fatalf("bars: got %d, want 14", len(bars))
	}
	tests := []struct {
		day         int
		y, height   string
		title, cell string
	}{
		{0, "70", "30", "9 November: 30 sign-ins", "9 Nov 2026 30"},
		{11, "100", "0", "20 November: 0 sign-ins", "20 Nov 2026 0"},
		{13, "8", "92", "22 November: 91 sign-ins", "22 Nov 2026 91"},
	}
	rows := doc.inside(doc.all("tbody")[0], "tr")
	for _, test := range tests {
		bar := bars[test.day]
		if bar.attrs["y"] != test.y || bar.attrs["height"] != test.height || bar.text != test.title {
			t.Errorf("day %d: got %v %q", test.day, bar.attrs, bar.text)
		}
		var cells []string
		for _, n := range doc {
			if n.parent == rows[test.day] {
				cells = append(cells, n.text)
			}
		}
		if got := strings.Join(cells, " "); got != test.cell {
			t.Errorf("day %d: table: got %q, want %q", test.day, got, test.cell)
		}
	}
}

// TestSignInChartEmpty wants no drawing where there is nothing to draw.
func TestSignInChartEmpty(t *testing.T) {
	tests := []struct {
		days []DayCount
		want string
	}{
		{[]DayCount{{Day: sampleTime}, {Day: sampleTime}}, "No sign-ins in 2 days."},
		{[]DayCount{{Day: sampleTime, Count: 1}}, "1 sign-in in 1 day, highest 1 on 2 November"},
	}
	for _, test := range tests {
		got := render(t, signInChart(test.days))
		if !strings.Contains(got, ">"+test.want+"<") {
			t.Errorf("%v: got %s, want %q in it", test.days, got, test.want)
		}
	}
}

// TestDisableWords wants the consequence told, with the right number.
func TestDisableWords(t *testing.T) {
	tests := []struct {
		sessions int
		want     string
	}{
		{3, "Bo Chen will be signed out of 3 devices now and cannot sign in. Nothing is deleted. You can enable the account again."},
		{1, "Bo Chen will be signed out of 1 device now and cannot sign in. Nothing is deleted. You can enable the account again."},
		{0, "Bo Chen cannot sign in from now on. Nothing is deleted. You can enable the account again."},
	}
	for _, test := range tests {
		if got := DisableUser(sampleTarget, test.sessions).Text[0]; got != test.want {
			t.Errorf("%d sessions: got %q, want %q", test.sessions, got, test.want)
		}
	}
}

// TestAdminForms wants the names that the routes read, and no field that a
// browser or a password manager fills in with the admin's own data.
func TestAdminForms(t *testing.T) {
	tests := []struct {
		page   templ.Component
		action string
		fields string // the names, with ":off" where filling in is switched off
	}{
		{sampleNamed(t, "admin disable"), "/admin/users/b/disable", "reason"},
		{sampleNamed(t, "admin sign-out"), "/admin/users/b/sign-out", ""},
		{sampleNamed(t, "admin role"), "/admin/users/b/role", "was role"},
		{sampleNamed(t, "admin reset link"), "/admin/users/b/reset-link", ""},
		{sampleNamed(t, "admin delete"), "/admin/users/b/delete", "confirm:off"},
		{sampleNamed(t, "admin new user"), "/admin/users/new", "email:off username:off full_name:off role role"},
	}
	for _, test := range tests {
		t.Run(test.action, func(t *testing.T) {
			doc := parse(t, test.page)
			var form *node
			for _, n := range doc.all("form") {
				if n.attrs["action"] == test.action && n.attrs["method"] == "post" {
					form = n
				}
			}
			if form == nil {
				t.Fatal("no such form")
			}
			var got []string
			for _, n := range append(doc.inside(form, "input"), doc.inside(form, "textarea")...) {
				name := n.attrs["name"]
				if n.has("autocomplete") {
					name += ":" + n.attrs["autocomplete"]
				}
				got = append(got, name)
			}
			if got := strings.Join(got, " "); got != test.fields {
				t.Errorf("fields: got %q, want %q", got, test.fields)
			}
		})
	}
}

// TestAuditSentences wants every line to read as a sentence.
func TestAuditSentences(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin audit"))
	var got []string
	for _, p := range doc.all("p") {
		if p.attrs["class"] == "what" {
			got = append(got, p.text)
		}
	}
	want := []string{
		"Ana Silva disabled Bo Chen: 1 session ended. Reason: left the team.",
		"Ana Silva signed out Bo Chen everywhere.",
		"Somebody could not sign in as chidi (deleted).",
		"Bo Chen changed their profile: name.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sentences (-want +got):\n%s", diff)
	}
	var where []string
	for _, p := range doc.all("p") {
		if strings.HasPrefix(p.text, "from ") {
			where = append(where, p.text)
		}
	}
	if diff := cmp.Diff([]string{"from 203.0.113.7"}, where); diff != "" {
		t.Errorf("from where (-want +got):\n%s", diff)
	}
	if got := len(doc.all("details")); got != 1 {
		t.Errorf("details: got %d, want that of the one line with a request", got)
	}
}

// TestAdminEscapes wants what people typed to stay text.
func TestAdminEscapes(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>`
	user := sampleUser()
	user.Name, user.FullName, user.Email, user.DisabledReason, user.DisabledSince = evil, evil, evil, evil, sampleTime
	user.Activity = []AdminEvent{{Text: evil, Address: evil, When: sampleTime}}
	users := sampleUsers()
	users.Filter.Q, users.Rows[0].FullName = evil, evil
	users.Chips[0].Label = evil
	audit := sampleAudit()
	audit.Filter.Actor = evil
	audit.Rows[0] = AuditRow{Actor: AuditPerson{Name: evil, URL: "/a"}, Verb: evil, Subject: AuditPerson{Name: evil}, After: evil, Detail: evil, IP: evil, Device: evil}
	page := signedIn("Users", layouts.SectionUsers)
	for name, component := range map[string]templ.Component{
		"user": AdminUser(page, user), "users": AdminUsers(page, users), "audit": AdminAudit(page, audit),
	} {
		if strings.Contains(render(t, component), "<img src=x") {
			t.Errorf("%s: typed text became an element", name)
		}
	}
}
