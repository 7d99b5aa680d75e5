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

	"latchkey/models"
)

// crowd creates n users u00, u01 … a minute apart; every third is disabled, every
// tenth an admin. The admin of the returned browser is "zz".
func (s *site) crowd(n int) *browser {
	s.T.Helper()
	for i := range n {
		s.Clock.Advance(time.Minute)
		role := models.RoleUser
		if i%10 == 0 {
			role = models.RoleAdmin
		}
		user := s.Person(fmt.Sprintf("u%02d", i), role)
		if i%3 == 0 {
			if err := s.Store.Users.Disable(s.T.Context(), user.ID, "", s.Clock.Now()); err != nil {
				s.T.Fatal(err)
			}
		}
	}
	s.Clock.Advance(time.Minute)
	boss, _ := s.signedIn("zz", models.RoleAdmin)
	return boss
}

var (
	rowName  = regexp.MustCompile(`href="/admin/users/[a-z2-7]{26}"[^>]*>(?:<bdi>)?([^<]+)`)
	pageLink = regexp.MustCompile(`<a[^>]*rel="(prev|next)"[^>]*>`)
	hrefOf   = regexp.MustCompile(`href="([^"]+)"`)
)

// names are the users on a page of the list, in order.
func (a *answer) names() []string {
	var list []string
	for _, found := range rowName.FindAllStringSubmatch(a.body, -1) {
		if name := strings.TrimSpace(found[1]); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// page returns the target of the link to the next or previous page, or "".
func (a *answer) page(rel string) string {
	for _, tag := range pageLink.FindAllStringSubmatch(a.body, -1) {
		if tag[1] == rel {
			return strings.ReplaceAll(hrefOf.FindStringSubmatch(tag[0])[1], "&amp;", "&")
		}
	}
	return ""
}

// TestUserList pages through the list in every order, forward and back. It checks
// that every page has the right users and that its links keep the state.
func TestUserList(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.crowd(59)
		var byName []string
		for i := range 59 {
			byName = append(byName, fmt.Sprintf("u%02d", i))
		}
		byName = append(byName, "zz")
		backwards := slices.Clone(byName)
		slices.Reverse(backwards)
		for _, test := range []struct {
			sort string
			want []string
		}{
			{"", byName},
			{"username", byName},
			{"-username", backwards},
			{"email", byName},
			{"-email", backwards},
			{"created", byName},
			{"-created", backwards},
		} {
			path := "/admin/users"
			if test.sort != "" {
				path += "?sort=" + test.sort
			}
			var got []string
			var pages []string
			for path != "" && len(pages) < 10 {
				a := boss.get(path).status(200)
				checkState(t, path, url.Values{"sort": {test.sort}}, a.page("next"), a.page("prev"))
				got = append(got, a.names()...)
				pages = append(pages, path)
				path = a.page("next")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("sort %q, forward (-want +got):\n%s", test.sort, diff)
			}
			if len(pages) != 3 {
				t.Fatalf("sort %q: got %d pages, want 3", test.sort, len(pages))
			}
			middle := boss.get(boss.get(pages[2]).page("prev")).status(200)
			if diff := cmp.Diff(test.want[25:50], middle.names()); diff != "" {
				t.Errorf("sort %q, back (-want +got):\n%s", test.sort, diff)
			}
			first := boss.get(middle.page("prev"))
			if diff := cmp.Diff(test.want[:25], first.names()); diff != "" {
				t.Errorf("sort %q, back to the start (-want +got):\n%s", test.sort, diff)
			}
		}
		boss.get("/admin/users").says("1–25 of 60 users", "Users, sorted by username, A to Z")
		if got := boss.get("/admin/users?limit=50").names(); len(got) != 50 {
			t.Errorf("limit 50: got %d users", len(got))
		}
		if got := boss.get("/admin/users?limit=100").names(); len(got) != 60 {
			t.Errorf("limit 100: got %d users", len(got))
		}
	})
}

// checkState checks that links to other pages keep the filters.
func checkState(t *testing.T, path string, want url.Values, links ...string) {
	t.Helper()
	for _, link := range links {
		if link == "" {
			continue
		}
		u, err := url.Parse(link)
		if err != nil || u.Path != "/admin/users" {
			t.Errorf("%s: leads to %q", path, link)
			continue
		}
		for name := range want {
			if got := u.Query().Get(name); got != want.Get(name) {
				t.Errorf("%s: the link %s has %s %q, want %q", path, link, name, got, want.Get(name))
			}
		}
	}
}

// TestUserPositions checks that the result line says which users the page shows.
// The links between pages carry the position; an impossible position is ignored.
func TestUserPositions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.crowd(103)
		second := boss.get("/admin/users").says("1–25 of 104 users").page("next")
		third := boss.get(second).says("26–50 of 104 users").page("next")
		fourth := boss.get(third).says("51–75 of 104 users").page("next")
		last := boss.get(boss.get(fourth).says("76–100 of 104 users").page("next")).says("101–104 of 104 users")
		back := boss.get(last.page("prev")).says("76–100 of 104 users")
		boss.get(boss.get(back.page("prev")).says("51–75 of 104 users").page("prev")).says("26–50 of 104 users")

		from := regexp.MustCompile(`[&?]from=\d+`)
		if got := from.FindString(second); got != "&from=26" && got != "?from=26" {
			t.Fatalf("the second page is %s", second)
		}
		without := from.ReplaceAllString(third, "")
		for _, wrong := range []string{
			"", "&from=", "&from=x", "&from=0", "&from=1", "&from=-51", "&from=%2B51", "&from=051", "&from=51.0", "&from=80", "&from=99999999999999999999", "&from=" + strings.Repeat("9", 2000),
		} {
			a := boss.get(without + wrong).status(200).says(" 25 of 104 users")
			if next := a.page("next"); next == "" || from.MatchString(next) {
				t.Errorf("%q: the next page is %q", wrong, next)
			}
		}
		// The first and the last page need no position.
		boss.get(from.ReplaceAllString(boss.get(second).page("prev"), "")).says("1–25 of 104 users")
		boss.get(from.ReplaceAllString(boss.get(fourth).page("next"), "")).says("101–104 of 104 users")
		boss.get("/admin/users?limit=100&status=disabled").says("35 of 35 users")
		boss.get("/admin/users?from=50").says("1–25 of 104 users")
	})
}

