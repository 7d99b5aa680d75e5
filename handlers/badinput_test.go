package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"latchkey/handlers/api"
	"latchkey/models"
)

// formRoute is a form and its fields. A form without fields is a button, whose body
// is not read.
type formRoute struct {
	route  string
	fields []string
}

func formRoutes() []formRoute {
	return []formRoute{
		{"/signup", []string{"username", "email", "full_name", "password"}},
		{"/login", []string{"username", "password", "remember", "next"}},
		{"/login/code", []string{"code", "trust", "next"}},
		{"/login/recovery", []string{"code", "next"}},
		{"/setup", []string{"token", "username", "email", "full_name", "password"}},
		{"/forgot", []string{"email", "next"}},
		{"/reset", []string{"token", "password"}},
		{"/secure", []string{"token"}},
		{"/profile/activity/replay/:id", []string{"nothing"}},
		{"/verify", []string{"token", "code", "next"}},
		{"/verify/send", []string{"token", "next"}},
		{"/verify/address", []string{"email"}},
		{"/theme", []string{"theme", "next"}},
		{"/confirm", []string{"next", "password", "code", "full"}},
		{"/login/passkey/options", nil},
		{"/login/passkey", nil},
		{"/confirm/passkey/options", nil},
		{"/confirm/passkey", nil},
		{"/profile/security/passkeys/options", nil},
		{"/profile/security/passkeys", nil},
		{"/profile/security/passkeys/:id/remove", nil},
		{"/profile/security/passkeys/:id", []string{"name", "others", "next"}},
		{"/profile", []string{"username", "full_name"}},
		{"/profile/name", []string{"full_name"}},
		{"/profile/username", []string{"username", "current_password"}},
		{"/profile/password", []string{"current_password", "new_password"}},
		{"/profile/email", []string{"email", "current_password"}},
		{"/profile/email/cancel", []string{"nothing"}},
		{"/profile/tokens", []string{"name", "scope.me", "days", "current_password"}},
		{"/admin/users/new", []string{"username", "email", "full_name", "role"}},
		{"/admin/users/bulk", []string{"act", "reason", "list", "confirmed"}},
		{"/admin/users/:id/edit", []string{"username", "email", "full_name", "seen"}},
		{"/admin/users/:id/disable", []string{"reason"}},
		{"/admin/users/:id/enable", []string{"nothing"}},
		{"/admin/users/:id/restore", []string{"nothing"}},
		{"/admin/invitations/new", []string{"email", "role", "hours", "uses", "note"}},
		{"/admin/invitations/:id/withdraw", []string{"nothing"}},
		{"/profile/export", []string{"nothing"}},
		{"/profile/delete", []string{"confirm", "current_password"}},
		{"/admin/users/:id/sign-out", []string{"nothing"}},
		{"/admin/users/:id/role", []string{"role", "was"}},
		{"/admin/users/:id/reset-link", []string{"nothing"}},
		{"/admin/users/:id/verify", []string{"nothing"}},
		{"/admin/users/:id/reset-two-step", []string{"confirm"}},
		{"/admin/users/:id/unlock", []string{"nothing"}},
		{"/admin/users/:id/sessions/:session/end", []string{"nothing"}},
		{"/admin/users/:id/tokens/:token/end", []string{"nothing"}},
		{"/admin/users/:id/delete", []string{"confirm"}},
		{"/admin/mail/test", []string{"to"}},
		{"/admin/mail/:id/again", []string{"nothing"}},
		{"/logout", nil},
		{"/profile/sessions/:id/end", nil},
		{"/profile/devices/:id/forget", nil},
		{"/profile/later", []string{"nothing"}},
		{"/profile/security/app", []string{"code", "next"}},
		{"/profile/security/app/off", []string{"nothing"}},
		{"/profile/security/codes", []string{"nothing"}},
		{"/profile/security/codes/saved", []string{"codes", "saved", "next"}},
		{"/profile/security/devices/:id/forget", nil},
		{"/profile/sessions/end-others", nil},
		{"/profile/tokens/:id/end", nil},
	}
}

// badBody is a body that no form of the portal sends.
type badBody struct {
	name string
	body func(fields []string) string
	kind string // Content-Type; "" for a form
	want []int
}

