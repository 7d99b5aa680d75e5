package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/auth"
	"latchkey/internal/forwardauth"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func continueTo(target string) string { return "/continue?rd=" + url.QueryEscape(target) }

// TestContinueTargets checks that the page redirects only to apps in the file, and
// that any other target gets an error.
func TestContinueTargets(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	member, _ := s.signedIn("ana", models.RoleUser)
	visitor := s.browser()
	const app = "https://app.example.org/a/b?x=%2F&y#z"
	if got := member.get(continueTo(app)).status(302).header.Get("Location"); got != app {
		t.Errorf("got Location %q, want %q", got, app)
	}
	for _, target := range []string{
		"", "/profile", "//app.example.org/", "http://app.example.org/", "https://app.example.org:8443/", "https://evil.example/",
		"https://app.example.org.evil.example/", "https://app.example.org@evil.example/", `https://app.example.org\@evil.example/`,
		"javascript:alert(1)", "https://id.example.org/",
	} {
		for _, b := range []*browser{member, visitor} {
			b.get(continueTo(target)).status(400).says("This link does not lead to an app of this portal.", "Go to your account")
		}
	}
	member.get("/continue?rd=https://app.example.org/&rd=https://evil.example/").status(400)
	newSite(t, testdb.SQLite(t)).browser().get(continueTo(app)).status(400)
}

// TestContinueSignIn follows a visitor who signs in, or up, on the way to an app.
func TestContinueSignIn(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	s.Person("ana", models.RoleUser)
	for _, test := range []struct {
		name, target, end string
		cut               bool
	}{
		{"a page", "https://app.example.org/a%20b?x=1&y=%26", "https://app.example.org/a%20b?x=1&y=%26", false},
		{"a long one", "https://app.example.org/?q=" + strings.Repeat("x", 700), "https://app.example.org/?q=" + strings.Repeat("x", 700), false},
		{"too long a one", "https://app.example.org/?q=" + strings.Repeat("x", 1200), "https://app.example.org/", true},
	} {
		for _, way := range []string{"/login", "/signup"} {
			b := s.browser()
			login := b.follow(b.get(continueTo(test.target)))
			next, _ := login.status(200).value("next")
			if next == "" {
				t.Fatalf("%s: the sign-in page has no next", test.name)
			}
			var in *answer
			if way == "/login" {
				in = b.post(way, "username", "ana", "password", secretWord, "next", next)
			} else {
				name := strings.ReplaceAll("new-"+test.name, " ", "-")
				in = b.post(way, "username", name, "email", name+"@example.org", "password", secretWord, "next", next)
			}
			page := b.follow(in).status(200)
			if got := page.header.Get("Location"); got != "" {
				t.Errorf("%s, %s: a form leads to %q, to which no form may lead", test.name, way, got)
			}
			page.has(`href="` + test.end + `"`).says("Continue to app.example.org")
			refresh := `<meta http-equiv="refresh" content="0; url=` + test.end + `">`
			if test.cut {
				page.hides("http-equiv").says("too long to remember")
			} else {
				page.has(refresh)
			}
			// A person who is already signed in is redirected without a page in between.
			if !test.cut {
				if got := b.get(continueTo(test.target)).status(302).header.Get("Location"); got != test.end {
					t.Errorf("%s: got Location %q", test.name, got)
				}
			}
		}
	}
}

// TestContinueHeading checks that the sign-in page names the app that it leads to,
// and no other target.
func TestContinueHeading(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	const named = `<h1><span class="lead">Sign in to continue to </span><bdi>app<wbr>.example<wbr>.org</bdi></h1>`
	b := s.browser()
	login := b.follow(b.get(continueTo("https://app.example.org/a?x=1"))).status(200).has(named, "<title>Sign in – ")
	next, _ := login.value("next")
	b.post("/login", "username", "ana", "password", "", "next", next).status(422).has(named)
	b.post("/login", "username", "ana", "password", "wrong", "next", next).status(422).has(named)
	b.follow(b.get("/continue?cut=1&rd=" + url.QueryEscape("https://app.example.org/"))).has(named)
	for _, next := range []string{
		"", "/profile", "/profile?rd=https://app.example.org/", "/continue", "/continue?rd=", "/continue?rd=https://evil.example/",
		"/continue?rd=https://app.example.org/&rd=https://evil.example/", "/continue?rd=https://evil.example/&rd=https://app.example.org/",
		"/continue?rd=https://app.example.org@evil.example/", "/continue?rd=%zz", "/continue/x?rd=https://app.example.org/",
		"https://id.example.org/continue?rd=https://app.example.org/",
	} {
		s.browser().get("/login?next=" + url.QueryEscape(next)).status(200).has(`<span class="lead">Sign in to </span> <bdi>Latchkey</bdi></h1>`)
	}
	off := newSite(t, testdb.SQLite(t))
	off.browser().get("/login?next=" + url.QueryEscape(next)).status(200).has(`<span class="lead">Sign in to </span> <bdi>Latchkey</bdi></h1>`)
}

