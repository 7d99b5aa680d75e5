package forwardauth_test

import (
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/forwardauth"
)

// site has one app with rules of every kind, and one without.
func site() *forwardauth.Rules {
	return forwardauth.New([]forwardauth.Origin{
		{URL: "https://app.example.org", Rules: []forwardauth.Rule{
			{Path: "/status", Allow: forwardauth.Allow{Public: true}},
			{Path: "/admin/help", Allow: forwardauth.Allow{Users: true}},
			{Path: "/admin", Allow: forwardauth.Allow{Admins: true}},
			{Path: "/reports", Allow: forwardauth.Allow{Admins: true, Usernames: []string{"ana"}}},
			{Path: "/caffè", Allow: forwardauth.Allow{Usernames: []string{"ana"}}},
		}},
		{URL: "https://wiki.example.org:8443"},
		{URL: "http://localhost:9000", Rules: []forwardauth.Rule{{Path: "/", Allow: forwardauth.Allow{Public: true}}}},
	})
}

// find returns the decision about a GET of a page.
func find(scheme, host, uri string) (forwardauth.Access, bool) {
	a, _, known := site().Find(forwardauth.Request{Method: "GET", Scheme: scheme, Host: host, URI: uri})
	return a, known
}

// who says in one word who may pass: everyone, users, admins, ana (she alone),
// both (ana and admins), none.
func who(a forwardauth.Access) string {
	ana := a.Allows(forwardauth.Person{Username: "ana"})
	bo := a.Allows(forwardauth.Person{Username: "bo"})
	root := a.Allows(forwardauth.Person{Username: "root", Admin: true})
	switch {
	case a.Public() && ana && bo && root:
		return "everyone"
	case a.Public():
		return "contradiction"
	case ana && bo && root:
		return "users"
	case root && !ana && !bo:
		return "admins"
	case ana && root && !bo:
		return "both"
	case ana && !root && !bo:
		return "ana"
	case !ana && !bo && !root:
		return "none"
	}
	return "something else"
}

func TestFind(t *testing.T) {
	for _, test := range []struct{ uri, want string }{
		{"/", "users"},
		{"/?x=/status", "users"},
		{"/status", "everyone"},
		{"/status/", "everyone"},
		{"/status/deep/er?x=1", "everyone"},
		{"/status?/../admin;//%2f", "everyone"}, // the query is not the path
		{"/statuses", "users"},
		{"/status.json", "users"},
		{"/%73tatus", "everyone"},
		{"/admin", "admins"},
		{"/admin/", "admins"},
		{"/admin/help", "users"},
		{"/admin/help/x", "users"},
		{"/admin/helper", "admins"},
		{"/%61dmin", "admins"},
		{"/reports/2026", "both"},
		{"/caff%C3%A8", "ana"},
		{"/caff\xc3\xa8/x", "ana"},
		{"/caff%C3%A8s", "users"},
		{"/%E6%97%A5%E6%9C%AC/Stra%C3%9Fe", "users"},
		{"/\uff21nother", "users"}, // no rule for it, however it is written
		{"/100%25", "users"},
		{"/a+b/c,d/e:f@g/~h", "users"},
		{"/.well-known/x", "users"},
		{"/...x", "users"},
	} {
		a, known := find("https", "app.example.org", test.uri)
		if got := who(a); !known || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.uri, got, known, test.want)
		}
	}
}

