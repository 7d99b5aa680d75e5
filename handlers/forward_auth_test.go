package handlers_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/forwardauth"
	"latchkey/internal/oauth"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
	"latchkey/static"
)

// behindForwardAuth configures a portal that protects an app on a sibling host.
func behindForwardAuth(s *portaltest.Options) {
	withHTTPS(s)
	s.CookieDomain = "example.org"
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s.ForwardAuth = forwardauth.New([]forwardauth.Origin{{URL: "https://app.example.org", Name: "Photos", Rules: []forwardauth.Rule{
		{Path: "/status", Allow: forwardauth.Allow{Public: true}},
		{Path: "/admin", Allow: forwardauth.Allow{Admins: true}},
		{Path: "/ana", Allow: forwardauth.Allow{Usernames: []string{"ana"}}},
		{Path: "/api", Allow: forwardauth.Allow{Users: true, Preflight: true}},
		{Path: "/feed", Methods: []string{"GET"}, Allow: forwardauth.Allow{Public: true}},
	}}})
}

// Kinds of requests, as the headers of a browser tell them apart.
var (
	navigation = []string{"Sec-Fetch-Mode", "navigate", "Accept", "text/html,*/*;q=0.8"}
	script     = []string{"Sec-Fetch-Mode", "cors", "Accept", "*/*"}
	oldBrowser = []string{"Accept", "text/html,*/*;q=0.8"}
	apiClient  = []string{"Accept", "application/json"}
	preflight  = []string{"Origin", "https://other.example.org", "Access-Control-Request-Method", "PUT", "Sec-Fetch-Mode", "cors"}
)

// asked returns the question of a proxy about a request for target of the app.
func (b *browser) asked(method, target string, headers ...string) *http.Request {
	r := b.request(http.MethodGet, "/forward-auth", "")
	r.RemoteAddr, r.Host = "10.0.0.1:1234", "app.example.org"
	r.Header.Del("Accept")
	for i, pairs := 0, append([]string{
		"X-Forwarded-Method", method, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "app.example.org", "X-Forwarded-Uri", target,
		"X-Forwarded-For", "203.0.113.7",
	}, headers...); i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	return r
}

// forward asks whether a request for target of the app may pass. It fails if the
// response sets a cookie.
func (b *browser) forward(method, target string, headers ...string) *answer {
	b.site.T.Helper()
	a := b.do(b.asked(method, target, headers...))
	if len(a.cookies) > 0 {
		b.site.T.Errorf("%s %s: sets cookies: %v", method, target, a.cookies)
	}
	return a
}

// remote returns the headers for the app.
func (a *answer) remote() [4]string {
	return [4]string{a.header.Get("Remote-User"), a.header.Get("Remote-Email"), a.header.Get("Remote-Name"), a.header.Get("Remote-Groups")}
}

func onward(target string) string {
	return "https://id.example.org/continue?rd=" + url.QueryEscape("https://app.example.org"+target)
}