// TestUserFilters checks search, status and role, alone and together.
func TestUserFilters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.crowd(31)
		s.Invited("ivy")
		gone := s.Invited("ivo") // disabled before a password was set, so no longer invited
		if err := s.Store.Users.Disable(t.Context(), gone.ID, "", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		ana := s.Person("ana", models.RoleUser)
		if err := s.rename(ana, "María Ødegård 100%_x"); err != nil {
			t.Fatal(err)
		}
		anas := []string{"María Ødegård 100%_x"}
		for _, test := range []struct {
			query string
			want  []string
			says  string
		}{
			{"q=u0", []string{"u00", "u01", "u02", "u03", "u04", "u05", "u06", "u07", "u08", "u09"}, "10 of 10 users"},
			{"q=U07%40EXAMPLE", []string{"u07"}, "1 of 1 user"},
			{"q=ana", anas, "1 of 1 user"},
			{"q=%20u07%20", []string{"u07"}, "1 of 1 user"},
			{"q=+%09ødegård+", anas, "1 of 1 user"},
			{"q=+&role=admin", []string{"u00", "u10", "u20", "u30", "zz"}, "5 of 5 users"},
			{"q=ødegård", anas, "1 of 1 user"},
			{"q=degår", anas, "1 of 1 user"},
			{"q=100%25_", anas, "1 of 1 user"},
			{"q=%25", nil, "No users match “%”."},
			{"q=_", nil, "No users match “_”."},
			{"q=nobody", nil, "No users match “nobody”."},
			{"q=%22OR", nil, "No users match “\"OR”."},
			{"q=u1*", nil, "No users match “u1*”."},
			{"q=NEAR(", nil, "No users match “NEAR(”."},
			{"q='--", nil, "No users match “'--”."},
			{"status=disabled&role=admin", []string{"u00", "u30"}, "2 of 2 users"},
			{"role=admin", []string{"u00", "u10", "u20", "u30", "zz"}, "5 of 5 users"},
			{"role=admin&status=active", []string{"u10", "u20", "zz"}, "3 of 3 users"},
			{"q=u1&status=disabled", []string{"u12", "u15", "u18"}, "3 of 3 users"},
			{"status=invited", []string{"ivy"}, "1 of 1 user"},
			{"status=invited&role=admin", nil, "No users with status Invited and role Admin."},
			{"q=iv&status=active", nil, "No users match “iv” with status Active."},
			{"status=active&role=admin&q=u", []string{"u10", "u20"}, "2 of 2 users"},
			{"q=zz&status=disabled", nil, "No users match “zz” with status Disabled."},
		} {
			a := boss.get("/admin/users?" + test.query).status(200).says(test.says)
			if diff := cmp.Diff(test.want, a.names()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.query, diff)
			}
			query, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := a.value("q"); got != strings.TrimSpace(query.Get("q")) {
				t.Errorf("%s: the form has q %q", test.query, got)
			}
			if test.want == nil {
				a.says("Clear filters")
			}
		}
		// A new search starts at the first page and keeps the order; Clear clears.
		a := boss.get("/admin/users?q=u&status=active&sort=-created&limit=50").status(200).says("Search: u", "Status: Active").
			has(`<option value="-created" selected>Created, newest first`, `name="limit" value="50"`, `href="/admin/users?limit=50&sort=-created"`)
		checkState(t, "chips", url.Values{"sort": {"-created"}, "q": {"u"}}, a.page("next"))
		boss.get("/admin/users?sort=-last_sign_in").has(`aria-sort="descending"`, `href="/admin/users?sort=last_sign_in"`)
	})
}

// TestUserListEdges checks the list with one user, and past its end.
func TestUserListEdges(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/admin/users").status(200).says("1 of 1 user", "You are the only user so far.")
		for i := range 26 {
			s.Person(fmt.Sprintf("u%02d", i), models.RoleUser)
		}
		next := boss.get("/admin/users").page("next")
		if next == "" {
			t.Fatal("there is no second page")
		}
		// In the meantime, all users on the second page are deleted.
		for _, name := range []string{"u24", "u25"} {
			user, err := s.Store.Users.ByUsername(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Store.Users.Delete(t.Context(), user.ID); err != nil {
				t.Fatal(err)
			}
		}
		boss.get(next).status(200).says("This page is past the end of the list.", "Go to the first page")
		// A cursor of one order is not valid in another.
		cursor, err := url.Parse(next)
		if err != nil {
			t.Fatal(err)
		}
		boss.get("/admin/users?sort=created&after=" + cursor.Query().Get("after")).status(400)
	})
}
