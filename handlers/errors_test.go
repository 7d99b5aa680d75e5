package handlers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// statuses are the expected statuses for each kind of failure.
var statuses = map[apperr.Kind]int{
	apperr.Malformed:    400,
	apperr.Unauthorized: 303, // to the sign-in page; 401 for programs
	apperr.Forbidden:    403,
	apperr.Disabled:     403,
	apperr.NotFound:     404,
	apperr.Conflict:     409,
	apperr.TooLarge:     413,
	apperr.TooSlow:      408,
	apperr.Unsupported:  415,
	apperr.Misdirected:  421,
	apperr.Invalid:      422,
	apperr.TooMany:      429,
	apperr.Locked:       429,
	apperr.Busy:         503,
	apperr.Unavailable:  503,
	apperr.Canceled:     499,
	apperr.WrongMethod:  405,
	apperr.Gone:         410,
	apperr.Loop:         508,
}

// cause is the text that must never reach a visitor.
const cause = "pq: relation secret_table does not exist"

// TestEveryKind checks that every kind has a status and that its cause is only in
// the log, under the reference that the visitor sees.
func TestEveryKind(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	for _, kind := range apperr.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			want, known := statuses[kind]
			if !known {
				t.Fatal("no status is expected for this kind")
			}
			s := s.in(t)
			path := "/fail/" + strings.ReplaceAll(string(kind), " ", "-")
			s.failWith(path, func() error {
				return fmt.Errorf("rotate: %w", apperr.New(kind, "", errors.New(cause)))
			})
			page := s.browser().get(path).status(want).hides(cause, "secret_table", "rotate:")
			reference := checkLogged(t, s, page)
			if want != http.StatusSeeOther {
				page.says("Reference: " + reference)
			}

			r := s.browser().request(http.MethodGet, path, "")
			r.Header.Set("Accept", "application/json")
			if want == http.StatusSeeOther {
				want = http.StatusUnauthorized
			}
			problem := s.browser().do(r).status(want).hides(cause, "secret_table", "rotate:")
			checkProblem(t, s, problem, want)
		})
	}
}

// checkLogged finds the failure in the log and returns its reference.
func checkLogged(t *testing.T, s *site, a *answer) string {
	t.Helper()
	reference := a.header.Get("X-Request-Id")
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(reference) {
		t.Errorf("%s: got X-Request-Id %q", a.asked, reference)
	}
	if s.Logs.Line(reference, "secret_table") == "" {
		t.Errorf("%s: the cause is not in the log with %s", a.asked, reference)
	}
	if s.Logs.Line(reference, `"msg":"request"`) == "" {
		t.Errorf("%s: the request is not in the log with %s", a.asked, reference)
	}
	return reference
}

// checkProblem checks a problem document (RFC 9457 §3).
func checkProblem(t *testing.T, s *site, a *answer, status int) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: got Content-Type %q", a.asked, got)
	}
	var problem struct {
		Title, Detail, Reference string
		Status                   int
	}
	if err := json.Unmarshal([]byte(a.body), &problem); err != nil {
		t.Fatalf("%s: %v in %s", a.asked, err, a.body)
	}
	if problem.Status != status || problem.Title == "" || problem.Detail == "" {
		t.Errorf("%s: got %+v, want status %d, a title and a detail", a.asked, problem, status)
	}
	if want := checkLogged(t, s, a); problem.Reference != want {
		t.Errorf("%s: got reference %q, want %q", a.asked, problem.Reference, want)
	}
}