func TestForwardAuth(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, _ := s.signedIn("ana", models.RoleUser)
		bo, _ := s.signedIn("bo", models.RoleUser)
		root, _ := s.signedIn("ruth", models.RoleAdmin)
		visitor := s.browser()
		for _, test := range []struct {
			name           string
			who            *browser
			method, target string
			headers        []string
			want           int
			location       string
		}{
			{"signed out, a page", visitor, "GET", "/x?y=1", navigation, 302, onward("/x?y=1")},
			{"signed out, a page in an old browser", visitor, "GET", "/", oldBrowser, 302, onward("/")},
			{"signed out, HEAD", visitor, "HEAD", "/", navigation, 302, onward("/")},
			{"signed out, a script", visitor, "GET", "/", script, 401, ""},
			{"signed out, a script that takes HTML", visitor, "GET", "/", []string{"Sec-Fetch-Mode", "cors", "Accept", "text/html"}, 401, ""},
			{"signed out, a client", visitor, "GET", "/", apiClient, 401, ""},
			{"signed out, a form", visitor, "POST", "/", navigation, 401, ""},
			{"signed out, a method of its own", visitor, "PURGE", "/", navigation, 401, ""},
			{"signed out, public", visitor, "GET", "/status", navigation, 200, ""},
			{"signed out, public, a form", visitor, "POST", "/status", script, 200, ""},
			{"signed out, in disguise", visitor, "GET", "/status/..%2fadmin", script, 401, ""},
			{"signed out, a query with a backslash", visitor, "GET", `/x?a=b\c`, navigation, 302, onward(`/x?a=b\c`)},
			{"signed out, a query with a bare percent sign", visitor, "GET", "/x?a=100%&b=%zz", navigation, 302, onward("/x?a=100%&b=%zz")},
			{"signed out, a preflight", visitor, "OPTIONS", "/api/x", preflight, 200, ""},
			{"signed out, a preflight where none passes", visitor, "OPTIONS", "/", preflight, 401, ""},
			{"signed out, a preflight in disguise", visitor, "OPTIONS", "/api/..%2fadmin", preflight, 401, ""},
			{"signed out, OPTIONS alone", visitor, "OPTIONS", "/api/x", script, 401, ""},
			{"signed out, OPTIONS of no other origin", visitor, "OPTIONS", "/api/x", preflight[2:], 401, ""},
			{"signed out, a request after its preflight", visitor, "PUT", "/api/x", preflight, 401, ""},
			{"signed out, a public method", visitor, "GET", "/feed", script, 200, ""},
			{"signed out, another method", visitor, "POST", "/feed", script, 401, ""},
			{"signed out, a method in lower case", visitor, "get", "/feed", script, 401, ""},
			{"signed out, a question mark in disguise", visitor, "GET", "/status%3F", script, 401, ""},
			{"signed out, a number sign in disguise", visitor, "GET", "/status%23", script, 401, ""},
			{"ana, for admins in other letters", ana, "GET", "/%EF%BD%81dmin", navigation, 403, ""},
			{"ana, anything", ana, "GET", "/", navigation, 200, ""},
			{"ana, a form", ana, "DELETE", "/", script, 200, ""},
			{"ana, public", ana, "GET", "/status", navigation, 200, ""},
			{"ana, hers", ana, "GET", "/ana/x", navigation, 200, ""},
			{"ana, for admins", ana, "GET", "/admin", navigation, 403, ""},
			{"ana, in disguise", ana, "GET", "/ana/../admin", navigation, 403, ""},
			{"bo, ana's", bo, "GET", "/ana", script, 403, ""},
			{"ruth, for admins", root, "GET", "/admin/x", navigation, 200, ""},
			{"ruth, ana's", root, "GET", "/ana", navigation, 403, ""},
		} {
			a := test.who.forward(test.method, test.target, test.headers...)
			a.t = t
			if got := a.header.Get("Location"); a.code != test.want || got != test.location {
				t.Errorf("%s: got %d, Location %q; want %d, %q", test.name, a.code, got, test.want, test.location)
			}
			challenge, remote := a.header.Get("WWW-Authenticate"), a.remote()
			if (challenge != "") != (test.want == 401) {
				t.Errorf("%s: got WWW-Authenticate %q", test.name, challenge)
			}
			if signedIn := test.want == 200 && test.who != visitor; signedIn != (remote[0] != "") || test.want == 200 && a.body != "" {
				t.Errorf("%s: got %q, body %q", test.name, remote, a.body)
			}
			if _, there := a.header["Remote-User"]; there != (test.want == 200) {
				t.Errorf("%s: Remote-User is there: %v", test.name, there)
			}
		}
		if got, want := ana.forward("GET", "/").remote(), [4]string{"ana", "ana@example.org", "ana", "users"}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := root.forward("GET", "/").remote(), [4]string{"ruth", "ruth@example.org", "ruth", "admins,users"}; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}, behindForwardAuth)
}

// TestForwardAuthID checks that the app gets the id, which stays the same after a
// rename, and empty headers on a public page for a signed-out visitor.
func TestForwardAuthID(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		for _, name := range []string{"ana", "ana.new"} {
			user.Username = name
			if err := s.Store.Users.SetNames(t.Context(), user, s.Clock.Now()); err != nil {
				t.Fatal(err)
			}
			a := b.forward("GET", "/").status(200)
			if got := [2]string{a.header.Get("Remote-User"), a.header.Get("Remote-Id")}; got != [2]string{name, user.ID} {
				t.Errorf("got %q, want %q", got, [2]string{name, user.ID})
			}
		}
		visitor := s.browser().forward("GET", "/status").status(200)
		if got, sent := visitor.header["Remote-Id"]; !sent || got[0] != "" {
			t.Errorf("a signed-out visitor has the id %q", got)
		}
	}, behindForwardAuth)
}

