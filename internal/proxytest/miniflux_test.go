package proxytest

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestMiniflux tests a feed reader with its own sessions behind forward-auth.
func TestMiniflux(t *testing.T) {
	program := findMiniflux(t)
	miniflux := realApp{
		name: "miniflux",
		changes: map[string][]change{
			"nginx": {{"# The portal.\n", "maps.conf"}, {"        proxy_set_header Cookie $cookie_for_app;\n", "nginx.conf"}},
			"caddy": {{"\t\treverse_proxy 127.0.0.1:9000\n", "Caddyfile"}},
		},
	}
	var database string
	miniflux.start = func(t *testing.T) string {
		database = testdb.PostgresURL(t)
		addr := freeAddr(t)
		file := filepath.Join(t.TempDir(), "miniflux.conf")
		write(t, file, miniflux.config(t, "miniflux.conf", "127.0.0.1:9000", addr, "host=/run/postgresql user=miniflux dbname=miniflux", database))
		// The feeds of this test are on this machine.
		run(t, []string{"FETCHER_ALLOW_PRIVATE_NETWORKS=1", "DISABLE_SCHEDULER_SERVICE=1"}, program, "-config-file", file)
		return addr
	}
	miniflux.behindProxies(t, []scenario{
		{"the first visit makes an account", func(w *world) { firstFeed(w, database) }},
		{"another person's feed", anothersFeed},
		{"another person in the same browser", readersInTurn},
		{"a program", feedProgram},
		{"a disabled account", feedOfDisabled},
	})
}

// findMiniflux finds the program that scripts/bring has built.
func findMiniflux(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "-C", "miniflux", "tool", "-n", "miniflux.app/v2")
	cmd.Env = append(cmd.Environ(), "GOPROXY=off")
	path, err := cmd.Output()
	if err != nil {
		missing(t, "miniflux")
	}
	return strings.TrimSpace(string(path))
}

