package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// find returns the check with a name, and fails when there is not exactly one.
func find(t *testing.T, checks []Check, name string) Check {
	t.Helper()
	var found []Check
	for _, c := range checks {
		if c.Name == name {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d checks %q in %+v", len(found), name, checks)
	}
	return found[0]
}

// is checks the state of a check, and that it says what to do unless all is well.
func (c Check) is(t *testing.T, want State, says string) {
	t.Helper()
	if c.State != want || !strings.Contains(c.Detail+c.Advice, says) {
		t.Errorf("%s: got %s %q %q, want %s with %q", c.Name, c.State, c.Detail, c.Advice, want, says)
	}
	if (c.Advice == "") != (c.State == OK) {
		t.Errorf("%s: state %s with the advice %q", c.Name, c.State, c.Advice)
	}
}

// portal answers as Latchkey does, on one host.
func portal(host, release string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/readyz":
			_, _ = fmt.Fprintln(w, "ready")
		case r.Host != host:
			w.WriteHeader(http.StatusMisdirectedRequest)
		default:
			w.Header().Set("Referrer-Policy", "same-origin")
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			_, _ = fmt.Fprintf(w, `<link href="/static/%s/css/app.css">`, release)
		}
	}
}

// TestPublic puts proxies with one fault each before a portal.
func TestPublic(t *testing.T) {
	type change = func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc)
	pass := func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { next(w, r) }
	tests := []struct {
		name    string
		proxy   change
		release string
		check   string
		want    State
		says    string
	}{
		{"good", pass, "aaa", "Reachable", OK, "ready"},
		{"good host", pass, "aaa", "Host", OK, ""},
		{"good headers", pass, "aaa", "Response headers", OK, ""},
		{"the same portal", pass, "aaa", "Same portal", OK, ""},
		{"certificate", pass, "aaa", "Certificate", OK, "days"},
		{"redirect", func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
			http.Redirect(w, r, "https://www.example.org/?token=1", http.StatusMovedPermanently)
		}, "aaa", "Reachable", Fail, "redirects to https://www.example.org/"},
		{"another program", func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { _, _ = w.Write([]byte("hello")) }, "aaa", "Reachable", Fail, "not as Latchkey does"},
		{"no backend", func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { w.WriteHeader(http.StatusBadGateway) }, "aaa", "Reachable", Fail, "502"},
		{"not ready", func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}, "aaa", "Reachable", Fail, "a portal that is not ready"},
		{"in maintenance", func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
			http.Error(w, "the backend is not ready", http.StatusServiceUnavailable)
		}, "aaa", "Reachable", Fail, "not as Latchkey does"},
		{"hidden /readyz", except("/readyz", http.NotFound), "aaa", "Reachable", OK, "leads to a portal"},
		{"hidden /readyz and another Host", func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
			r.Host = "backend"
			except("/readyz", http.NotFound)(w, r, next)
		}, "aaa", "Host", Fail, "421"},
		{"blocked sign-in page", except("/login", http.NotFound), "aaa", "Sign-in page", Fail, "/login returned 404, and the server here returns 200"},
		{"broken sign-in page", except("/login", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "aaa", "Sign-in page", Fail, "EOF"},
		{"another Host", func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) { r.Host = "backend"; next(w, r) }, "aaa", "Host", Fail, "421"},
		{"compressing", func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
			if strings.Contains(r.Header.Get("Accept-Encoding"), "br") {
				w.Header().Set("Content-Encoding", "br")
			}
			next(w, r)
		}, "aaa", "Compression", Warn, "BREACH"},
		{"another Referrer-Policy", func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
			next(policy{w, "Referrer-Policy", "no-referrer"}, r)
		}, "aaa", "Response headers", Fail, "no-referrer"},
		{"another policy", func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
			next(policy{w, "Content-Security-Policy", "default-src *"}, r)
		}, "aaa", "Response headers", Warn, "Content-Security-Policy"},
		{"another release", pass, "bbb", "Same portal", Warn, "another release"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var behind http.HandlerFunc
			public := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { test.proxy(w, r, behind) }))
			defer public.Close()
			host := strings.TrimPrefix(public.URL, "https://")
			behind = portal(host, test.release)
			local := httptest.NewServer(portal(host, "aaa"))
			defer local.Close()
			o := Options{PublicURL: public.URL, Addr: strings.TrimPrefix(local.URL, "http://"), Now: time.Now, roots: public.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
			checks := o.public(t.Context())
			find(t, checks, "Server").is(t, OK, "ready")
			find(t, checks, test.check).is(t, test.want, test.says)
		})
	}
}

// except is a proxy that answers one path itself.
func except(path string, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request, http.HandlerFunc) {
	return func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
		if r.URL.Path == path {
			next = answer
		}
		next(w, r)
	}
}

