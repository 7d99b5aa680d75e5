package proxytest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestForwardAuth runs every scenario behind every proxy, on both databases.
func TestForwardAuth(t *testing.T) {
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			program := findProgram(t, p.name)
			checkDocumented(t, p, program)
			testdb.Each(t, func(t *testing.T, store *models.Store) {
				w := newWorld(t, p, program, store)
				w.person("root-of-all", "", models.RoleAdmin) // so that others can be disabled
				for _, scenario := range []struct {
					name string
					run  func(w *world)
				}{
					{"in and back", inAndBack},
					{"scripts get 401", scriptsGet401},
					{"nothing is forged", nothingForged},
					{"nothing is pretended", nothingPretended},
					{"cookies", cookiesTaken},
					{"rules", rulesHold},
					{"paths in disguise", pathsInDisguise},
					{"silent refresh", silentRefresh},
					{"a form with an expired token", expiredPost},
					{"many tabs at once", manyTabs},
					{"sign out", signOut},
					{"disable", disabled},
					{"big uploads", bigUploads},
					{"server-sent events", eventStream},
					{"WebSockets", webSocket},
					{"restarts", restarts},
					{"the portal is gone", portalGone},
					{"the database is gone", databaseGone}, // last, because the database stays closed
				} {
					t.Run(scenario.name, func(t *testing.T) {
						w.t = t
						scenario.run(w)
					})
				}
				if n := w.app.questions(); n > 0 {
					t.Errorf("%s asked the app for permission %d times instead of the portal", p.title, n)
				}
			})
		})
	}
}

// inAndBack goes from a page of the app to the sign-in page and back to that page,
// with a name that is not ASCII.
func inAndBack(w *world) {
	w.person("ana", "Ána Šilva 安娜", models.RoleUser)
	b := w.browser()
	b.jar.SetCookies(mustURL(appURL), []*http.Cookie{{Name: "theme", Value: "dark"}, {Name: "x", Value: "1"}})
	a := b.open(appURL + "/docs/a%20b?json&q=1%262&r=%C3%A9").status(http.StatusFound)
	if got, want := a.header.Get("Location"), portalURL+"/continue?rd="+url.QueryEscape(a.at); got != want {
		w.t.Errorf("not signed in: got Location %q, want %q", got, want)
	}
	got := b.signIn("ana", a.at).status(http.StatusOK).app()
	if got.User != "ana" || got.Email != "ana@example.org" || got.Name != "Ána Šilva 安娜" || got.Groups != "users" {
		w.t.Errorf("the app sees %q, %q, %q, %q", got.User, got.Email, got.Name, got.Groups)
	}
	if got.URI != "/docs/a%20b?json&q=1%262&r=%C3%A9" {
		w.t.Errorf("the app sees the target %q", got.URI)
	}
	cookies := strings.Join(got.Headers["Cookie"], "; ")
	if strings.Contains(cookies, "__Secure-") || !strings.Contains(cookies, "theme=dark") || !strings.Contains(cookies, "x=1") {
		w.t.Errorf("the app sees the cookies %q", cookies)
	}
	b.fetch(http.MethodGet, appURL+"/data?json").status(http.StatusOK).app()
}

func scriptsGet401(w *world) {
	b := w.browser()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a := b.fetch(method, appURL+"/data").status(http.StatusUnauthorized)
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			w.t.Errorf("%s: got Content-Type %q", method, got)
		}
		if got := a.header.Values("WWW-Authenticate"); len(got) != 1 || got[0] != `Bearer realm="Latchkey"` {
			w.t.Errorf("%s: got WWW-Authenticate %q", method, got)
		}
	}
	// A program is asked for both kinds of credentials, each once.
	a := b.send("PROPFIND", appURL+"/", "", "User-Agent", "DAVx5/4.4").status(http.StatusUnauthorized)
	if diff := cmp.Diff([]string{`Bearer realm="Latchkey"`, `Basic realm="Latchkey", charset="UTF-8"`}, a.header.Values("WWW-Authenticate")); diff != "" {
		w.t.Errorf("a program is asked for (-want +got):\n%s", diff)
	}
	// A form that a browser sends is not a navigation that could be repeated.
	form := b.send(http.MethodPost, appURL+"/form", "a=1", "Accept", "text/html", "Sec-Fetch-Mode", "navigate", "Referer", appURL+"/edit").status(http.StatusUnauthorized)
	if back := portalURL + "/continue?rd=" + url.QueryEscape(appURL+"/edit"); !strings.Contains(form.body, back) {
		w.t.Errorf("a form: the page does not lead to %s:\n%s", back, form.body)
	}
	if got := form.header.Get("Strict-Transport-Security"); got != "" {
		w.t.Errorf("a form: got Strict-Transport-Security %q", got)
	}
}