// TestDoubt checks that a target that can be read in two ways must be allowed by
// every rule. No one passes all rules of this app, because ana is not an admin.
func TestDoubt(t *testing.T) {
	for _, uri := range []string{
		"", "*", "status", "https://app.example.org/status", "?x",
		"/status/../admin", "/status/./x", "/status/..", "/status/.", "/..", "/.",
		"/status/%2e%2e/admin", "/status/%2E./admin", "/status/.%2e/admin",
		"/status%2fx", "/status%2F..%2Fadmin", "/status/..%2fadmin", "/status/x%2fy",
		`/status\..\admin`, "/status/..%5cadmin", "/status%5Cx",
		"//status", "/status//x", "//", "/status/x//",
		"/status;/../admin", "/status/x;y=1", "/status/..;/admin", "/status/%3b/x", "/status%3Bx",
		"/status/%252e%252e/admin", "/status/%252fx", "/status/%25%32%66",
		"/status/%", "/status/%2", "/status/%zz", "/status/%c0%ae%c0%ae/admin", "/status/\xff", "/status/%ff",
		"/status/%00", "/status/%0d%0a", "/status/\x7f", "/status/%c2%85", "/status#/x",
		"/status/x.", "/status/x./y", "/status/x%20", "/status./x", "/status%20/x",
		"/Status", "/STATUS/x", "/Admin", "/aDmin/help", "/status/x\\",
		"/status%3f", "/status%3Fx", "/status/%3f/../admin", "/status%23", "/status/%23x", "/admin%3fx", "/admin%23x",
		"/CAFF%C3%88", "/caffe%CC%80", "/%EF%BD%81dmin", "/\uff41dmin", "/admi\uff4e/x", "/\u017ftatus", "/\u24d0dmin", "/adm\u0131n", "/adm\u0130n",
		"/status\uff0fx", "/status/\uff0e\uff0e/admin", "/status/\u2025/admin", "/status\uff1b/x", "/status\uff1fx", "/status\uff03x",
		"/status/\uff05\uff12f", "/status/\u2100", "/adm\u00adin", "/adm\u200bin", "/admin\ufeff", "/admin\ufe0f", "/adm\u034fin", "/status/x\u3000",
	} {
		a, known := find("https", "app.example.org", uri)
		if got := who(a); !known || got != "none" {
			t.Errorf("%q: got %q, want none", uri, got)
		}
	}
	// An app with a single rule has no rule that a disguised path could avoid.
	for _, uri := range []string{"/a%2fb", "//x", "/a;b", "/Admin"} {
		if a, _ := find("https", "wiki.example.org:8443", uri); who(a) != "users" {
			t.Errorf("%q without rules: got %q, want users", uri, who(a))
		}
		if a, _ := find("http", "localhost:9000", uri); who(a) != "everyone" {
			t.Errorf("%q where all is public: got %q, want everyone", uri, who(a))
		}
	}
}

// TestMethods checks that the first rule that matches path and method decides.
func TestMethods(t *testing.T) {
	rules := forwardauth.New([]forwardauth.Origin{{URL: "https://app.example.org", Rules: []forwardauth.Rule{
		{Path: "/dav", Methods: []string{"PROPFIND", "REPORT"}, Allow: forwardauth.Allow{Users: true}},
		{Path: "/dav", Methods: []string{"GET"}, Allow: forwardauth.Allow{Public: true}},
		{Path: "/dav", Allow: forwardauth.Allow{Admins: true}},
		{Path: "/", Methods: []string{"DELETE"}, Allow: forwardauth.Allow{Usernames: []string{"ana"}}},
	}}})
	for _, test := range []struct{ method, uri, want string }{
		{"PROPFIND", "/dav", "users"},
		{"GET", "/dav/x", "everyone"},
		{"HEAD", "/dav", "everyone"}, // as GET
		{"PUT", "/dav", "admins"},
		{"DELETE", "/dav", "admins"},
		{"OPTIONS", "/dav", "admins"},
		{"PROPFINDX", "/dav", "admins"},
		{"DELETE", "/", "ana"},
		{"GET", "/", "users"},
		{"PUT", "/", "users"},
		// Some programs ignore the case of methods, so every rule applies.
		{"delete", "/", "none"},
		{"Delete", "/x", "none"},
		{"delete", "/dav", "admins"}, // decided before the method is in doubt
		{"get", "/dav", "admins"},
		{"head", "/dav", "admins"},
		// An ambiguous path is checked only against the rules for its method.
		{"GET", "/dav%2fx", "admins"},
		{"DELETE", "/DAV", "none"},
		{"GET", "/DAV", "admins"},
	} {
		a, _, known := rules.Find(forwardauth.Request{Method: test.method, Scheme: "https", Host: "app.example.org", URI: test.uri})
		if got := who(a); !known || got != test.want {
			t.Errorf("%s %s: got %q, want %q", test.method, test.uri, got, test.want)
		}
	}
}