// TestContinueStale checks that the sign-in page says why a session has ended.
func TestContinueStale(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	b, user := s.signedIn("ana", models.RoleUser)
	if _, _, err := s.Accounts.SignOutUser(t.Context(), auth.Shell(), user.ID); err != nil {
		t.Fatal(err)
	}
	b.follow(b.get(continueTo("https://app.example.org/"))).says("An admin signed you out.")
}

// TestContinueLoop checks that a browser whose cookies do not reach the app is not
// redirected in a loop, and that the page says which variable to set.
func TestContinueLoop(t *testing.T) {
	noDomain := func(s *portaltest.Options) { behindForwardAuth(s); s.CookieDomain = "" }
	s := newSite(t, testdb.SQLite(t), noDomain)
	b, _ := s.signedIn("ana", models.RoleUser)
	var a *answer
	rounds := 0
	for ; rounds < 10; rounds++ {
		r := s.browser().asked("GET", "/x", navigation...) // without cookies, because they do not reach the app
		location, _ := url.Parse(s.browser().do(r).status(302).header.Get("Location"))
		if a = b.get(location.RequestURI()); a.code != 302 {
			break
		}
	}
	a.status(http.StatusLoopDetected).says("Your sign-in does not reach this app", "set LATCHKEY_COOKIE_DOMAIN to example.org", "Try again")
	if rounds > 5 {
		t.Errorf("got the page after %d rounds", rounds)
	}
	if s.Logs.Line("set LATCHKEY_COOKIE_DOMAIN to example.org", `"ERROR"`) == "" {
		t.Error("the log does not say which variable to set")
	}
	s.Clock.Advance(11e9)
	b.get(continueTo("https://app.example.org/x")).status(302)
	// Many tabs that open different pages are no loop.
	for _, path := range strings.Split("abcdefghijklmnopqrst", "") {
		b.get(continueTo("https://app.example.org/" + path)).status(302)
	}
}

func TestContinueRemedy(t *testing.T) {
	for _, test := range []struct{ public, app, want string }{
		{"https://id.example.org", "https://app.example.org", "set LATCHKEY_COOKIE_DOMAIN to example.org"},
		{"https://id.example.org", "https://example.org", "set LATCHKEY_COOKIE_DOMAIN to example.org"},
		{"https://id.a.example.org", "https://app.a.example.org", "set LATCHKEY_COOKIE_DOMAIN to a.example.org"},
		{"https://id.example.org", "http://app.example.org", "over https only"},
		{"https://id.example.org", "https://app.example.com", "share no cookies"},
		{"https://id.example.co.uk", "https://app.other.co.uk", "share no cookies"},
		{"https://id.example.org", "https://192.0.2.1", "share no cookies"},
		{"http://localhost:8080", "http://app.example.org", "share no cookies"},
	} {
		s := newSite(t, testdb.SQLite(t), func(s *portaltest.Options) {
			s.PublicURL = test.public
			s.ForwardAuth = forwardauth.New([]forwardauth.Origin{{URL: test.app}})
		})
		b, _ := s.signedIn("ana", models.RoleUser)
		for range 4 {
			b.get(continueTo(test.app + "/")).status(302)
		}
		b.get(continueTo(test.app + "/")).status(http.StatusLoopDetected).says(test.want)
	}
}

// TestCookieDomainSwitchedOn checks that people stay signed in and get the cookies
// that the apps need.
func TestCookieDomainSwitchedOn(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), withHTTPS)
	b, user := s.signedIn("ana", models.RoleUser)
	on := newSite(t, s.Store, behindForwardAuth)
	b.site = on
	a := b.get(continueTo("https://app.example.org/")).status(302)
	a.takes("__Host-access", "__Host-refresh")
	if b.cookie("__Secure-access") == "" || b.cookie("__Secure-refresh") == "" || b.cookie("__Host-refresh") != "" {
		t.Errorf("got cookies %v", b.cookies)
	}
	b.forward("GET", "/", navigation...).status(200)
	if got := len(on.LiveSessions(user.ID)); got != 1 {
		t.Errorf("got %d sessions", got)
	}
}