func badBodies() []badBody {
	each := func(value string) func([]string) string {
		return func(fields []string) string {
			var pairs []string
			for _, name := range fields {
				pairs = append(pairs, name+"="+value)
			}
			return strings.Join(pairs, "&")
		}
	}
	tenMB := "=" + strings.Repeat("x", 10<<20)
	fixed := func(text string) func([]string) string { return func([]string) string { return text } }
	var many strings.Builder
	for i := range 10000 {
		many.WriteString(strconv.FormatInt(int64(i), 36) + "=&")
	}
	return []badBody{
		{"NUL", each("a%00b"), "", []int{400}},
		{"raw NUL", each("a\x00b"), "", []int{400}},
		{"not UTF-8", each("a%FF%FEb"), "", []int{400}},
		{"surrogate", each("%ED%A0%80"), "", []int{400}},
		{"overlong", each("%C0%AF"), "", []int{400}},
		{"broken escape", each("%zz"), "", []int{400}},
		{"semicolons", func(f []string) string { return f[0] + "=a;" + f[0] + "=b" }, "", []int{400}},
		{"10 MB", func(f []string) string { return f[0] + tenMB }, "", []int{413}},
		{"10,000 fields", fixed(many.String()), "", []int{400, 413}},
		{"51 fields", fixed(many.String()[:51*3]), "", []int{400}},
		{"JSON", fixed(`{"username":"ana"}`), "application/json", []int{415}},
		{"multipart", fixed("--x\r\nContent-Disposition: form-data; name=\"role\"\r\n\r\nadmin\r\n--x--\r\n"), "multipart/form-data; boundary=x", []int{415}},
		{"plain text", fixed("role=admin"), "text/plain", []int{415}},
		{"a type that is none", fixed("role=admin"), ";;;", []int{415}},
	}
}

// TestBadBodies sends bodies to every form that no form of the portal sends. The
// response is a 4xx with the page of its status, never 500, reveals no internals,
// and nothing changes.
func TestBadBodies(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		target := s.Person("target", models.RoleUser)
		var seen []string
		bodies := badBodies()
		for _, f := range formRoutes() {
			seen = append(seen, f.route)
			path := strings.ReplaceAll(f.route, ":id", target.ID)
			if f.fields == nil {
				boss.do(boss.request(http.MethodPost, path, "a="+strings.Repeat("x", 10<<20))).status(413)
				continue
			}
			for _, bad := range bodies {
				r := boss.request(http.MethodPost, path, bad.body(f.fields))
				if bad.kind != "" {
					r.Header.Set("Content-Type", bad.kind)
				}
				checkRefused(t, boss.do(r), bad.name, bad.want)
			}
			for _, name := range f.fields {
				a := boss.do(boss.request(http.MethodPost, path, name+"=a&"+name+"=b"))
				checkRefused(t, a, name+" twice", []int{400})
			}
			// Without Content-Length the body is counted while it is read.
			r := boss.request(http.MethodPost, path, "a="+strings.Repeat("x", 1<<20))
			r.ContentLength = -1
			checkRefused(t, boss.do(r), "chunked", []int{413})
		}
		for _, route := range s.Echo.Routes() {
			if route.Method == http.MethodPost && !api.Owns(route.Path) && !slices.Contains(seen, route.Path) {
				t.Errorf("no bad body is sent to %s", route.Path)
			}
		}
		if after := s.Reload(target); after.Disabled() || after.Role != models.RoleUser || *after != *target {
			t.Errorf("the account changed: got %+v, want %+v", after, target)
		}
		if all, err := s.Store.Users.Figures(t.Context()); err != nil || all.Total != 2 {
			t.Errorf("got %d accounts (%v), want 2", all.Total, err)
		}
		if len(s.LiveSessions(admin.ID)) != 1 {
			t.Error("the admin's session has ended")
		}
	})
}

// TestQueryIsNoForm checks that a form is read only from the body.
func TestQueryIsNoForm(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		s.browser().post("/login?username=ana&password=" + url.QueryEscape(secretWord)).status(422)
		s.browser().post("/theme?theme=dark").status(400)
	})
}

