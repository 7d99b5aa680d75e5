package pages

import (
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"latchkey/views/layouts"
)

// TestSignInChart checks that the caption states the result, that each day with
// sign-ins or failures has bars, that the highest day and the Mondays are labelled,
// and that a table has the same numbers, newest first.
func TestSignInChart(t *testing.T) {
	doc := parse(t, AdminOverview(signedIn("Overview", layouts.SectionOverview), AdminOverviewView{SignIns: sampleDays()}))
	if got, want := doc.byID("sign-ins-result").text, "569 sign-ins and 15 failed attempts. The busiest day was 22 November, with 98 attempts."; got != want {
		t.Errorf("caption: got %q, want %q", got, want)
	}
	var chart *node
	for _, svg := range doc.all("svg") {
		if svg.attrs["role"] == "img" {
			chart = svg
		}
	}
	if chart == nil || chart.attrs["aria-labelledby"] != "sign-ins sign-ins-result" {
		t.Fatalf("chart: got %v, want an image named by its heading and caption", chart)
	}
	days := doc.inside(chart, "g")
	rows := doc.inside(doc.all("tbody")[0], "tr")
	if len(days) != 14 || len(rows) != 14 {
		t.Fatalf("got %d days and %d rows, want 14", len(days), len(rows))
	}
	tests := []struct {
		day              int
		signedIn, failed string // y and height of their bars
		title, cells     string
	}{
		{0, "123.8 46.2", "", "9 November: 30 sign-ins, 0 failed", "9 Nov 2026 30 0"},
		{10, "", "163.8 5.2", "19 November: 0 sign-ins, 4 failed", "19 Nov 2026 0 4"},
		{11, "", "", "20 November: 0 sign-ins, 0 failed", "20 Nov 2026 0 0"},
		{13, "29.8 140.2", "19.0 9.8", "22 November: 91 sign-ins, 7 failed", "22 Nov 2026 91 7"},
	}
	for _, test := range tests {
		day := days[test.day]
		var signedIn, failed string
		for _, bar := range doc.inside(day, "rect") {
			if at := bar.attrs["y"] + " " + bar.attrs["height"]; bar.attrs["fill"] == "url(#hatch)" {
				failed = at
			} else {
				signedIn = at
			}
		}
		title := doc.inside(day, "title")[0].text
		if signedIn != test.signedIn || failed != test.failed || title != test.title {
			t.Errorf("day %d: got %q %q %q, want %q %q %q", test.day, signedIn, failed, title, test.signedIn, test.failed, test.title)
		}
		var cells []string
		for _, n := range doc {
			if n.parent == rows[13-test.day] {
				cells = append(cells, n.text)
			}
		}
		if got := strings.Join(cells, " "); got != test.cells {
			t.Errorf("day %d: table: got %q, want %q", test.day, got, test.cells)
		}
	}
	var labels []string
	for _, text := range doc.inside(chart, "text") {
		labels = append(labels, text.text+" "+text.attrs["x"]+" "+text.attrs["text-anchor"])
	}
	if diff := cmp.Diff([]string{"Mon 9 1.43% start", "Mon 16 51.43% start", "98 98.57% end"}, labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// TestSignInChartEmpty checks that there is no chart if all days are empty.
func TestSignInChartEmpty(t *testing.T) {
	tests := []struct {
		days []SignInDay
		want string
	}{
		{[]SignInDay{{Day: sampleTime}, {Day: sampleTime}}, "No sign-ins and no failed attempts."},
		{[]SignInDay{{Day: sampleTime, SignedIn: 1}}, "1 sign-in and 0 failed attempts. The busiest day was 2 November, with 1 attempt."},
	}
	for _, test := range tests {
		got := render(t, signInsPerDay(test.days))
		if !strings.Contains(got, ">"+test.want+"<") {
			t.Errorf("%v: got %s, want %q in it", test.days, got, test.want)
		}
	}
}

// TestFigureLine checks that the lowest day is at the bottom and the highest at the
// top, and that equal days are a flat line at the bottom.
func TestFigureLine(t *testing.T) {
	for want, days := range map[string][]int{
		"M0.0 25.0L50.0 14.0L100.0 3.0":  {1, 2, 3},
		"M0.0 25.0L50.0 25.0L100.0 25.0": {7, 7, 7},
		"M0.0 3.0L50.0 25.0L100.0 14.0":  {1204, 0, 602},
	} {
		if got, _ := linePath(days); got != want {
			t.Errorf("%v: got %s, want %s", days, got, want)
		}
	}
}

// TestDisableWords checks that the confirmation states the number of sessions that
// will end.
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

// TestAdminForms checks that the fields have the names that the routes read, and
// that no browser or password manager fills in the admin's own data.
func TestAdminForms(t *testing.T) {
	tests := []struct {
		page   templ.Component
		action string
		fields string // the names, with ":off" if autocomplete is off
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

// TestAuditSentences checks that every line is a sentence under its day with a unique
// name, and opens to show the people, the kind of event and the request.
func TestAuditSentences(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin audit"))
	var got []string
	for _, summary := range doc.all("summary")[1:] { // after the filter
		got = append(got, summary.text)
	}
	want := []string{
		"Ana Silva disabled Bo Chen: 1 session ended. Reason: left the team. 14:32 UTC",
		"Ana Silva signed out Bo Chen everywhere. 14:32 UTC",
		"Ana Silva signed out Bo Chen everywhere. 14:32 UTC (2)",
		"Somebody could not sign in as chidi (deleted). 14:32 UTC",
		"Bo Chen changed their profile: name. 14:32 UTC",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sentences (-want +got):\n%s", diff)
	}
	var days []string
	for _, h := range doc.all("h2") {
		days = append(days, h.text)
	}
	if diff := cmp.Diff([]string{"Monday, 2 November 2026", "Sunday, 1 November 2026"}, days); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	var facts []string
	for _, fact := range doc.inside(doc.all("details")[1], "div") {
		facts = append(facts, doc.inside(fact, "dt")[0].text+": "+doc.inside(fact, "dd")[0].text)
	}
	if diff := cmp.Diff([]string{
		"Time: 2 Nov 2026, 14:32 UTC", "Ana Silva: Account of Ana Silva All events of Ana Silva", "Bo Chen: Account of Bo Chen All events of Bo Chen",
		"Event: Disabled user All of this kind", "IP address: 203.0.113.7", "Device: Chrome on macOS", "Session: s1", "Request: 7K2F-9Q",
	}, facts); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// TestAdminEscapes checks that typed text is not interpreted as HTML.
func TestAdminEscapes(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>`
	user := sampleUser()
	user.Name, user.FullName, user.Email, user.DisabledReason, user.DisabledSince = evil, evil, evil, evil, sampleTime
	user.Activity = []ActivityItem{{Text: evil, Device: evil, Address: evil, When: sampleTime}}
	users := sampleUsers()
	users.Filter.Q, users.Rows[0].FullName = evil, evil
	users.Chips[0].Label = evil
	audit := sampleAudit()
	audit.Filter.Actor = evil
	audit.Days[0].Rows[0] = AuditRow{Actor: AuditPerson{Name: evil, URL: "/a"}, Verb: evil, Subject: AuditPerson{Name: evil}, After: evil, Detail: evil, IP: evil, Device: evil}
	page := signedIn("Users", layouts.SectionUsers)
	for name, component := range map[string]templ.Component{
		"user": AdminUser(page, user), "users": AdminUsers(page, users), "audit": AdminAudit(page, audit),
	} {
		if strings.Contains(render(t, component), "<img src=x") {
			t.Errorf("%s: typed text became an element", name)
		}
	}
}