// TestForwardAuthCookies checks that a proxy gets the request's cookies without the
// portal's, if the request may pass.
func TestForwardAuthCookies(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	for sent, want := range map[string]string{"a=1; __Secure-access=x; b=2": "a=1; b=2", "__Secure-refresh=y": ""} {
		passed := s.browser().forward("GET", "/status", "Cookie", sent).status(200)
		if got, sent := passed.header["Cookie"]; !sent || got[0] != want {
			t.Errorf("got Cookie %q, want %q", got, want)
		}
		if got, sent := s.browser().forward("GET", "/", "Cookie", sent).status(401).header["Cookie"]; sent {
			t.Errorf("refused: got Cookie %q", got)
		}
	}
}

// TestForwardAuthName checks how names are written in a header.
func TestForwardAuthName(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	b, user := s.signedIn("ana", models.RoleUser)
	for _, test := range []struct{ name, want string }{
		{"Ána Šilva 安娜", "Ána Šilva 安娜"},
		{"Ana\r\nRemote-Groups: admins", "AnaRemote-Groups: admins"},
		{"A\x01n\u0085a\x7f", "Ana"},
	} {
		// An earlier release or an import may have stored any text, except a NUL.
		if err := s.rename(user, test.name); err != nil {
			t.Fatal(err)
		}
		if got := b.forward("GET", "/").status(200).remote()[2]; got != test.want {
			t.Errorf("%q: got %q", test.name, got)
		}
	}
}

// TestForwardAuthTrust checks which clients may describe a request.
func TestForwardAuthTrust(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	b, _ := s.signedIn("ana", models.RoleUser)
	change := func(change func(r *http.Request)) *answer {
		r := b.asked("GET", "/", navigation...)
		change(r)
		return b.do(r)
	}
	change(func(r *http.Request) {}).status(200)
	change(func(r *http.Request) { r.Host = "10.0.0.9:8080" }).status(200)
	stranger := change(func(r *http.Request) { r.RemoteAddr = "192.0.2.9:5" }).status(403).says("LATCHKEY_TRUSTED_PROXIES")
	if got := stranger.header.Get("Content-Type"); got != "application/problem+json" || stranger.header.Get("Remote-User") != "" {
		t.Errorf("a stranger: got Content-Type %q, Remote-User %q", got, stranger.header.Get("Remote-User"))
	}
	if s.Logs.Line("192.0.2.9:5", "LATCHKEY_TRUSTED_PROXIES does not list", `"WARN"`) == "" {
		t.Errorf("the log does not say which variable to set:\n%s", s.Logs)
	}
	for _, name := range []string{"X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"} {
		change(func(r *http.Request) { r.Header.Del(name) }).status(400).says(name)
		change(func(r *http.Request) { r.Header.Add(name, "/status") }).status(400).says(name)
	}
	for header, value := range map[string]string{
		"X-Forwarded-Host": "other.example.org", "X-Forwarded-Proto": "http",
	} {
		change(func(r *http.Request) { r.Header.Set(header, value) }).status(403).says("not one of the apps")
	}
	for _, own := range []string{"id.example.org", "ID.example.org"} {
		change(func(r *http.Request) { r.Header.Set("X-Forwarded-Host", own) }).status(403).says("the portal's own address")
	}
	if s.Logs.Line("LATCHKEY_FORWARD_AUTH_FILE", "https://other.example.org") == "" {
		t.Errorf("the log does not name the app:\n%s", s.Logs)
	}
	change(func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "wss") }).status(200)
	for _, method := range []string{http.MethodPost, http.MethodOptions} {
		change(func(r *http.Request) { r.Method = method }).status(405) // a proxy must not take it for permission
	}

	off := newSite(t, testdb.SQLite(t), behindProxy)
	off.browser().do(off.browser().asked("GET", "/")).status(403).says("LATCHKEY_FORWARD_AUTH_FILE")
}

// TestForwardAuthAnswers checks the headers and bodies of refusals, which browsers
// show at the app's address.
func TestForwardAuthAnswers(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	ana, _ := s.signedIn("ana", models.RoleUser)
	page := ana.forward("GET", "/admin", navigation...).status(403).
		says("You cannot open this page", "You are signed in as ana@example.org. This account has no access to this page of Photos.", "Use another account", "Reference:")
	page.has("<!doctype html>", `href="https://id.example.org/logout"`, `href="https://id.example.org"`, `href="https://id.example.org`+static.URL("css/app.css")+`"`).
		hides("<form", "<script", "style=", `href="/`, `src="/`)
	const policy = "default-src 'none'; style-src https://id.example.org; img-src https://id.example.org; " +
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	if got := page.header.Get("Content-Security-Policy"); got != policy {
		t.Errorf("got Content-Security-Policy %q, want %q", got, policy)
	}
	sheet := s.browser().get(static.URL("css/app.css")).status(200)
	if got := sheet.header.Get("Cross-Origin-Resource-Policy"); got != "cross-origin" {
		t.Errorf("got Cross-Origin-Resource-Policy %q: browsers do not load the style at the app's origin", got)
	}
	for _, a := range []*answer{ana.forward("GET", "/admin", script...).status(403), s.browser().forward("GET", "/", script...).status(401)} {
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%d: got Content-Type %q", a.code, got)
		}
	}
}