// cookiesTaken checks that the app gets its own cookies, still well formed (RFC 6265
// §4.2.1), and none of the portal's.
func cookiesTaken(w *world) {
	b := w.browser()
	for sent, want := range map[string]string{
		"a=1; b=2":                                                    "a=1; b=2",
		"__Secure-access=x":                                           "",
		"__Secure-access=x; a=1":                                      "a=1",
		"a=1; __Secure-access=x":                                      "a=1",
		"a=1; __Secure-access=x; b=2":                                 "a=1; b=2",
		"a=1;__Secure-refresh=x;b=2":                                  "a=1;b=2",
		"a=1; not__Secure-access=x":                                   "a=1; not__Secure-access=x",
		"__Secure-accessory=x; a=1":                                   "__Secure-accessory=x; a=1",
		"a=__Secure-access=x; b=2":                                    "a=__Secure-access=x; b=2",
		"a=1; __Secure-refresh=; b=2;":                                "a=1; b=2;",
		"__Secure-access=x; __Secure-refresh=y":                       "",
		"__Secure-refresh=y;__Secure-access=x;":                       "",
		"__Secure-access=x; __Secure-refresh=y; a=1":                  "a=1",
		"__Secure-refresh=y; a=1; __Secure-access=x":                  "a=1",
		"a=1; __Secure-access=x; __Secure-refresh=y":                  "a=1",
		"a=1; __Secure-refresh=y; __Secure-access=x; b=2":             "a=1; b=2",
		"a=1; __Secure-access=x; b=2; __Secure-refresh=y; c=3":        "a=1; b=2; c=3",
		"__Secure-access=x; a=1; b=2; c=3; __Secure-refresh=y; d=4":   "a=1; b=2; c=3; d=4",
		"a=1; __Secure-refresh=y; b=2; c=3; __Secure-access=x.y-z_/+": "a=1; b=2; c=3",
	} {
		a := b.send(http.MethodGet, appURL+"/status?json", "", "Cookie", sent).status(http.StatusOK)
		if got := strings.Join(a.app().Headers["Cookie"], "|"); got != want {
			w.t.Errorf("of the cookies %q the app sees %q, want %q", sent, got, want)
		}
	}
}

func rulesHold(w *world) {
	w.person("cy", "", models.RoleUser)
	w.person("dora", "", models.RoleAdmin)
	cy, dora, visitor := w.browser(), w.browser(), w.browser()
	cy.signIn("cy", appURL+"/")
	dora.signIn("dora", appURL+"/admin")
	for _, test := range []struct {
		who  *browser
		path string
		want int
	}{
		{visitor, "/status", 200},
		{visitor, "/status/deep?x=/../admin", 200},
		{visitor, "/statuses", 302},
		{visitor, "/admin", 302},
		{cy, "/status", 200},
		{cy, "/admin", 403},
		{cy, "/admin/users", 403},
		{cy, "/administrator", 200},
		{cy, "/reports", 403},
		{dora, "/admin/users", 200},
		{dora, "/reports", 200},
	} {
		test.who.open(appURL + test.path).status(test.want)
	}
	page := cy.open(appURL + "/admin")
	if !strings.Contains(page.body, "You are signed in as cy@example.org") || !strings.Contains(page.body, portalURL) {
		w.t.Errorf("403 for a person says:\n%s", page.body)
	}
	if got := cy.fetch(http.MethodGet, appURL+"/admin").status(403).header.Get("Content-Type"); got != "application/problem+json" {
		w.t.Errorf("403 for a script: got Content-Type %q", got)
	}
	if got := dora.fetch(http.MethodGet, appURL+"/?json").app(); got.Groups != "admins,users" || got.Name != "dora" {
		w.t.Errorf("an admin without a name: the app sees %q, %q", got.Groups, got.Name)
	}
}

