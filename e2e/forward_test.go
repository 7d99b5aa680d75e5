package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// startProtected starts a portal and, on another origin that shares its
// cookies, an app behind forward-auth. It returns the app's origin.
func startProtected(t *testing.T, env ...string) (p *portal, app string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard(t, p.url, w, r) }))
	t.Cleanup(server.Close)
	app = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // cookies ignore ports
	return startProtecting(t, app, env...), app
}

// startProtecting starts a portal whose rules name an app, which need not exist.
func startProtecting(t *testing.T, app string, env ...string) *portal {
	t.Helper()
	rules := filepath.Join(t.TempDir(), "forward-auth.toml")
	if err := os.WriteFile(rules, fmt.Appendf(nil, "[[origin]]\nurl = %q\nname = \"Photos\"\n\n[[origin.rule]]\npath = \"/admin\"\nallow = [\"admins\"]\n", app), 0o600); err != nil {
		t.Fatal(err)
	}
	return startPortal(t, append(env, "LATCHKEY_FORWARD_AUTH_FILE="+rules, "LATCHKEY_TRUSTED_PROXIES=127.0.0.1,::1")...)
}

// guard is a reverse proxy and its app in one. It asks the portal about each
// request and passes a refusal on.
func guard(t *testing.T, portal string, w http.ResponseWriter, r *http.Request) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, portal+"/forward-auth", nil)
	if err != nil {
		t.Error(err)
		return
	}
	ask.Header = r.Header.Clone()
	ask.Header.Del("Accept-Encoding")
	for name, value := range map[string]string{
		"X-Forwarded-Method": r.Method, "X-Forwarded-Proto": "http", "X-Forwarded-Host": r.Host, "X-Forwarded-Uri": r.RequestURI,
		"X-Forwarded-For": "127.0.0.1",
	} {
		ask.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(ask)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusOK && r.URL.Path == "/download" {
		w.WriteHeader(http.StatusNoContent) // a browser then stays on its page
		return
	}
	if answer.StatusCode == http.StatusOK {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>App</title><link rel="icon" href="data:,"><h1>The app</h1><p>Hello %s at %s`,
			answer.Header.Get("Remote-Name"), r.RequestURI)
		return
	}
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// visitAt opens a page at any address and returns its status.
func (b *tab) visitAt(address string) int {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	b.must("visit "+address, err)
	return int(response.Status)
}

// untilAt waits for the browser to reach a page by itself. In between there may be
// no page that can evaluate an expression.
func (b *tab) untilAt(address string) {
	b.Helper()
	waitFor(b.T, "the page "+address, func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? location.href : ""`))
		return err == nil && at == address
	})
}

// TestForwardAuth goes from an app to the sign-in page and back. The content
// security policy restricts the form to the portal, and Chromium applies that to
// the redirects that follow, too.
func TestForwardAuth(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p, app := startProtected(t, shortLived)
		ana := p.signUp(newAccount("ana", "Ana Silva"))
		b := open(t, p, script)
		page := app + "/docs/a%20b?x=1&y=%26"
		b.wantStatus(b.visitAt(page), 200)
		if got := b.at(); !strings.HasPrefix(got, "/login?next=") {
			t.Fatalf("got the page %s, want the sign-in page", got)
		}
		b.see("Sign in to continue to", strings.TrimPrefix(app, "http://"))
		b.fill("Email or username", ana.username)
		b.fill("Password", ana.password)
		b.click("Sign in")
		b.untilAt(page)
		b.see("Hello Ana Silva at /docs/a%20b?x=1&y=%26")

		// The session is renewed on the way, which the person does not notice.
		b.untilExpired()
		b.wantStatus(b.visitAt(app+"/other"), 200)
		b.untilAt(app + "/other")
		b.see("Hello Ana Silva at /other")

		b.wantStatus(b.visitAt(app+"/admin"), 403)
		b.see("You cannot open this page", "This account has no access to this page of Photos.", "Use another account")

		// A link to the sign-in page that continues to the app.
		b.visit("/profile")
		b.press("Sign out")
		b.visit("/login?next=" + url.QueryEscape("/continue?rd="+url.QueryEscape(page)))
		b.fill("Email or username", ana.username)
		b.fill("Password", ana.password)
		b.click("Sign in")
		b.untilAt(page)
	})
}

// TestRefusedAtApp checks that the page that the portal shows at an app's origin
// has the portal's look, with files that the browser loads from the portal.
func TestRefusedAtApp(t *testing.T) {
	t.Parallel()
	p, app := startProtected(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.wantStatus(b.visitAt(app+"/admin"), 403)
	b.see("You cannot open this page", "This account has no access to this page of Photos.")
	look := ask[string](b, `[document.styleSheets.length, getComputedStyle(document.querySelector(".door")).borderTopStyle,
		document.querySelector(".brand svg").clientWidth > 0, location.origin].join(" ")`)
	if want := "1 solid true " + app; look != want {
		t.Errorf("stylesheets, border, mark and origin are %q, want %q", look, want)
	}
	b.inspect("refused at an app")
}

// TestSignInForApp checks the sign-in page that names an app, also with a name that
// is too long for the page.
func TestSignInForApp(t *testing.T) {
	t.Parallel()
	for name, host := range map[string]string{
		"login for an app":     "photos.example.org",
		"login for a long app": strings.Repeat("photos-of-the-whole-family.", 3) + "example.org",
	} {
		b := open(t, startProtecting(t, "https://"+host), true)
		b.visit("/login?next=" + url.QueryEscape("/continue?rd="+url.QueryEscape("https://"+host+"/")))
		b.see("Sign in to continue to", host[:min(len(host), 18)])
		b.wantRoom(name)
		b.inspect(name)
		b.wantStatus(b.press("Sign in"), 422)
		b.see("Sign in to continue to", host[:min(len(host), 18)])
	}
}
