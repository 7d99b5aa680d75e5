package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// site is a host that a proxy serves: the port it listens on, and the address of
// the program behind it.
type site struct{ port, backend string }

func (s site) url() string { return "http://localhost:" + s.port }

// proxy is a reverse proxy that the tests put in front of this service. write
// writes the configuration of docs/forward-auth.md to dir, adapted to the sites
// and without https. It returns the arguments that start the proxy with it.
type proxy struct {
	name  string
	write func(t *testing.T, dir string, portal, app site) (args []string)
}

func nginx(t *testing.T, dir string, portal, app site) []string {
	example(t, "nginx.conf", filepath.Join(dir, "forward-auth.conf"),
		"listen 443 ssl;\n    server_name id.example.org;", "listen 127.0.0.1:"+portal.port+";",
		"listen 443 ssl;\n    server_name app.example.org;", "listen 127.0.0.1:"+app.port+";",
		"ssl_certificate     /etc/ssl/example.org/fullchain.pem;", "",
		"ssl_certificate_key /etc/ssl/example.org/privkey.pem;", "",
		"127.0.0.1:8080", portal.backend, "127.0.0.1:9000", app.backend)
	write(t, filepath.Join(dir, "nginx.conf"), `daemon off; master_process off; pid pid;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    include forward-auth.conf;
}
`)
	return []string{"-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf")}
}

func caddy(t *testing.T, dir string, portal, app site) []string {
	example(t, "Caddyfile", filepath.Join(dir, "forward-auth"),
		"id.example.org {", portal.url()+" {", "app.example.org {", app.url()+" {",
		"127.0.0.1:8080", portal.backend, "127.0.0.1:9000", app.backend)
	write(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\nimport forward-auth\n")
	return []string{"run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile"}
}

// example copies a file of examples/forward-auth and replaces text in it: pairs
// lists old and new strings in turn.
func example(t *testing.T, name, to string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "forward-auth", name))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(string(text), pairs[i]) {
			t.Fatalf("%s does not have %q", name, pairs[i])
		}
	}
	write(t, to, strings.NewReplacer(pairs...).Replace(string(text)))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// program finds the proxy's program.
func (p proxy) program(t *testing.T) string {
	t.Helper()
	return programOf(t, p.name)
}

