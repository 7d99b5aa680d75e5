package proxytest

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/handlers"
	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/config"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	portalURL  = "https://" + portalHost
	appURL     = "https://" + appHost
	secretWord = "violet harbour 42 lanterns"
)

// world is a portal and an app behind one proxy.
type world struct {
	t         *testing.T
	proxy     string // its name
	store     *models.Store
	auth      *auth.Service
	accounts  *account.Service
	past      atomic.Int64 // how far the portal's clock is ahead, in nanoseconds
	transport *http.Transport
	portal    *portalServer
	app       *app // nil if the app is by other people
}

// configuration has the settings of an operator for these examples.
func configuration(t *testing.T) *config.Config {
	t.Helper()
	vars := map[string]string{
		"LATCHKEY_PUBLIC_URL": portalURL, "LATCHKEY_COOKIE_DOMAIN": "example.org", "LATCHKEY_TRUSTED_PROXIES": "127.0.0.1",
		"LATCHKEY_FORWARD_AUTH_FILE": filepath.Join(examples, "forward-auth.toml"),
	}
	cfg, warnings, err := config.Load(func(name string) string { return vars[name] }, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("the configuration: %v, warnings %q", err, warnings)
	}
	return cfg
}

func newWorld(t *testing.T, p proxy, program string, store *models.Store) *world {
	t.Helper()
	app := startApp(t)
	w := newWorldOf(t, p, program, store, backends{app: app.addr})
	w.app = app
	return w
}

// newWorldOf starts a portal and a proxy in front of it and a given app.
func newWorldOf(t *testing.T, p proxy, program string, store *models.Store, b backends) *world {
	t.Helper()
	w := &world{t: t, proxy: p.name, store: store}
	w.portal = w.startPortal()
	b.portal = w.portal.addr
	addr, roots := p.start(t, program, b)
	w.transport = transport(addr, roots)
	t.Cleanup(w.transport.CloseIdleConnections)
	waitFor(t, p.name, func() bool { return w.answers(portalURL + "/healthz") })
	waitFor(t, "the app", func() bool { return w.answers(appURL + "/status") })
	return w
}

func (w *world) answers(address string) bool {
	response, err := (&http.Client{Transport: w.transport}).Get(address)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode < 500
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.past.Load())) }

func (w *world) advance(d time.Duration) { w.past.Add(int64(d)) }