// TestPreflight checks that a rule can let preflights through, and only these.
func TestPreflight(t *testing.T) {
	rules := forwardauth.New([]forwardauth.Origin{{URL: "https://app.example.org", Name: "Wiki", Rules: []forwardauth.Rule{
		{Path: "/private", Allow: forwardauth.Allow{Admins: true}},
		{Path: "/", Allow: forwardauth.Allow{Users: true, Preflight: true}},
	}}})
	for _, test := range []struct {
		method    string
		preflight bool
		uri, want string
	}{
		{"OPTIONS", true, "/", "everyone"},
		{"OPTIONS", true, "/api?x", "everyone"},
		{"OPTIONS", false, "/", "users"},
		{"GET", false, "/", "users"},
		{"OPTIONS", true, "/private", "admins"},
		{"OPTIONS", true, "/PRIVATE", "admins"},
		{"OPTIONS", true, "/x/..%2fprivate", "admins"},
	} {
		a, app, known := rules.Find(forwardauth.Request{
			Method: test.method, Scheme: "https", Host: "app.example.org", URI: test.uri, Preflight: test.preflight,
		})
		if got := who(a); !known || app.Name != "Wiki" || got != test.want {
			t.Errorf("%s %s, preflight %v: got %q, want %q", test.method, test.uri, test.preflight, got, test.want)
		}
	}
}

