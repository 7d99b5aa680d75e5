package pages

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/views/layouts"
)

func TestUsersResult(t *testing.T) {
	tests := []struct {
		rows, total int
		more        bool
		want        string
	}{
		{1, 1, false, "1 of 1 user"},
		{2, 2, false, "2 of 2 users"},
		{25, 1204, false, "25 of 1,204 users"},
		{100, 1000, true, "100 of more than 1,000 users"},
		{25, 1234567, false, "25 of 1,234,567 users"},
	}
	for _, test := range tests {
		view := AdminUsersView{Rows: make([]UserRow, test.rows), Total: test.total, More: test.more}
		if got := view.result(); got != test.want {
			t.Errorf("%d of %d: got %q, want %q", test.rows, test.total, got, test.want)
		}
	}
	view := AdminUsersView{Rows: make([]UserRow, 25), Total: 1000, More: true, Filter: UsersFilter{Q: "li"}}
	if got, want := view.result(), "25 of more than 1,000 users. Add a word to find fewer."; got != want {
		t.Errorf("a search: got %q, want %q", got, want)
	}
}

// TestUsersPosition checks that the result line has the positions of a page if they
// are known and there is another page.
func TestUsersPosition(t *testing.T) {
	for _, test := range []struct {
		from, rows, total int
		more              bool
		previous, next    string
		want              string
	}{
		{1, 25, 1000, false, "", "/n", "1–25 of 1,000 users"},
		{26, 25, 60, false, "/p", "/n", "26–50 of 60 users"},
		{51, 1, 51, false, "/p", "", "51–51 of 51 users"},
		{0, 25, 60, false, "/p", "/n", "25 of 60 users"},
		{1, 25, 25, false, "", "", "25 of 25 users"},
		{1001, 50, 1000, true, "/p", "/n", "1,001–1,050 of more than 1,000 users"},
	} {
		view := AdminUsersView{
			Rows: make([]UserRow, test.rows), Total: test.total, More: test.more, From: test.from, Previous: test.previous, Next: test.next,
		}
		if got := view.result(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test, got, test.want)
		}
	}
}

func TestUsersNoMatch(t *testing.T) {
	tests := []struct {
		filter UsersFilter
		want   string
	}{
		{UsersFilter{}, "No users."},
		{UsersFilter{Q: "bol"}, "No users match “bol”."},
		{UsersFilter{Q: "bo"}, "No users match “bo”. A word of one or two characters finds only usernames, emails and names that begin with it."},
		{UsersFilter{Q: "bo", Status: "disabled"}, "No users match “bo” with status Disabled. A word of one or two characters finds only usernames, emails and names that begin with it."},
		{UsersFilter{Status: "invited"}, "No users with status Invited."},
		{UsersFilter{Status: "active", Role: "admin"}, "No users with status Active and role Admin."},
		{UsersFilter{Q: "bo", Role: "user"}, "No users match “bo” with role User. A word of one or two characters finds only usernames, emails and names that begin with it."},
	}
	for _, test := range tests {
		if got := test.filter.noMatch(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.filter, got, test.want)
		}
	}
}