// TestForwardAuthExpired checks requests after the access token has expired: a page
// is redirected to the portal for new tokens, any other request passes.
func TestForwardAuthExpired(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.forward("GET", "/", navigation...).status(200)
		s.Clock.Advance(6 * time.Minute)
		for range 2 {
			b.forward("POST", "/save", script...).status(200)
			b.forward("GET", "/data", script...).status(200)
			b.forward("GET", "/status", navigation...).status(200)
			a := b.forward("GET", "/x", navigation...).status(302)
			if got := a.header.Get("Location"); got != onward("/x") {
				t.Errorf("got Location %q", got)
			}
		}
		if got := s.LiveSessions(user.ID)[0].Generation; got != 1 {
			t.Errorf("got generation %d, want 1", got)
		}
		// An address that is too long to be passed along is not lost.
		b.forward("GET", "/"+strings.Repeat("x", 2000), navigation...).status(200)

		old := b.clone()
		on := b.get("/continue?rd=" + url.QueryEscape("https://app.example.org/x")).status(302)
		if got := on.header.Get("Location"); got != "https://app.example.org/x" {
			t.Errorf("got Location %q", got)
		}
		for _, name := range []string{"__Secure-access", "__Secure-refresh"} {
			if c := on.setCookie(name); c == nil || c.Domain != "example.org" {
				t.Errorf("got cookie %s %v", name, c)
			}
		}
		s.Clock.Advance(2 * time.Minute)
		b.forward("GET", "/x", navigation...).status(200) // the new tokens are in use

		old.forward("POST", "/save", script...).status(401) // a copy of a used token
		b.forward("GET", "/x", script...).status(401)
		if got := s.LastEvent(audit.Replay); got.IP != "203.0.113.7" {
			t.Errorf("the audit log has the address %q", got.IP)
		}
	}, behindForwardAuth)
}

// TestForwardAuthEnds checks that signing out and disabling take effect at the next
// request, and that without a database every request that shows a token gets 503.
func TestForwardAuthEnds(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ruth", models.RoleAdmin)
		b, user := s.signedIn("ana", models.RoleUser)
		thief := b.clone()
		b.post("/logout").redirects("/login").takes("__Secure-access", "__Secure-refresh", "__Host-access", "__Host-refresh")
		thief.forward("POST", "/", script...).status(401)
		thief.forward("GET", "/", navigation...).status(302)

		b.signIn("ana")
		b.forward("GET", "/").status(200)
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, ""); err != nil {
			t.Fatal(err)
		}
		b.forward("GET", "/", script...).status(401)
		b.forget("__Secure-access")
		b.forward("POST", "/", script...).status(401)

		s.Person("bo", models.RoleUser)
		bo := s.browser()
		bo.signIn("bo")
		if err := s.Store.Close(); err != nil {
			t.Fatal(err)
		}
		for _, kind := range [][]string{navigation, script} {
			if a := bo.forward("GET", "/", kind...).status(503); a.header.Get("Retry-After") == "" || a.header.Get("Location") != "" {
				t.Errorf("the database gone: got %v", a.header)
			}
		}
		bo.forget("__Secure-access")
		bo.forward("GET", "/", script...).status(503)
		s.browser().forward("GET", "/status").status(200) // a request without tokens needs no database
	}, behindForwardAuth)
}

// takes checks that cookies are cleared.
func (a *answer) takes(names ...string) {
	a.t.Helper()
	for _, name := range names {
		if c := a.setCookie(name); c == nil || c.Value != "" || c.MaxAge >= 0 {
			a.t.Errorf("%s: got cookie %s %v, want it cleared", a.asked, name, c)
		}
	}
}