func TestCovers(t *testing.T) {
	rule := func(path string, methods ...string) forwardauth.Rule {
		return forwardauth.Rule{Path: path, Methods: methods}
	}
	for _, test := range []struct {
		earlier, later forwardauth.Rule
		want           bool
	}{
		{rule("/"), rule("/x"), true},
		{rule("/x"), rule("/"), false},
		{rule("/x"), rule("/x/y"), true},
		{rule("/x"), rule("/xy"), false},
		{rule("/x"), rule("/X"), false},
		{rule("/x"), rule("/x", "GET"), true},
		{rule("/x", "GET"), rule("/x"), false},
		{rule("/x", "GET", "POST"), rule("/x", "POST"), true},
		{rule("/x", "GET"), rule("/x", "HEAD"), true},
		{rule("/x", "HEAD"), rule("/x", "GET"), false},
		{rule("/x", "GET"), rule("/x", "GET", "POST"), false},
	} {
		if got := test.earlier.Covers(test.later); got != test.want {
			t.Errorf("%v over %v: got %v", test.earlier, test.later, got)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		scheme, host string
		want         bool
	}{
		{"https", "app.example.org", true},
		{"https", "APP.Example.org", true},
		{"https", "app.example.org:443", true},
		{"https", "wiki.example.org:8443", true},
		{"http", "localhost:9000", true},
		{"http", "app.example.org", false},
		{"http", "app.example.org:443", false},
		{"https", "app.example.org:80", false},
		{"https", "app.example.org:8443", false},
		{"https", "app.example.org.", false},
		{"https", "wiki.example.org", false},
		{"https", "evil.example", false},
		{"https", "app.example.org.evil.example", false},
		{"https", "x@app.example.org", false},
		{"https", "", false},
		{"", "app.example.org", false},
		{"HTTPS", "app.example.org", false},
		{"https", "app.example.org/", false},
	} {
		if _, got := find(test.scheme, test.host, "/"); got != test.want {
			t.Errorf("%s, %s: got %v", test.scheme, test.host, got)
		}
	}
	a, _, known := forwardauth.New(nil).Find(forwardauth.Request{Method: "GET", Scheme: "https", Host: "app.example.org", URI: "/"})
	if known || a.Public() || a.Allows(forwardauth.Person{Admin: true}) {
		t.Error("a visitor may pass without any rules")
	}
	var none forwardauth.Access
	if none.Public() || none.Allows(forwardauth.Person{Admin: true}) {
		t.Error("the zero Access lets a visitor pass")
	}
}

func TestReturn(t *testing.T) {
	for _, test := range []struct{ target, want string }{
		{"https://app.example.org", "https://app.example.org/"},
		{"https://app.example.org/", "https://app.example.org/"},
		{"https://app.example.org/a%20b/%2Fc?x=1&y=%26#z", "https://app.example.org/a%20b/%2Fc?x=1&y=%26#z"},
		{`https://app.example.org/a?b=c\d&e=100%&f=%zz`, `https://app.example.org/a?b=c\d&e=100%&f=%zz`},
		{`https://app.example.org?\\evil.example`, `https://app.example.org/?\\evil.example`},
		{`https://app.example.org/#\x?y`, ""},
		{"https://app.example.org//evil.example", "https://app.example.org//evil.example"},
		{"https://app.example.org/https://evil.example", "https://app.example.org/https://evil.example"},
		{"https://wiki.example.org:8443/x", "https://wiki.example.org:8443/x"},
		{"http://localhost:9000/", "http://localhost:9000/"},
		{"", ""},
		{"/profile", ""},
		{"//app.example.org/", ""},
		{"app.example.org/", ""},
		{"https:app.example.org/", ""},
		{"https:/app.example.org/", ""},
		{"https:///app.example.org/", ""},
		{"http://app.example.org/", ""},
		{"https://app.example.org:8443/", ""},
		{"https://app.example.org:443/", ""},
		{"https://APP.example.org/", ""},
		{"https://app.example.org./", ""},
		{"https://wiki.example.org/", ""},
		{"https://evil.example/", ""},
		{"https://evil.example/https://app.example.org/", ""},
		{"https://evil.example#https://app.example.org/", ""},
		{"https://evil.example?https://app.example.org/", ""},
		{"https://app.example.org.evil.example/", ""},
		{"https://app.example.org@evil.example/", ""},
		{"https://evil.example@app.example.org/", ""},
		{"https://app.example.org%2eevil.example/", ""},
		{"https://app.example.org%00.evil.example/", ""},
		{`https://app.example.org\@evil.example/`, ""},
		{`https://app.example.org\.evil.example/`, ""},
		{`https:\\app.example.org/`, ""},
		{"https://app.example.org/\r\nSet-Cookie: a=b", ""},
		{"https://app.example.org/\t", ""},
		{" https://app.example.org/", ""},
		{"https://app.example.org/ x", ""},
		{"https://app.example.org/%zz", ""},
		{"javascript://app.example.org/%0aalert(1)", ""},
		{"data:text/html,x", ""},
		{"HTTPS://app.example.org/", "https://app.example.org/"},
		{"https://app.example.org/" + strings.Repeat("a", 9000), ""},
	} {
		got := ""
		if u, ok := site().Return(test.target); ok {
			got = u.String()
		}
		if got != test.want {
			t.Errorf("%.80q: got %q, want %q", test.target, got, test.want)
		}
	}
}

func TestURL(t *testing.T) {
	for _, test := range []struct{ scheme, host, uri, want string }{
		{"https", "app.example.org", "/x?y=1", "https://app.example.org/x?y=1"},
		{"https", "App.example.org:443", "/", "https://app.example.org/"},
		{"https", "app.example.org", "//evil.example/", "https://app.example.org//evil.example/"},
		{"https", "app.example.org", "@evil.example/", ""},
		{"https", "app.example.org", ".evil.example/", ""},
		{"https", "app.example.org", ":8443/", ""},
		{"https", "app.example.org", "?x", ""},
		{"https", "app.example.org", "", ""},
		{"https", "app.example.org", "*", ""},
		{"https", "app.example.org", `/x?y=a\b%`, `https://app.example.org/x?y=a\b%`},
		{"https", "app.example.org", "/%zz", ""},
		{"https", "app.example.org", `/\x`, ""},
		{"https", "evil.example", "/", ""},
	} {
		if got := site().URL(test.scheme, test.host, test.uri); got != test.want {
			t.Errorf("%s %s %s: got %q, want %q", test.scheme, test.host, test.uri, got, test.want)
		}
	}
}

// FuzzReturn looks for a URL that leads to another origin. Every accepted URL must
// stay on a protected origin when a browser reads it as a Location.
func FuzzReturn(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.org/", "https://app.example.org//evil", `https://app.example.org\@evil`, "https://app.example.org@evil",
		"https://wiki.example.org:8443/?a#b", `https://app.example.org?\@evil`, "https://app.example.org%2f@evil/", "https://[::1]/", "https://app.example.org:/",
	} {
		f.Add(seed)
	}
	rules := site()
	f.Fuzz(func(t *testing.T, target string) {
		u, ok := rules.Return(target)
		if !ok {
			return
		}
		text := u.String()
		again, err := url.Parse(text)
		beforeQuery, _, _ := strings.Cut(text, "?")
		if err != nil || again.User != nil || strings.ContainsAny(text, "\r\n\t \x00") || strings.Contains(beforeQuery, `\`) {
			t.Fatalf("Return(%q) is %q (%v)", target, text, err)
		}
		if origin := again.Scheme + "://" + again.Host; !strings.HasPrefix(text, origin+"/") ||
			origin != "https://app.example.org" && origin != "https://wiki.example.org:8443" && origin != "http://localhost:9000" {
			t.Fatalf("Return(%q) is %q, which leads to %s", target, text, origin)
		}
		if twice, ok := rules.Return(text); len(text) < 8000 && (!ok || twice.String() != text) {
			t.Fatalf("Return(%q) is %q, and of that it is another", target, text)
		}
	})
}

func TestValidPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/admin": true, "/a/b.c/d-e_f~g": true, "/caffè": true, "/a b": true,
		"": false, "admin": false, "/admin/": false, "/a//b": false, "/a/../b": false, "/a/*": false, "/a?b": false, "/a%20b": false,
		"/a;b": false, "/\uff41": true, "/a\u200b": false, "/a\uff0fb": false, `/a\b`: false, "/a#b": false, "/a.": false, "/a\nb": false,
	} {
		if got := forwardauth.ValidPath(path); got != want {
			t.Errorf("%q: got %v", path, got)
		}
	}
}

// TestUserByID checks that a rule can name an account by its id, whatever its
// username.
func TestUserByID(t *testing.T) {
	const id = "abcdefghijklmnopqrstuvwx23"
	origins := []forwardauth.Origin{{URL: "https://app.example.org", Rules: []forwardauth.Rule{
		{Path: "/", Allow: forwardauth.Allow{UserIDs: []string{id}, Usernames: []string{"ana", "bo"}}},
	}}}
	access, _, _ := forwardauth.New(origins).Find(forwardauth.Request{Method: "GET", Scheme: "https", Host: "app.example.org", URI: "/"})
	for _, test := range []struct {
		who  forwardauth.Person
		want bool
	}{
		{forwardauth.Person{ID: id, Username: "renamed"}, true},
		{forwardauth.Person{ID: "other", Username: "ana"}, true},
		{forwardauth.Person{ID: "other", Username: id}, false},
		{forwardauth.Person{}, false},
	} {
		if got := access.Allows(test.who); got != test.want {
			t.Errorf("%+v: got %t, want %t", test.who, got, test.want)
		}
	}
	if got := strings.Join(forwardauth.Usernames(origins), " "); got != "ana bo" {
		t.Errorf("names %q, want ana bo", got)
	}
}