// policy sets a header after the portal has.
type policy struct {
	http.ResponseWriter
	name, value string
}

func (p policy) Write(b []byte) (int, error) {
	p.Header().Set(p.name, p.value)
	return p.ResponseWriter.Write(b)
}

// TestNoServer checks that a server that does not run is a warning, and that nothing
// about the public URL is held against it.
func TestNoServer(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	o := Options{PublicURL: gone.URL, Addr: strings.TrimPrefix(gone.URL, "http://"), Now: time.Now}
	checks := o.public(t.Context())
	find(t, checks, "Server").is(t, Warn, "no server answers")
	find(t, checks, "Reachable").is(t, Warn, "cannot be reached")
	if n := Count(checks, Fail); n != 0 {
		t.Errorf("%d checks failed: %+v", n, checks)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	o = Options{PublicURL: other.URL, Addr: strings.TrimPrefix(other.URL, "http://"), Now: time.Now}
	find(t, o.public(t.Context()), "Server").is(t, Fail, "another program")
	local := httptest.NewServer(portal("", "aaa"))
	defer local.Close()
	o = Options{PublicURL: gone.URL, Addr: strings.TrimPrefix(local.URL, "http://"), Now: time.Now}
	find(t, o.public(t.Context()), "Reachable").is(t, Warn, "another machine") // as without hairpin NAT
}

// TestUnreachable checks which errors say nothing about other machines.
func TestUnreachable(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	for _, test := range []struct {
		err  error
		want bool
	}{
		{dial(syscall.ECONNREFUSED), true},
		{dial(syscall.EHOSTUNREACH), true},
		{errTimeout, true},
		{dial(&net.DNSError{IsTemporary: true}), true},
		{dial(&net.DNSError{IsNotFound: true}), false},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, false},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
	} {
		if got := unreachable(test.err); got != test.want {
			t.Errorf("%v: got %t, want %t", test.err, got, test.want)
		}
	}
}

// TestUntrusted checks a certificate that nobody trusts.
func TestUntrusted(t *testing.T) {
	public := httptest.NewTLSServer(portal("", "aaa"))
	public.Config.ErrorLog = nil
	defer public.Close()
	host := strings.TrimPrefix(public.URL, "https://")
	local := httptest.NewServer(portal(host, "aaa"))
	defer local.Close()
	o := Options{PublicURL: public.URL, Addr: strings.TrimPrefix(local.URL, "http://"), Now: time.Now}
	find(t, o.public(t.Context()), "Reachable").is(t, Fail, "certificate")
}

func TestCertificate(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	o := Options{Now: func() time.Time { return now }}
	for days, want := range map[int]State{60: OK, 14: OK, 13: Warn, 3: Warn, 2: Fail, -1: Fail} {
		var g group
		o.certificate(&g, now.Add(time.Duration(days)*24*time.Hour+time.Hour))
		g.checks[0].is(t, want, fmt.Sprint(days))
	}
}

// TestProxies checks the warnings about LATCHKEY_TRUSTED_PROXIES.
func TestProxies(t *testing.T) {
	tests := []struct {
		name    string
		proxies []netip.Prefix
		https   bool
		want    State
	}{
		{"none, http", nil, false, OK},
		{"none, https", nil, true, Warn},
		{"one", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, true, OK},
		{"everybody", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::/0")}, true, Fail},
	}
	for _, test := range tests {
		var g group
		Options{Proxies: test.proxies}.proxies(&g, test.https)
		if len(g.checks) != 1 {
			t.Fatalf("%s: %+v", test.name, g.checks)
		}
		g.checks[0].is(t, test.want, "")
	}
}

// TestInsecure checks what plain http does beside https.
func TestInsecure(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    State
	}{
		{"redirects", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://id.example.org/login", http.StatusPermanentRedirect)
		}, OK},
		{"serves", func(http.ResponseWriter, *http.Request) {}, Fail},
		{"refuses", http.NotFound, Warn},
		{"redirects elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		}, Warn},
	}
	for _, test := range tests {
		server := httptest.NewServer(test.handler)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		a := asker{&http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				r.URL.Host = target.Host
				return http.DefaultTransport.RoundTrip(r)
			}),
			CheckRedirect: newAsker(nil).client.CheckRedirect,
		}}
		var g group
		insecure(t.Context(), &g, a, "id.example.org")
		g.checks[0].is(t, test.want, "")
		server.Close()
	}
	for failure, want := range map[error]State{syscall.ECONNREFUSED: OK, syscall.EHOSTUNREACH: Warn, errTimeout: Warn} {
		var g group
		insecure(t.Context(), &g, asker{&http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, failure })}}, "id.example.org")
		g.checks[0].is(t, want, "closed")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