// TestUsersSearch checks that the form keeps values for which it has no field, and
// that a new search starts at the first page.
func TestUsersSearch(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin users"))
	var got []string
	for _, form := range doc.all("form") {
		if form.attrs["role"] != "search" {
			continue
		}
		for _, n := range append(doc.inside(form, "input"), doc.inside(form, "select")...) {
			got = append(got, n.attrs["name"]+"="+n.attrs["value"])
		}
	}
	want := []string{"q=b", "=", "limit=50", "status=", "role=", "second_step=", "sort="}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

// TestUsersTable checks that the table has explicit roles, for when it is laid out as
// lines, and that the caption, a column and the filter all show its order.
func TestUsersTable(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin users"))
	roles := map[string]int{}
	for _, n := range doc {
		roles[n.attrs["role"]]++
	}
	for role, want := range map[string]int{"table": 1, "rowgroup": 2, "row": 7, "columnheader": 7, "rowheader": 6, "cell": 36} {
		if got := roles[role]; got != want {
			t.Errorf("role %s: got %d, want %d", role, got, want)
		}
	}
	var sorted []string
	for _, th := range doc.all("th") {
		if th.has("aria-sort") {
			sorted = append(sorted, th.text+" "+th.attrs["aria-sort"])
		}
	}
	if diff := cmp.Diff([]string{"Last sign-in descending"}, sorted); diff != "" {
		t.Errorf("sorted columns (-want +got):\n%s", diff)
	}
	if got, want := doc.all("caption")[0].text, "Users, sorted by last sign-in, newest first"; got != want {
		t.Errorf("caption: got %q, want %q", got, want)
	}
	rels := map[string]string{}
	for _, a := range doc.all("a") {
		if a.has("rel") {
			rels[a.attrs["rel"]] = a.attrs["href"]
		}
	}
	if diff := cmp.Diff(map[string]string{"prev": "/admin/users?before=x", "next": "/admin/users?after=x"}, rels); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

// TestUsersFound checks that after a search, and only then, the skip link leads to the
// result line, the script moves the focus there, and Tab skips the sort links.
func TestUsersFound(t *testing.T) {
	for _, test := range []struct{ sample, skip, focus, tabindex string }{
		{"admin users found", "#results", "6 of 1,204 users", "-1"},
		{"admin users", "#main", "", ""},
		{"admin users none", "#main", "No users match “b” with status Active. A word of one or two characters", ""},
	} {
		doc := parse(t, sampleNamed(t, test.sample))
		focus := ""
		for _, n := range doc {
			if n.has("data-focus") && n.attrs["role"] == "status" && n.attrs["tabindex"] == "-1" {
				focus = n.text
			}
			if n.attrs["class"] == "skip" && n.attrs["href"] != test.skip {
				t.Errorf("%s: the skip link leads to %q, want %q", test.sample, n.attrs["href"], test.skip)
			}
		}
		if !strings.HasPrefix(focus, test.focus) || test.focus == "" && focus != "" {
			t.Errorf("%s: the focus goes to %q, want %q", test.sample, focus, test.focus)
		}
		for _, th := range doc.all("th") {
			for _, a := range doc.inside(th, "a") {
				if th.attrs["scope"] == "col" && a.attrs["tabindex"] != test.tabindex {
					t.Errorf("%s: the sort link %s has tabindex %q, want %q", test.sample, a.text, a.attrs["tabindex"], test.tabindex)
				}
			}
		}
	}
}

// TestUsersBoxes checks that every row has a checkbox with the person's name, in a
// form with the two actions and the URL of the list.
func TestUsersBoxes(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin users"))
	var got []string
	for _, form := range doc.all("form") {
		if form.attrs["action"] != "/admin/users/bulk" {
			continue
		}
		for _, n := range append(doc.inside(form, "input"), doc.inside(form, "button")...) {
			text := n.attrs["name"] + "=" + n.attrs["value"]
			if label := n.within("label"); label != nil {
				text += " " + label.text
			}
			got = append(got, text)
		}
	}
	want := []string{
		"list=/admin/users?q=b&sort=-last_sign_in", "id=b Select Bo Chen", "id=c Select chidi", "id=d Select dee", "id=e Select eve", "id=g Select gil", "id=f Select fay",
		"act=disable", "act=sign-out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestLeftOut(t *testing.T) {
	for want, users := range map[string][]string{
		"":                      nil,
		"Left out: a.":          {"a"},
		"Left out: a and b.":    {"a", "b"},
		"Left out: a, b and c.": {"a", "b", "c"},
	} {
		if got := LeftOut(users); got != want {
			t.Errorf("%q: got %q, want %q", users, got, want)
		}
	}
}

// TestUsersStatus checks the word for every state of an account, and the time for
// the script if the state ends by itself.
func TestUsersStatus(t *testing.T) {
	doc := parse(t, sampleNamed(t, "admin users"))
	var got []string
	for _, td := range doc.all("td") {
		if !strings.Contains(" "+td.attrs["class"]+" ", " state ") {
			continue
		}
		status := td.text
		for _, clock := range doc.inside(td, "time") {
			if clock.has("data-clock") {
				status += " " + clock.attrs["datetime"]
			}
		}
		got = append(got, status)
	}
	want := []string{"Active", "Disabled", "Locked until 14:32 UTC 2026-11-02T14:32:00Z", "Locked", "API sign-in paused", "Invited"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

// TestUserStatus checks that the page of an account shows the same state as the list.
func TestUserStatus(t *testing.T) {
	for _, test := range []struct {
		want string
		view AdminUserView
	}{
		{"Active", AdminUserView{}},
		{"Locked", AdminUserView{Paused: Pause{Until: sampleTime}, APIPaused: Pause{Until: sampleTime}}},
		{"Locked", AdminUserView{Paused: Pause{Locked: true}}},
		{"API sign-in paused", AdminUserView{APIPaused: Pause{Until: sampleTime}}},
		{"API sign-in paused", AdminUserView{APIPaused: Pause{Locked: true}}},
		{"Disabled", AdminUserView{Paused: Pause{Locked: true}, DisabledSince: sampleTime}},
	} {
		doc := parse(t, AdminUser(signedIn("User", layouts.SectionUsers), test.view))
		for _, head := range doc.all("div") {
			if head.attrs["class"] == "who" && !strings.Contains(head.text, test.want) {
				t.Errorf("%+v: got %q, want %q in it", test.view, head.text, test.want)
			}
		}
	}
}