// pathsInDisguise checks that no spelling of a path avoids a rule.
func pathsInDisguise(w *world) {
	w.person("eve", "", models.RoleUser)
	visitor, eve := w.browser(), w.browser()
	eve.signIn("eve", appURL+"/")
	for _, path := range []string{
		"/status/../admin", "/status/%2e%2e/admin", "/status/..%2fadmin", "/status%2f..%2fadmin", "//admin", "/status//../admin",
		"/status/.;/admin", "/status/..;/admin", "/%61dmin", "/admin;x=1", "/ADMIN", "/status/%252e%252e/admin", "/status/./../admin",
		`/status/..\admin`, "/status/%5c..%5cadmin", "/admin%2fusers", "/./admin", "/admin./", "/status/%2e%2e%2fadmin",
	} {
		for name, b := range map[string]*browser{"signed out": visitor, "eve": eve} {
			targets := []string{"//" + appHost + path}
			if !strings.HasPrefix(path, "//") {
				targets = append(targets, path)
			}
			for _, target := range targets {
				if a := b.raw(target); a.code == http.StatusOK {
					w.t.Errorf("%s opens %s", name, target)
				}
			}
		}
	}
}

// silentRefresh checks that a page is shown after the access token has expired,
// without the sign-in page and without a loop.
func silentRefresh(w *world) {
	w.person("fay", "", models.RoleUser)
	b := w.browser()
	b.signIn("fay", appURL+"/?json")
	for range 3 {
		w.advance(6 * time.Minute)
		before := b.token("__Secure-refresh")
		a, hops := b.follow(b.open(appURL + "/page?json").status(http.StatusFound))
		if got := a.app(); got.User != "fay" || hops != 2 || a.at != appURL+"/page?json" {
			w.t.Errorf("the app sees %q at %s after %d hops, want fay after 2", got.User, a.at, hops)
		}
		if b.token("__Secure-refresh") == before {
			w.t.Error("the session did not rotate")
		}
		b.open(appURL + "/page?json").status(http.StatusOK)
	}
	w.advance(200 * time.Hour)
	if a, _ := b.follow(b.open(appURL + "/page?json")); !strings.HasPrefix(a.at, portalURL+"/login") {
		w.t.Errorf("after the idle limit: at %s", a.at)
	}
}

// expiredPost checks that a form or a script's request passes after the access token
// has expired, and that no token changes.
func expiredPost(w *world) {
	w.person("gus", "", models.RoleUser)
	b := w.browser()
	b.signIn("gus", appURL+"/?json")
	w.advance(6 * time.Minute)
	before := b.token("__Secure-refresh")
	for range 2 {
		if got := b.fetch(http.MethodPost, appURL+"/save?json").status(http.StatusOK).app(); got.User != "gus" || got.Method != http.MethodPost {
			w.t.Errorf("the app sees %q, %s", got.User, got.Method)
		}
	}
	b.fetch(http.MethodGet, appURL+"/data?json").status(http.StatusOK).app()
	if b.token("__Secure-refresh") != before {
		w.t.Error("the session rotated, but the browser got no new tokens")
	}
	w.advance(time.Minute)
	if a, hops := b.follow(b.open(appURL + "/?json")); a.app().User != "gus" || hops != 2 {
		w.t.Errorf("afterwards: %d hops to %s", hops, a.at)
	}
}

