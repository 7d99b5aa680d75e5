package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestForwardAuthRefused checks that a proxy that asks for the response to a
// refused request never gets 200, and otherwise gets the same response again.
func TestForwardAuthRefused(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	ana, _ := s.signedIn("ana", models.RoleUser)
	for _, test := range []struct {
		name   string
		who    *browser
		target string
		kind   []string
		want   int
	}{
		{"signed in by now, a page", ana, "/", navigation, 503},
		{"signed in by now, a script", ana, "/", script, 503},
		{"signed out, public by now", s.browser(), "/status", navigation, 503},
		{"signed out, a page", s.browser(), "/", navigation, 302},
		{"signed out, a script", s.browser(), "/", script, 401},
		{"not for her", ana, "/admin", navigation, 403},
	} {
		r := test.who.asked("GET", test.target, test.kind...)
		r.URL.RawQuery = "refused"
		a := test.who.do(r)
		if retry := a.header.Get("Retry-After"); a.code != test.want || (retry == "1") != (test.want == 503) || a.header.Get("Remote-User") != "" {
			t.Errorf("%s: got %d, Retry-After %q, Remote-User %q; want %d", test.name, a.code, retry, a.header.Get("Remote-User"), test.want)
		}
	}
}

// TestForwardAuthForm checks that a signed-out person who sends a form of an app
// gets a page that leads back to the page of the form.
func TestForwardAuthForm(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	visitor := s.browser()
	form := []string{"Sec-Fetch-Mode", "navigate", "Accept", "text/html"}
	for _, test := range []struct {
		name    string
		referer string
		headers []string
		back    string
	}{
		{"from a page of the app", "https://app.example.org/edit?id=1", form, "https://app.example.org/edit?id=1"},
		{"from a page of another site", "https://evil.example.net/edit", form, "https://app.example.org/"},
		{"from a page of another app", "https://wiki.example.org/", form, "https://app.example.org/"},
		{"without its page", "", form, "https://app.example.org/"},
		{"from a page with a long address", "https://app.example.org/" + strings.Repeat("x", 2000), form, "https://app.example.org/"},
		{"in an old browser", "", []string{"Accept", "text/html"}, "https://app.example.org/"},
	} {
		a := visitor.forward(http.MethodPost, "/save", append([]string{"Referer", test.referer}, test.headers...)...).status(401)
		a.t = t
		if got := a.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: got Content-Type %q", test.name, got)
		}
		a.says("Please sign in", "nothing was sent to the app", "send the form again").
			has(`href="https://id.example.org/continue?rd=`+url.QueryEscape(test.back)+`"`).hides("<form", "<script")
	}
	ana, _ := s.signedIn("ana", models.RoleUser)
	ana.forward(http.MethodPost, "/admin/x", form...).status(403).says("This account has no access to this page of Photos.")
	if got := visitor.forward(http.MethodPost, "/save", script...).status(401).header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("a script: got Content-Type %q", got)
	}
}

// TestForwardAuthTransport checks that no response to a proxy says how browsers
// must connect to the app's host: clients receive it at the app's address.
func TestForwardAuthTransport(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	ana, _ := s.signedIn("ana", models.RoleUser)
	if ana.get("/profile").header.Get("Strict-Transport-Security") == "" {
		t.Fatal("the portal's own pages do not have the header, so the test proves nothing")
	}
	for _, a := range []*answer{
		ana.forward("GET", "/", navigation...).status(200),
		ana.forward("GET", "/admin", navigation...).status(403),
		s.browser().forward("GET", "/", navigation...).status(302),
		s.browser().forward("GET", "/", script...).status(401),
		s.browser().do(s.browser().request("GET", "/forward-auth", "")).status(403),
	} {
		if got := a.header.Get("Strict-Transport-Security"); got != "" {
			t.Errorf("%d: got Strict-Transport-Security %q", a.code, got)
		}
	}
}