// TestUnclassified checks the response to a fault of the portal: a fixed text and a
// reference, without the cause or the stack.
func TestUnclassified(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func() error
	}{
		{"error", func() error { return errors.New(cause) }},
		{"panic", func() error { panic(cause) }},
		{"runtime panic", func() error { return errors.New(strings.Split(cause, "|")[1]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testdb.SQLite(t))
			s.failWith("/fail", test.fail)
			page := s.browser().get("/fail").status(500).
				says("Sorry, something went wrong", "This is not your fault, and we have recorded the problem. Nothing was changed.").
				hides("secret_table", "goroutine", ".go:", "index out of range")
			reference := page.header.Get("X-Request-Id")
			page.says("Reference: " + reference)
			if s.Logs.Line(reference, `"level":"ERROR"`) == "" {
				t.Error("the failure is not in the log as an error")
			}
			if strings.Contains(test.name, "panic") && s.Logs.Line(reference, "goroutine") == "" {
				t.Error("the log has no stack")
			}
			// The connection and the server survive.
			s.browser().get("/login").status(200)
		})
	}
}

// TestRetryAfter checks that a response that tells a visitor to wait says how long.
func TestRetryAfter(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	for _, test := range []struct {
		path string
		err  error
		want string
		says string
	}{
		{"/busy", apperr.Wait(apperr.Busy, 2*time.Second, "", nil), "2", "Many people are signing in"},
		{"/down", apperr.New(apperr.Unavailable, "", nil), "5", "This should not take long."},
		{"/wait", apperr.Wait(apperr.TooMany, 239*time.Second, "", nil), "239", "Try again at 12:04 UTC (in 4 minutes)."},
		{"/much", apperr.New(apperr.TooMany, "", nil), "60", "Try again at 12:01 UTC (in 60 seconds)."},
		{"/part", apperr.Wait(apperr.TooMany, 1100*time.Millisecond, "", nil), "2", "in 2 seconds"},
	} {
		s.failWith(test.path, func() error { return test.err })
		a := s.browser().get(test.path).says(test.says)
		if got := a.header.Get("Retry-After"); got != test.want {
			t.Errorf("%s: got Retry-After %q, want %q", test.path, got, test.want)
		}
	}
}

// TestUnavailableTouchesNoCookie checks that cookies set before the failure are not
// sent.
func TestUnavailableTouchesNoCookie(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	s.Echo.GET("/fail", func(c echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "access", Value: "x"})
		return apperr.New(apperr.Unavailable, "", errors.New(cause))
	})
	if a := s.browser().get("/fail").status(503); len(a.cookies) > 0 {
		t.Errorf("got cookies %v, want none", a.cookies)
	}
}

// TestErrorPageLeavesTheMessage checks that an error page keeps the message of a
// redirect for the page that shows it.
func TestErrorPageLeavesTheMessage(t *testing.T) {
	const message = "Your account is ready."
	for name, options := range map[string][]func(*portaltest.Options){"flash": nil, "__Host-flash": {withHTTPS}} {
		s := newSite(t, testdb.SQLite(t), options...)
		b := s.browser()
		b.post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).redirects("/profile")
		for _, kind := range apperr.Kinds() {
			if statuses[kind] == http.StatusSeeOther {
				continue // redirects to the sign-in page, with the reason
			}
			path := "/fail/" + strings.ReplaceAll(string(kind), " ", "-")
			s.failWith(path, func() error { return apperr.New(kind, "", errors.New(cause)) })
			checkLeft(t, b.get(path).status(statuses[kind]), name, message)
		}
		s.failWith("/fail/panic", func() error { panic(cause) })
		checkLeft(t, b.get("/fail/panic").status(500), name, message)
		checkLeft(t, b.get("/admin").status(403), name, message)
		checkLeft(t, b.get("/nowhere").status(404), name, message)
		b.get("/profile").status(200).says(message)
		b.get("/profile").status(200).hides(message)
	}
}

func checkLeft(t *testing.T, a *answer, name, message string) {
	t.Helper()
	if a.hides(message); a.setCookie(name) != nil {
		t.Errorf("%s: touches the message: %v", a.asked, a.header.Values("Set-Cookie"))
	}
}