// programOf finds a program. If it is missing, the test is skipped, or fails
// when LATCHKEY_TEST_STRICT is set.
func programOf(t *testing.T, program string) string {
	t.Helper()
	for _, name := range []string{program, "/usr/sbin/" + program, "/usr/local/sbin/" + program} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	message := program + " is not installed: scripts/bring " + program
	if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// seenUser is a response header in which the service of these tests reports the
// Remote-User it received: "[ana]", or "[]" for a signed-out visitor (from Caddy, an empty
// value). A response without it did not come from the service.
const seenUser = "Seen-User"

// startBehind starts Latchkey and this service behind a proxy. It returns
// Latchkey and the URL of the service.
func startBehind(t *testing.T, p proxy) (l *latchkey, app string) {
	t.Helper()
	program, dir := p.program(t), t.TempDir()
	g, err := guardFrom(func(name string) string { return map[string]string{"PROXY": "127.0.0.1/32"}[name] }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	service := routes(g)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(seenUser, fmt.Sprint(r.Header.Values("Remote-User")))
		service.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	public, protected := site{port: freePort(t)}, site{port: freePort(t), backend: server.Listener.Addr().String()}
	rules := filepath.Join(dir, "forward-auth.toml")
	write(t, rules, fmt.Sprintf("[[origin]]\nurl = %q\n\n[[origin.rule]]\npath = \"/notsecret\"\nallow = [\"public\"]\n", protected.url()))
	l = startLatchkey(t, "LATCHKEY_PUBLIC_URL="+public.url(), "LATCHKEY_TRUSTED_PROXIES=127.0.0.1", "LATCHKEY_FORWARD_AUTH_FILE="+rules)
	public.backend = strings.TrimPrefix(l.url, "http://")
	front := exec.Command(program, p.write(t, dir, public, protected)...)
	front.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	start(t, front)
	l.url = public.url()
	waitUntilReady(t, l.url+"/readyz")
	waitUntilReady(t, protected.url()+"/notsecret")
	return l, protected.url()
}

// arrival is the last response after all redirects, and its URL.
type arrival struct {
	at     *url.URL
	status int
	seen   string // the service's seenUser
	body   string
}

// send sends a request as a browser does when it opens a page (GET) or as a
// page's script does (POST), and follows redirects.
func (p *person) send(method, address string, headers http.Header) arrival {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	request.Header.Set("Accept", "text/html,*/*;q=0.8")
	request.Header.Set("Sec-Fetch-Mode", map[string]string{http.MethodGet: "navigate", http.MethodPost: "cors"}[method])
	response, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return arrival{response.Request.URL, response.StatusCode, response.Header.Get(seenUser), string(body)}
}

// visit requests every route with the headers in claim. The script's request goes
// first, because a page that redirects to the portal may change the cookies. let
// says whether both protected routes must answer, as ana. visit returns the
// arrival of the page.
func (p *person) visit(what, app string, claim http.Header, let bool) arrival {
	p.t.Helper()
	type outcome struct {
		status   int
		at, seen string
	}
	want := []outcome{{401, app + "/secret", ""}, {200, p.url + "/login", ""}, {200, app + "/notsecret", "[]"}}
	if let {
		want = []outcome{{200, app + "/secret", "[ana]"}, {200, app + "/secure-message", "[ana]"}, {200, app + "/notsecret", "[ana]"}}
	}
	sent := p.send(http.MethodPost, app+"/secret", claim)
	opened := p.send(http.MethodGet, app+"/secure-message", claim)
	open := p.send(http.MethodGet, app+"/notsecret", claim)
	for i, a := range []arrival{sent, opened, open} {
		got := outcome{a.status, a.at.Scheme + "://" + a.at.Host + a.at.Path, a.seen}
		if got != want[i] {
			p.t.Errorf("%s, with %v: got %+v, want %+v\n%s", what, claim, got, want[i], a.body)
		}
	}
	return opened
}

// TestBehindProxy tests byProxy behind real proxies: people are sent to sign in,
// return with their name in Remote-User, and are refused once their account is
// disabled, no matter which Remote-User they send.
func TestBehindProxy(t *testing.T) {
	for _, p := range []proxy{{"nginx", nginx}, {"caddy", caddy}} {
		t.Run(p.name, func(t *testing.T) {
			l, app := startBehind(t, p)
			l.browser().post("/signup", "username", "ana", "email", "ana@example.org", "password", password)
			ana, page := l.browser(), app+"/secure-message"
			var next string
			for _, claim := range []http.Header{nil, {"Remote-User": {"boss"}}, {"Remote-User": {"boss", "ana"}}} {
				next = ana.visit("a signed-out visitor", app, claim, false).at.Query().Get("next")
			}
			if back := ana.post("/login", "username", "ana", "password", password, "next", next); !strings.Contains(back, page) {
				t.Errorf("the page after signing in has no link back to %s:\n%s", page, back)
			}
			for _, claim := range []http.Header{nil, {"Remote-User": {"boss"}}, {"Remote-User": {"boss", "ana"}}} {
				if a := ana.visit("signed in", app, claim, true); a.body != `{"message":"This is a secured message"}`+"\n" {
					t.Errorf("got %s", a.body)
				}
			}
			l.run("user", "disable", "ana")
			if a := ana.visit("disabled", app, http.Header{"Remote-User": {"ana"}}, false); !strings.Contains(a.body, "disabled") {
				t.Errorf("the sign-in page does not say why:\n%s", a.body)
			}
		})
	}
}