// TestForwardAuthBearer checks which Authorization headers are accepted.
func TestForwardAuthBearer(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindForwardAuth)
	ana, user := s.signedIn("ana", models.RoleUser)
	_, admin := s.signedIn("ada", models.RoleAdmin)
	visitor := s.browser()
	token := func(owner *models.User, scope string) string {
		secret := oauth.PersonalPrefix + models.NewID() + models.NewID()
		err := s.Store.PersonalTokens.Create(t.Context(), &models.PersonalToken{
			ID: models.NewID(), UserID: owner.ID, Name: scope, TokenHash: models.HashToken(secret), Scope: scope,
			CreatedAt: models.At(s.Clock.Now()), ExpiresAt: models.At(s.Clock.Now().Add(time.Hour)),
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	const plain, invalid = `Bearer realm="Latchkey"`, `Bearer realm="Latchkey", error="invalid_token"`
	const lacking = `Bearer realm="Latchkey", error="insufficient_scope", scope="apps"`
	mine := token(user, "apps")
	basic := func(name, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))
	}
	for _, test := range []struct {
		name          string
		who           *browser
		path          string
		authorization string
		want          int
		user          string
		challenge     string
	}{
		{"good", visitor, "/", "Bearer " + mine, 200, "ana", ""},
		{"in lower case", visitor, "/", "bearer " + mine, 200, "ana", ""},
		{"bad", visitor, "/", "Bearer bad", 401, "", invalid},
		{"empty", visitor, "/", "Bearer ", 401, "", plain},
		{"another scheme", visitor, "/", "Basic Z29vZA==", 401, "", plain},
		{"without the scope", visitor, "/", "Bearer " + token(user, "me me:write"), 403, "", lacking},
		{"without the scope, public", visitor, "/status", "Bearer " + token(user, "me me:write"), 200, "", ""},
		{"as a password", visitor, "/", basic("ana", mine), 200, "ana", ""},
		{"as a password, with the address", visitor, "/", basic("Ana@example.org", mine), 200, "ana", ""},
		{"as a password, with the name in other letters", visitor, "/", basic("ANA", mine), 200, "ana", ""},
		{"as a password, without a name", visitor, "/", basic("", mine), 200, "ana", ""},
		{"as a password, with another's name", visitor, "/", basic("ada", mine), 401, "", invalid},
		{"as a password, without the scope", visitor, "/", basic("ana", token(user, "me")), 403, "", lacking},
		{"as a password, unknown", visitor, "/", basic("ana", "lk_"+strings.Repeat("x", len(mine)-len("lk_"))), 401, "", invalid},
		{"as a name", visitor, "/", basic(mine, ""), 401, "", plain},
		{"the account's password", visitor, "/", basic("ana", secretWord), 401, "", plain},
		{"an app's own password, public", visitor, "/status", basic("ana", "hers"), 200, "", ""},
		{"an admin's as a password", visitor, "/admin", basic("ada", token(admin, "apps users")), 200, "ada", ""},
		{"bad, public", visitor, "/status", "Bearer bad", 200, "", ""},
		{"good, public", visitor, "/status", "Bearer " + mine, 200, "ana", ""},
		{"an app's own beside our cookies", ana, "/", "Bearer bad", 200, "ana", ""},
		{"not an admin's", visitor, "/admin", "Bearer " + mine, 403, "", ""},
		{"an admin's for oneself alone", visitor, "/admin", "Bearer " + token(admin, "apps"), 403, "", ""},
		{"an admin's", visitor, "/admin", "Bearer " + token(admin, "me apps users"), 200, "ada", ""},
	} {
		a := test.who.forward("GET", test.path, append([]string{"Authorization", test.authorization}, script...)...).status(test.want)
		if got := a.header.Get("WWW-Authenticate"); got != test.challenge || a.remote()[0] != test.user {
			t.Errorf("%s: got user %q, challenge %q; want %q, %q", test.name, a.remote()[0], got, test.user, test.challenge)
		}
	}
	// A program that supports only Basic is asked for it. A browser would show a
	// dialog.
	for _, client := range []struct {
		headers []string
		want    []string
	}{
		{[]string{"User-Agent", "DAVx5/4.4"}, []string{plain, `Basic realm="Latchkey", charset="UTF-8"`}},
		{script, []string{plain}},
		{[]string{"User-Agent", "Mozilla/5.0 (an old browser)"}, []string{plain}},
	} {
		a := visitor.forward("PROPFIND", "/", client.headers...).status(401)
		if diff := cmp.Diff(client.want, a.header.Values("WWW-Authenticate")); diff != "" {
			t.Errorf("%q is asked for (-want +got):\n%s", client.headers, diff)
		}
	}
	r := visitor.asked("GET", "/", script...)
	r.Header["Authorization"] = []string{"Bearer " + mine, "Bearer " + mine}
	visitor.do(r).status(401)
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	visitor.forward("GET", "/", append([]string{"Authorization", "Bearer " + mine}, script...)...).status(503)
}