// TestMessageOfPageThatFails checks that a page that fails after it has read the
// message keeps it for the next page.
func TestMessageOfPageThatFails(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		const message = "The sign-in limits of ana are cleared."
		boss.post("/admin/users/" + ana.ID + "/unlock").redirects("/admin/users/" + ana.ID)
		checkLeft(t, boss.get("/admin/users/"+ana.ID+"/tokens/"+models.NewID()+"/end").status(404), "flash", message)
		boss.get("/admin/users/" + ana.ID).says(message)
	})
}

// TestDatabaseGone closes the database while people are signed in. Every visitor
// gets 503, no cookie changes, and no one is signed in or told that they are
// signed out.
func TestDatabaseGone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		member, _ := s.signedIn("ana", models.RoleUser)
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		newcomer := s.browser()
		newcomer.post("/signup", "username", "cy", "email", "cy@example.org", "password", secretWord).redirects("/profile")
		if err := s.Store.Close(); err != nil {
			t.Fatal(err)
		}
		stale := member.clone()
		stale.forget("access") // a silent refresh would be due
		for _, test := range []struct {
			who          *browser
			method, path string
			form         string
			says         string
		}{
			{member, "GET", "/", "", "Nothing was changed."},
			{member, "GET", "/profile", "", "This should not take long. Nothing was changed. Try again in 5 seconds."},
			{newcomer, "GET", "/profile", "", "Nothing was changed."},
			{stale, "GET", "/profile", "", "Nothing was changed."},
			{stale, "GET", "/login", "", "Nothing was changed."},
			{member, "POST", "/profile", "username=ana", "We do not know whether your change was saved. Please check."},
			{boss, "GET", "/admin/users", "", "Sorry, the service is unavailable"},
			{member, "POST", "/logout", "", "We could not sign you out: you are still signed in. Try again in a few seconds."},
			{stale, "POST", "/logout", "", "you are still signed in."},
			{s.browser(), "POST", "/login", "username=ana&password=x", "We cannot sign you in right now. Nothing was changed. Try again in a few seconds."},
			{s.browser(), "GET", "/setup?token=x", "", "Sorry, the service is unavailable"},
			{s.browser(), "GET", "/reset?token=x", "", "Sorry, the service is unavailable"},
		} {
			a := test.who.do(test.who.request(test.method, test.path, test.form)).status(503).says(test.says).hides("closed", "sql", "Your account is ready.")
			if len(a.cookies) > 0 {
				t.Errorf("%s: touches cookies: %v", a.asked, a.header.Values("Set-Cookie"))
			}
			if got := a.header.Get("Retry-After"); got != "5" {
				t.Errorf("%s: got Retry-After %q, want 5", a.asked, got)
			}
		}
		s.browser().get("/readyz").status(503)
		s.browser().get("/healthz").status(200)
		s.browser().get("/login").status(200)
	})
}

// TestErrorLeadsOn checks that error pages link back to a list of the admin area
// for an admin there, and to the account for everyone else.
func TestErrorLeadsOn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		member, _ := s.signedIn("ana", models.RoleUser)
		for _, test := range []struct {
			who    *browser
			path   string
			status int
			want   string
		}{
			{boss, "/admin/users?status=odd", 400, `href="/admin/users">Go to the users</a>`},
			{boss, "/admin/users?after=odd", 400, `href="/admin/users">Go to the users</a>`},
			{boss, "/admin/users/" + models.NewID(), 404, `href="/admin/users">Go to the users</a>`},
			{boss, "/admin/audit?action=odd", 400, `href="/admin/audit">Go to the audit log</a>`},
			{boss, "/no-such-page", 404, `href="/">Go to your account</a>`},
			{boss, "/administrator", 404, `href="/">Go to your account</a>`},
			{member, "/admin/no-such-page", 404, `href="/">Go to your account</a>`},
			{s.browser(), "/admin/no-such-page", 404, `href="/">Go to your account</a>`},
		} {
			test.who.get(test.path).status(test.status).has(test.want)
		}
	})
}