func firstFeed(w *world, database string) {
	ana := w.person("ana", "", models.RoleUser)
	count := func() (n int) {
		conn, err := pgx.Connect(w.t.Context(), database)
		if err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = conn.Close(w.t.Context()) }()
		if err := conn.QueryRow(w.t.Context(), "SELECT count(*) FROM users WHERE username = lower($1)", ana.ID).Scan(&n); err != nil {
			w.t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 0 {
		w.t.Fatalf("%d accounts before the first visit", n)
	}
	for range 2 {
		b := w.browser()
		b.signIn("ana", appURL+"/unread").is(http.StatusOK)
		if n := count(); n != 1 {
			w.t.Errorf("got %d accounts, want 1", n)
		}
		for _, header := range []string{"Remote-Id", "REMOTE-ID", "remote_id"} {
			forger := w.browser()
			forger.extra[header] = []string{ana.ID}
			if a, _ := forger.follow(forger.open(appURL + "/")); !strings.HasPrefix(a.at, portalURL+"/login") {
				w.t.Errorf("with %s forged: at %s", header, a.at)
			}
		}
	}
}

func anothersFeed(w *world) {
	w.person("bo", "", models.RoleUser)
	w.person("cy", "", models.RoleUser)
	owner, other := w.browser(), w.browser()
	owner.signIn("bo", appURL+"/unread")
	other.signIn("cy", appURL+"/unread")
	feed := owner.subscribe("Letters from the lake")
	owner.wantUnread("Letters from the lake", true)
	other.wantUnread("Letters from the lake", false)
	owner.open(feed).is(http.StatusOK)
	other.open(feed).is(http.StatusNotFound)
}

// readersInTurn checks that the session of Miniflux ends when another person signs in
// in the same browser, whichever page she opens first.
func readersInTurn(w *world) {
	w.person("dora", "", models.RoleUser)
	w.person("eve", "", models.RoleUser)
	for _, first := range []string{"/unread", "/", "/favicon.ico", "/manifest.json", "/feeds"} {
		b := w.browser()
		b.signIn("dora", appURL+"/unread")
		b.subscribe("Notes on moss, " + first)
		b.wantUnread("Notes on moss, "+first, true)
		b.post("/logout").status(http.StatusSeeOther)
		b.fetch(http.MethodPost, appURL+"/mark-all-as-read").is(http.StatusUnauthorized)
		b.post("/login", "username", "eve", "password", secretWord).status(http.StatusSeeOther)
		b.open(appURL + first)
		b.wantUnread("Notes on moss, "+first, false)
		b.subscribe("Trains, " + first)
		b.post("/logout").status(http.StatusSeeOther)
		b.signIn("dora", appURL+"/unread")
		b.wantUnread("Notes on moss, "+first, true)
		b.wantUnread("Trains, "+first, false)
	}
}

// feedProgram checks that a program needs the portal's token and a key of Miniflux's
// API.
func feedProgram(w *world) {
	ivy := w.person("ivy", "", models.RoleUser)
	b, program := w.browser(), w.browser()
	b.signIn("ivy", appURL+"/unread")
	page := b.open(appURL + "/keys/create").is(http.StatusOK)
	b.form("/keys/save", url.Values{"csrf": {match(w.t, csrf, page.body)}, "description": {"Phone"}}).is(http.StatusFound)
	program.extra.Set("X-Auth-Token", match(w.t, apiKey, b.open(appURL+"/keys").body))
	program.dav(http.MethodGet, "/v1/me", "").is(http.StatusUnauthorized)
	program.basic("ivy", w.personalToken(ivy))
	if a := program.dav(http.MethodGet, "/v1/me", "").is(http.StatusOK); !strings.Contains(a.body, `"username":"`+strings.ToLower(ivy.ID)+`"`) {
		w.t.Errorf("the API says %s", a.body)
	}
	w.disable(ivy)
	program.dav(http.MethodGet, "/v1/me", "").is(http.StatusUnauthorized)
}

func feedOfDisabled(w *world) {
	hal := w.person("hal", "", models.RoleUser)
	b := w.browser()
	b.signIn("hal", appURL+"/unread")
	feed := b.subscribe("Radio plays")
	b.open(feed).is(http.StatusOK)
	w.disable(hal)
	b.open(feed).is(http.StatusFound)
	b.fetch(http.MethodGet, feed).is(http.StatusUnauthorized)
	b.fetch(http.MethodPost, appURL+"/mark-all-as-read").is(http.StatusUnauthorized)
}

var (
	csrf     = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	category = regexp.MustCompile(`<option value="(\d+)"`)
	apiKey   = regexp.MustCompile(`\b([0-9a-f]{64})\b`)
)

// match returns the text that an expression matches in a page.
func match(t *testing.T, expression *regexp.Regexp, page string) string {
	t.Helper()
	found := expression.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no %s in\n%s", expression, page)
	}
	return found[1]
}

// form sends a form of the app.
func (b *browser) form(path string, form url.Values) *answer {
	b.t.Helper()
	return b.send(http.MethodPost, appURL+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Accept", "text/html", "Origin", appURL, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate")
}

// subscribe makes the person follow a feed with one entry, and returns the
// address of the feed's page.
func (b *browser) subscribe(title string) string {
	b.t.Helper()
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/rss+xml")
		_, _ = fmt.Fprintf(w, `<rss version="2.0"><channel><title>Feed</title><link>http://feed.example/</link>`+
			`<item><title>%s</title><link>http://feed.example/1</link><guid>1</guid></item></channel></rss>`, html.EscapeString(title))
	}))
	defer feed.Close()
	page, _ := b.follow(b.open(appURL + "/subscribe"))
	a := b.form("/subscribe", url.Values{
		"csrf": {match(b.t, csrf, page.body)}, "category_id": {match(b.t, category, page.body)}, "url": {feed.URL},
	}).is(http.StatusFound)
	return appURL + a.header.Get("Location")
}

// wantUnread checks whether the person's list of unread entries has one.
func (b *browser) wantUnread(title string, want bool) {
	b.t.Helper()
	a, _ := b.follow(b.open(appURL + "/unread"))
	if !strings.HasPrefix(a.at, appURL) {
		b.t.Fatalf("the list of unread entries leads to %s", a.at)
	}
	if got := strings.Contains(a.is(http.StatusOK).body, html.EscapeString(title)); got != want {
		b.t.Errorf("%q in the list: %v, want %v\n%s", title, got, want, a.body)
	}
}