// startPortal starts the portal with all its middleware.
func (w *world) startPortal() *portalServer {
	w.t.Helper()
	secret := []byte("a secret that is long enough for tests")
	logger := slog.New(slog.DiscardHandler)
	cfg := configuration(w.t)
	services := servicetest.New(w.t, servicetest.Options{Store: w.store, Now: w.now, PublicURL: portalURL, Secret: secret, Limits: true})
	w.auth, w.accounts = services.Auth, services.Accounts
	jar, err := cookie.New(cookie.Options{Secure: true, Domain: cfg.CookieDomain, Keys: [][]byte{secret[:32]}, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	pages, err := handlers.New(handlers.Options{
		Auth: w.auth, OAuth: services.OAuth, Accounts: w.accounts, Store: w.store, Logger: logger, Now: w.now, PublicURL: portalURL, HTTPS: true, BrandName: "Latchkey",
		Cookies:        jar,
		TrustedProxies: cfg.TrustedProxies, ForwardAuth: forwardauth.New(cfg.ForwardAuth),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	handler, err := pages.Echo()
	if err != nil {
		w.t.Fatal(err)
	}
	return servePortal(w.t, handler)
}

// person creates an account.
func (w *world) person(name, fullName string, role models.Role) *models.User {
	w.t.Helper()
	user, _, err := w.accounts.CreateUser(w.t.Context(), auth.Shell(), account.NewUser{
		Account: account.Profile{Username: name, Email: name + "@example.org", FullName: fullName}, Role: role, Password: secretWord,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return user
}

func dialTo(dialer *net.Dialer, addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}
}

// browser is a client with cookies that follows redirects one step at a time.
type browser struct {
	*world
	client *http.Client
	jar    *cookiejar.Jar
	extra  http.Header // on every request
}

func (w *world) browser() *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{world: w, jar: jar, extra: http.Header{}, client: &http.Client{
		Transport: w.transport, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response with the URL of its request.
type answer struct {
	t      *testing.T
	at     string
	code   int
	header http.Header
	body   string
	cookie []*http.Cookie
}

func (b *browser) send(method, address, body string, headers ...string) *answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range b.extra {
		r.Header[name] = values
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, address, err)
	}
	return &answer{b.t, address, response.StatusCode, response.Header, string(text), response.Cookies()}
}

// open sends the request of a person who follows a link.
func (b *browser) open(address string) *answer {
	b.t.Helper()
	return b.send(http.MethodGet, address, "", "Accept", "text/html,*/*;q=0.8", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

// fetch sends the request of a script of the app.
func (b *browser) fetch(method, address string) *answer {
	b.t.Helper()
	body := ""
	if method != http.MethodGet {
		body = "a=1"
	}
	return b.send(method, address, body, "Accept", "*/*", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin")
}

// post sends a form of the portal.
func (b *browser) post(path string, pairs ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, portalURL+path, form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Accept", "text/html", "Origin", portalURL, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate")
}

var refreshes = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]*)"`)

// follow follows redirects and pages that refresh themselves, as a browser does. It
// returns the last response and the number of steps.
func (b *browser) follow(a *answer) (last *answer, hops int) {
	b.t.Helper()
	for ; ; hops++ {
		target := a.header.Get("Location")
		if found := refreshes.FindStringSubmatch(a.body); found != nil {
			target = strings.ReplaceAll(found[1], "&amp;", "&")
		} else if a.code < 300 || a.code > 399 {
			return a, hops
		}
		if hops == 20 {
			b.t.Fatalf("a loop: %s leads to %s", a.at, target)
		}
		base, err := url.Parse(a.at)
		if err != nil {
			b.t.Fatal(err)
		}
		next, err := base.Parse(target)
		if err != nil {
			b.t.Fatal(err)
		}
		a = b.open(next.String())
	}
}

// hiddenNext matches the field next of the sign-in form.
var hiddenNext = regexp.MustCompile(`name="next" value="([^"]*)"`)

// signIn opens an address of the app, signs in on the way, and returns the final
// response.
func (b *browser) signIn(name, address string) *answer {
	b.t.Helper()
	login, _ := b.follow(b.open(address))
	found := hiddenNext.FindStringSubmatch(login.body)
	if !strings.HasPrefix(login.at, portalURL+"/login") || found == nil {
		b.t.Fatalf("%s leads to %s (%d), want the sign-in page", address, login.at, login.code)
	}
	next := strings.ReplaceAll(found[1], "&amp;", "&")
	a, _ := b.follow(b.post("/login", "username", name, "password", secretWord, "remember", "on", "next", next))
	if a.at != address {
		b.t.Errorf("signing in for %s ends at %s (%d)", address, a.at, a.code)
	}
	return a
}

// app decodes a response of the app.
func (a *answer) app() seen {
	a.t.Helper()
	var s seen
	if a.code != http.StatusOK || json.Unmarshal([]byte(a.body), &s) != nil {
		a.t.Fatalf("%s: got status %d (Location %q), want an answer of the app\n%s", a.at, a.code, a.header.Get("Location"), a.body)
	}
	return s
}

// is checks the status.
func (a *answer) is(want int) *answer {
	a.t.Helper()
	if a.code != want {
		a.t.Errorf("%s: got status %d (Location %q), want %d\n%s", a.at, a.code, a.header.Get("Location"), want, a.body)
	}
	return a
}

// status checks the status, and that the app's host sets no cookie.
func (a *answer) status(want int) *answer {
	a.t.Helper()
	if strings.HasPrefix(a.at, appURL) && len(a.cookie) > 0 {
		a.t.Errorf("%s: sets %v", a.at, a.cookie)
	}
	return a.is(want)
}