func signOut(w *world) {
	w.person("hal", "", models.RoleUser)
	b, thief := w.browser(), w.browser()
	b.signIn("hal", appURL+"/")
	thief.jar.SetCookies(mustURL(appURL), b.jar.Cookies(mustURL(appURL)))
	thief.fetch(http.MethodGet, appURL+"/").status(http.StatusOK)
	b.post("/logout").status(http.StatusSeeOther)
	if left := b.jar.Cookies(mustURL(appURL)); len(left) > 0 {
		w.t.Errorf("signed out, the app still gets %v", left)
	}
	for _, who := range []*browser{b, thief} {
		who.fetch(http.MethodPost, appURL+"/").status(http.StatusUnauthorized)
		who.open(appURL + "/").status(http.StatusFound)
	}
}

func disabled(w *world) {
	user := w.person("ida", "", models.RoleUser)
	b := w.browser()
	b.signIn("ida", appURL+"/")
	b.open(appURL + "/").status(http.StatusOK)
	if _, _, err := w.accounts.Disable(w.t.Context(), auth.Shell(), user.ID, "left"); err != nil {
		w.t.Fatal(err)
	}
	b.fetch(http.MethodPost, appURL+"/").status(http.StatusUnauthorized)
	b.fetch(http.MethodGet, appURL+"/").status(http.StatusUnauthorized)
	if a, _ := b.follow(b.open(appURL + "/")); !strings.HasPrefix(a.at, portalURL+"/login") || !strings.Contains(a.body, "disabled") {
		w.t.Errorf("at %s", a.at)
	}
}

// portalGone checks that while the portal does not answer, no request passes and
// clients are told when to retry. Traefik cannot tell them.
func portalGone(w *world) {
	w.person("lara", "", models.RoleUser)
	b := w.browser()
	b.signIn("lara", appURL+"/")
	if err := w.portal.server.Close(); err != nil {
		w.t.Fatal(err)
	}
	for name, a := range map[string]*answer{
		"page": b.open(appURL + "/"), "script": b.fetch(http.MethodGet, appURL+"/"), "form": b.fetch(http.MethodPost, appURL+"/"),
	} {
		if w.proxy == "traefik" {
			a.status(http.StatusInternalServerError)
			continue
		}
		if a.status(http.StatusServiceUnavailable); a.header.Get("Retry-After") != "5" || a.header.Get("Cache-Control") != "no-store" {
			w.t.Errorf("%s: got Retry-After %q, Cache-Control %q", name, a.header.Get("Retry-After"), a.header.Get("Cache-Control"))
		}
	}
	w.portal.start(w.t)
	b.open(appURL + "/").status(http.StatusOK)
}

// databaseGone checks that without a database no request passes, no client is sent to
// sign in and no cookie changes.
func databaseGone(w *world) {
	w.person("joy", "", models.RoleUser)
	b := w.browser()
	b.signIn("joy", appURL+"/")
	if err := w.store.Close(); err != nil {
		w.t.Fatal(err)
	}
	for name, a := range map[string]*answer{
		"page": b.open(appURL + "/"), "script": b.fetch(http.MethodGet, appURL+"/"), "form": b.fetch(http.MethodPost, appURL+"/"),
	} {
		if a.status(http.StatusServiceUnavailable); a.header.Get("Retry-After") == "" {
			w.t.Errorf("%s: no Retry-After", name)
		}
	}
	if b.token("__Secure-access") == "" || b.token("__Secure-refresh") == "" {
		w.t.Error("cookies are gone")
	}
}

func mustURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}

// token returns the value of a cookie that the app's host gets.
func (b *browser) token(name string) string {
	for _, c := range b.jar.Cookies(mustURL(appURL + "/")) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// raw fetches a target from the app without changing its spelling. A target that
// starts with two slashes is sent as an absolute URL (RFC 9112 §3.2.2).
func (b *browser) raw(target string) *answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, appURL, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.URL.Opaque = target
	for _, c := range b.jar.Cookies(mustURL(appURL + "/")) {
		r.AddCookie(c)
	}
	response, err := b.transport.RoundTrip(r)
	if err != nil {
		b.t.Fatalf("%s: %v", target, err)
	}
	_ = response.Body.Close()
	return &answer{t: b.t, at: target, code: response.StatusCode, header: response.Header}
}