// leaks are internals that no visitor may see.
var leaks = []string{
	"goroutine", ".go:", "SELECT ", "INSERT ", "UPDATE ", "SQLSTATE", "sqlite", "pgx", "runtime error", "panic", "constraint", "gorm", "strconv", "invalid ",
}

func checkRefused(t *testing.T, a *answer, name string, want []int) {
	t.Helper()
	if !slices.Contains(want, a.code) {
		t.Errorf("%s, %s: got status %d, want %v\n%s", a.asked, name, a.code, want, a.text())
	}
	checkNoLeak(t, a, name)
}

func checkNoLeak(t *testing.T, a *answer, name string) {
	t.Helper()
	for _, leak := range leaks {
		if strings.Contains(a.text(), leak) {
			t.Errorf("%s, %s: the page says %q:\n%s", a.asked, name, leak, a.text())
		}
	}
}

// TestBadQueries requests pages with queries and ids that no page links to.
func TestBadQueries(t *testing.T) {
	long := strings.Repeat("a", 5000)
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for _, test := range []struct {
			path  string
			query []string
			want  []int
		}{
			{"/login", []string{"next=%00", "next=%FF", "next=/a&next=/b", "next=%zz"}, []int{400}},
			{"/setup", []string{"token=%00", "token=%FF", "token=a&token=b"}, []int{400}},
			{"/reset", []string{"token=%00", "token=%FF", "token=a&token=b"}, []int{400}},
			{"/setup", []string{"", "token=", "token=" + long, "token=%27%20OR%201=1--"}, []int{410}},
			{"/reset", []string{"", "token=", "token=" + long, "token=%27%20OR%201=1--"}, []int{410}},
			{"/admin/users", []string{
				"q=%00", "q=%FF", "q=a&q=b", "q=" + long, "sort=password_hash", "sort=username;drop", "sort=-", "sort=--username", "sort=USERNAME",
				"sort=1", "status=gone", "role=root", "limit=0", "limit=-1", "limit=26", "limit=1000000", "limit=99999999999999999999", "limit=25.0",
				"limit=%2025", "after=x&before=y", "after=x", "before=x", "after=" + long, "after=%00", "status=active&status=disabled",
				"after=eyJ1Ijoi", "after=bm90IGEgY3Vyc29y", "before=" + url.QueryEscape("' OR 1=1"),
			}, []int{400}},
			{"/admin/audit", []string{
				"action=nothing", "after=x", "before=x", "after=x&before=y", "after=" + long, "after=bm90IGEgY3Vyc29y",
				"actor=%00", "subject=%FF", "actor=" + long, "from=a&from=b",
			}, []int{400}},
			{"/admin/audit", []string{"from=yesterday", "to=2026-13-01", "from=2026-02-30", "from=0000-01-01", "to=9999-12-31", "from=" + long}, []int{422}},
			{"/admin/audit.csv", []string{"action=nothing", "actor=%00", "from=a&from=b"}, []int{400}},
			{"/admin/audit.csv", []string{"from=yesterday", "to=9999-12-31"}, []int{422}},
		} {
			for _, query := range test.query {
				checkRefused(t, boss.get(test.path+"?"+query), "", test.want)
			}
		}
		// Pages ignore parameters that they do not use.
		for _, path := range []string{"/profile?x=%00", "/profile?a=1&a=2", "/forgot?%FF=%00", "/admin?x=" + long, "/admin/users/new?role=%00"} {
			a := boss.get(path).status(200)
			checkNoLeak(t, a, "")
		}
	})
}

