package handlers_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/models"
)

// csvRows reads a CSV download.
func (a *answer) csvRows() [][]string {
	a.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil || !strings.HasPrefix(a.body, "\ufeff") {
		a.t.Fatalf("%s: %v\n%q", a.asked, err, a.body)
	}
	return rows
}

// TestUsersCSV downloads all pages of the filtered list.
func TestUsersCSV(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.crowd(59)
		ivy := s.Invited("ivy")
		s.GiveApp(ivy)
		s.GivePasskey(ivy, "Phone")
		s.GivePasskey(ivy, "Key")
		a := boss.get("/admin/users.csv").status(200)
		for name, want := range map[string]string{
			"Content-Type": "text/csv; charset=utf-8; header=present", "Cache-Control": "no-store",
			"Content-Disposition": `attachment; filename="users-` + s.Clock.Now().UTC().Format("2006-01-02") + `.csv"`,
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		rows := a.csvRows()
		columns := []string{"id", "username", "email", "full_name", "role", "status", "created", "last_sign_in", "sessions", "authenticator_app", "passkeys"}
		if diff := cmp.Diff(columns, rows[0]); diff != "" {
			t.Errorf("columns (-want +got):\n%s", diff)
		}
		if len(rows) != 1+61 {
			t.Errorf("got %d lines, want a header and 61 users", len(rows))
		}
		created := ivy.CreatedAt.Time().Format(time.RFC3339Nano)
		boss.get("/admin/users.csv?q=iv").status(200).wantRows([]string{ivy.ID, "ivy", "ivy@example.org", "", "user", "invited", created, "", "0", "yes", "2"})
		zz := boss.get("/admin/users.csv?role=admin&status=active&sort=-username&limit=25&after=nonsense&from=3").status(200).csvRows()[1:]
		if len(zz) != 5 || zz[0][1] != "zz" || zz[0][5] != "active" || zz[0][7] == "" || zz[0][8] != "1" || zz[4][1] != "u10" {
			t.Errorf("got %q", zz)
		}
		for _, row := range boss.get("/admin/users.csv?status=disabled").csvRows()[1:] {
			if row[5] != "disabled" {
				t.Errorf("got %q among the disabled", row)
			}
		}
		boss.get("/admin/users.csv?q=nobody").status(200).wantRows()
		boss.get("/admin/users?status=disabled&sort=-created").has(`href="/admin/users.csv?sort=-created&status=disabled" download`)
		boss.get("/admin/users.csv?sort=shoe-size").status(400)
		boss.get("/admin/users.csv?limit=7").status(400)
		if a := boss.do(boss.request(http.MethodHead, "/admin/users.csv", "")); a.code != 200 || a.body != "" {
			t.Errorf("HEAD: got status %d and %q", a.code, a.body)
		}
	})
}

// wantRows checks the lines after the header.
func (a *answer) wantRows(want ...[]string) {
	a.t.Helper()
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(a.csvRows()[1:])); diff != "" {
		a.t.Errorf("%s (-want +got):\n%s", a.asked, diff)
	}
}

// TestUsersCSVFormulas checks that a spreadsheet takes no name for a formula.
func TestUsersCSVFormulas(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("zz", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		for typed, want := range map[string]string{`=HYPERLINK("x")`: `'=HYPERLINK("x")`, "+1": "'+1", "-1": "'-1", "@a": "'@a", "a;=1": "a;'=1", `say "hi", twice`: `say "hi", twice`} {
			if err := s.rename(ana, typed); err != nil {
				t.Fatal(err)
			}
			if got := boss.get("/admin/users.csv?q=ana").csvRows()[1][3]; got != want {
				t.Errorf("%q: got %q, want %q", typed, got, want)
			}
		}
	})
}