// TestBadPaths requests paths with text that is not an id, and paths with unusual
// spellings.
func TestBadPaths(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		_, ana := s.signedIn("ana", models.RoleUser)
		ids := []string{
			"1", "0", "-1", "%00", "%FF", "%20", "%27%20OR%201%3D1--", "..%2F..%2Fetc%2Fpasswd", "%252e%252e%252f", strings.Repeat("a", 4000),
			strings.ToUpper(admin.ID), admin.ID + "x", admin.ID[:25], models.NewID(), "%E2%80%AEbo", "null", "undefined", "%25%25%25%25",
		}
		for _, id := range ids {
			reads, writes := []string{"", "/disable"}, []string{"enable"}
			if models.IsID(id) { // well formed, but unknown
				reads = append(reads, "/sign-out", "/role", "/reset-link", "/delete")
				writes = append(writes, "disable", "sign-out", "role", "reset-link", "unlock", "delete")
			}
			for _, act := range reads {
				checkRefused(t, boss.get("/admin/users/"+id+act), "", []int{404})
			}
			for _, act := range writes {
				checkRefused(t, boss.post("/admin/users/"+id+"/"+act, "role", "user", "confirm", "x"), "", []int{404})
			}
			checkRefused(t, boss.post("/profile/sessions/"+id+"/end"), "", []int{404})
			for _, path := range []string{"/profile/tokens/" + id, "/profile/tokens/" + id + "/end", "/admin/users/" + ana.ID + "/tokens/" + id + "/end"} {
				checkRefused(t, boss.get(path), "", []int{404})
			}
			for _, path := range []string{
				"/profile/tokens/" + id + "/end", "/admin/users/" + ana.ID + "/tokens/" + id + "/end", "/admin/users/" + ana.ID + "/sessions/" + id + "/end",
			} {
				checkRefused(t, boss.post(path), "", []int{404})
			}
			out := s.browser().post("/admin/users/" + id + "/disable").status(303)
			if got := out.header.Get("Location"); !strings.HasPrefix(got, "/login?next=%2Fadmin%2Fusers%2F") || strings.Contains(got, "%00") {
				t.Errorf("%s: got Location %q", out.asked, got)
			}
		}
		for _, path := range []string{
			"//login", "/login/", "//evil.example/", "/admin/", "/admin/users/", "/profile/", "/admin%2Fusers", "/admin%2fusers", "/%61dmin%2Fusers", "/ADMIN",
			"/Login", "/./login", "/../login", "/admin/../login", "/login%00", "/login%20", "/login;x", "/%2e%2e/login", "/%252e%252e/admin",
			"/.well-known/anything", "/.well-known/", "/.git/config", "/static/", "/static/..%2f..%2fgo.mod", "/static/../models/users.go",
			"/static/x/css/", "/api", "/token/x", "/users%2Fme", "/metrics", "/" + strings.Repeat("a", 8000),
		} {
			checkRefused(t, boss.get(path), "", []int{404})
			checkRefused(t, s.browser().get(path), "", []int{404})
		}
		for _, method := range []string{"PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "X"} {
			r := boss.request(http.MethodPost, "/admin/users", "")
			r.Method = method
			checkRefused(t, boss.do(r), "", []int{404, 405})
		}
	})
}

// TestBadHeaders sends cookies and headers that no browser sends.
func TestBadHeaders(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for _, test := range []struct{ name, value string }{
			{"Cookie", "access=" + strings.Repeat("a", 9000)},
			{"Cookie", "access=a; access=b; refresh=c; refresh=d"},
			{"Cookie", "access=..; refresh=a.b.c; flash=x.y; theme=<script>; device=" + strings.Repeat("é", 100)},
			{"Cookie", strings.Repeat("a=b; ", 3000)},
			{"User-Agent", strings.Repeat("\xff\x00'", 3000)},
			{"Referer", "http://[::1"},
			{"X-Forwarded-For", "1.1.1.1, ' OR 1=1"},
			{"X-Request-Id", "<script>"},
			{"Accept-Encoding", "gzip;q=9, \x00"},
		} {
			b := s.browser()
			r := b.request(http.MethodGet, "/login", "")
			r.Header.Set(test.name, test.value)
			a := b.do(r).status(200).hides("<script>alert", "theme=")
			checkNoLeak(t, a, test.name)
			if got := a.header.Get("X-Request-Id"); strings.Contains(got, "<") {
				t.Errorf("an untrusted client chose the request's name %q", got)
			}
			r = httptest.NewRequest(http.MethodGet, "/profile", nil)
			r.Host, r.RemoteAddr = "localhost:8080", "not an address"
			r.Header.Set(test.name, test.value)
			b.do(r).status(303)
		}
	})
}
