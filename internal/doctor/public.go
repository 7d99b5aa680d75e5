package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// reply is an answer to a request.
type reply struct {
	status   int
	location string
	header   http.Header
	body     string
	tls      *tls.ConnectionState
}

// asker sends requests without cookies, without a proxy and without following
// redirects.
type asker struct{ client *http.Client }

func newAsker(roots *x509.CertPool) asker {
	return asker{&http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// The content codings that a request offers: none where the text of the answer is
// read, and all where it matters whether a proxy compresses.
const (
	uncompressed = "identity"
	compressed   = "gzip, br, zstd, deflate"
)

// maxBody is as much of a page as is read.
const maxBody = 256 << 10

func (a asker) get(ctx context.Context, address, host, codings string) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Host = host
	request.Header.Set("Accept-Encoding", codings)
	request.Header.Set("User-Agent", "latchkey-doctor")
	response, err := a.client.Do(request)
	if err != nil {
		return nil, plain(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, plain(err)
	}
	return &reply{
		status: response.StatusCode, location: response.Header.Get("Location"), header: response.Header, body: string(body), tls: response.TLS,
	}, nil
}

// errTimeout says that no answer came in time.
var errTimeout = fmt.Errorf("no answer within %s", askTimeout)

// plain leaves the address out of an error, because the check names it.
func plain(err error) error {
	if failure, ok := errors.AsType[*url.Error](err); ok {
		err = failure.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errTimeout
	}
	return err
}

// public checks the server here and the way from its public URL to it.
func (o Options) public(ctx context.Context) []Check {
	g := group{name: "Public URL"}
	a := newAsker(o.roots)
	public, err := url.Parse(o.PublicURL)
	if err != nil { // the configuration has checked it
		g.fail("Public URL", err.Error(), "Correct LATCHKEY_PUBLIC_URL.")
		return g.checks
	}
	local := o.local(ctx, &g, a, public.Host)
	if o.reach(ctx, &g, a, local != "") && local != "" {
		o.compare(ctx, &g, a, public.Host, local)
	}
	if public.Scheme == "https" && public.Port() == "" {
		insecure(ctx, &g, a, public.Hostname())
	}
	o.proxies(&g, public.Scheme == "https")
	return g.checks
}

// local asks the server on this machine and returns its address, "" if none answers.
func (o Options) local(ctx context.Context, g *group, a asker, host string) string {
	for _, address := range localAddresses(o.Addr) {
		answer, err := a.get(ctx, address+"/readyz", host, uncompressed)
		if err != nil {
			continue
		}
		switch {
		case answer.ready():
			g.ok("Server", "runs at "+o.Addr+" and is ready")
		case answer.unready():
			g.fail("Server", "runs at "+o.Addr+" and is not ready", whyNotReady)
		default:
			g.fail("Server", fmt.Sprintf("another program answers at %s: /readyz returned %d", o.Addr, answer.status), "Give Latchkey another LATCHKEY_ADDR, or stop that program.")
			return ""
		}
		return address
	}
	g.warn("Server", "no server answers at "+o.Addr, "Start it, or run latchkey doctor where it runs: what it serves cannot be checked.")
	return ""
}

// localAddresses returns where a server with a listen address can be reached.
func localAddresses(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	hosts := []string{host}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		hosts = []string{"127.0.0.1", "::1"}
	}
	list := make([]string, 0, len(hosts))
	for _, host := range hosts {
		list = append(list, "http://"+net.JoinHostPort(host, port))
	}
	return list
}

const (
	whyNotReady = "Its log says why, in the line “request failed” with the path /readyz."
	passAll     = "Let the proxy pass every path of this host to Latchkey."
)

// ready and unready report whether an answer to /readyz is Latchkey's.
func (r *reply) ready() bool { return r.status == http.StatusOK && r.body == "ready\n" }

func (r *reply) unready() bool {
	return r.status == http.StatusServiceUnavailable && r.body == "not ready\n"
}

// reach asks for the portal at the public URL, looks at its certificate, and reports
// whether a portal answers there. If the server here does not run, no answer is a
// warning.
func (o Options) reach(ctx context.Context, g *group, a asker, running bool) bool {
	const name = "Reachable"
	failed := g.fail
	if !running {
		failed = g.warn
	}
	answer, err := a.get(ctx, o.PublicURL+"/readyz", "", uncompressed)
	var page *reply
	if err == nil && !answer.ready() && !answer.unready() {
		page, err = a.get(ctx, o.PublicURL+"/login", "", uncompressed) // the proxy may keep /readyz to itself
	}
	if err != nil {
		detail := fmt.Sprintf("%s cannot be reached from here: %v", o.PublicURL, err)
		if unreachable(err) {
			g.warn(name, detail, "Open it on another machine. If it works there, ignore this: the router does not lead this machine to its own public address. Otherwise check that the proxy runs, and the firewall.")
		} else {
			failed(name, detail, "Check DNS, the certificate and the proxy.")
		}
		return false
	}
	if answer.tls != nil && len(answer.tls.PeerCertificates) > 0 {
		defer o.certificate(g, answer.tls.PeerCertificates[0].NotAfter)
	}
	switch {
	case answer.ready():
		g.ok(name, o.PublicURL+" leads to a portal that is ready")
	case answer.unready():
		failed(name, o.PublicURL+" leads to a portal that is not ready", whyNotReady)
	case page.status >= 300 && page.status < 400:
		failed(name, fmt.Sprintf("%s redirects to %s", o.PublicURL, withoutQuery(page.location)), "Set LATCHKEY_PUBLIC_URL to the address that people end up at, or remove the redirect.")
		return false
	case page.status == http.StatusMisdirectedRequest || page.status == http.StatusOK && tree(page.body) != "":
		g.ok(name, fmt.Sprintf("%s leads to a portal; /readyz, which a proxy may hide, returned %d", o.PublicURL, answer.status))
	default:
		failed(name, fmt.Sprintf("%s/readyz returned %d, and not as Latchkey does", o.PublicURL, answer.status), passAll)
		return false
	}
	return true
}

// unreachable reports whether a request ended before anything answered it: that says
// nothing about other machines, unless the name does not exist.
func unreachable(err error) bool {
	if failure, ok := errors.AsType[*net.DNSError](err); ok && failure.IsNotFound {
		return false
	}
	dial, ok := errors.AsType[*net.OpError](err)
	slow, isNet := errors.AsType[net.Error](err)
	return errors.Is(err, errTimeout) || ok && dial.Op == "dial" || isNet && slow.Timeout()
}

// Days before the end of a certificate. Certificates of 90 days are usually renewed
// 30 days before.
const (
	certificateWarn = 14
	certificateFail = 3
)

func (o Options) certificate(g *group, end time.Time) {
	days := int(end.Sub(o.Now()).Hours() / 24)
	detail := fmt.Sprintf("the certificate is valid for another %s, until %s", counted(days, "day", "days"), end.UTC().Format("2006-01-02"))
	switch {
	case days < certificateFail:
		g.fail("Certificate", detail, "Renew it now.")
	case days < certificateWarn:
		g.warn("Certificate", detail, "Check why it was not renewed.")
	default:
		g.ok("Certificate", detail)
	}
}

var staticTree = regexp.MustCompile(`/static/([0-9a-z]+)/`)

// compare asks for the sign-in page at the public URL, and compares it with the page
// of the server here.
func (o Options) compare(ctx context.Context, g *group, a asker, host, local string) {
	const name = "Sign-in page"
	here, err := a.get(ctx, local+"/login", host, compressed)
	if err != nil {
		g.fail(name, fmt.Sprintf("the server at %s does not answer /login: %v", o.Addr, err), "Its log may say why.")
		return
	}
	answer, err := a.get(ctx, o.PublicURL+"/login", "", compressed)
	switch {
	case err != nil:
		g.fail(name, fmt.Sprintf("%s/login cannot be read: %v, and the server here returns %d", o.PublicURL, err, here.status), passAll)
		return
	case answer.status == http.StatusMisdirectedRequest:
		g.fail("Host", "the proxy changes the header Host: the portal returned 421", "Pass Host unchanged (nginx: proxy_set_header Host $http_host).")
		return
	case answer.status != here.status:
		g.fail(name, fmt.Sprintf("%s/login returned %d, and the server here returns %d", o.PublicURL, answer.status, here.status), passAll)
		return
	case answer.status != http.StatusOK:
		return // another check says that the portal is not ready
	}
	g.ok("Host", "arrives unchanged")
	if coding := answer.header.Get("Content-Encoding"); coding != "" {
		g.warn("Compression", "the proxy compresses pages ("+coding+"), which can reveal what is on them (BREACH)", "Do not compress the portal's pages (nginx: gzip off).")
		return // the rest cannot be read
	}
	if got, want := answer.header.Get("Referrer-Policy"), here.header.Get("Referrer-Policy"); got != want {
		g.fail("Response headers", fmt.Sprintf("the proxy changes Referrer-Policy from %q to %q", want, got), "Leave the portal's response headers alone: with another policy browsers may send forms that are refused.")
	} else if got, want := answer.header.Get("Content-Security-Policy"), here.header.Get("Content-Security-Policy"); got != want {
		g.warn("Response headers", "the proxy changes Content-Security-Policy", "Leave the portal's response headers alone.")
	} else {
		g.ok("Response headers", "arrive unchanged")
	}
	if tree(answer.body) != tree(here.body) {
		g.warn("Same portal", "the public URL leads to another release, or another look, than the server at "+o.Addr, "Check where the proxy leads. During an upgrade with several replicas this is normal.")
	} else {
		g.ok("Same portal", "the public URL and "+o.Addr+" serve the same release")
	}
}

// tree returns the hash of the static files that a page uses.
func tree(page string) string {
	if found := staticTree.FindStringSubmatch(page); found != nil {
		return found[1]
	}
	return ""
}

// insecure checks what http does on a host that is meant for https.
func insecure(ctx context.Context, g *group, a asker, host string) {
	const name = "Plain http"
	answer, err := a.get(ctx, "http://"+host+"/login", "", uncompressed)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		g.ok(name, "port 80 is closed")
	case err != nil:
		g.warn(name, fmt.Sprintf("http://%s cannot be checked from here: %v", host, err), "Make sure that the proxy redirects http to https, or that port 80 is closed.")
	case strings.HasPrefix(answer.location, "https://"+host):
		g.ok(name, "redirects to https")
	case answer.status == http.StatusOK:
		g.fail(name, "http://"+host+" serves a page without redirecting to https", "Let the proxy redirect http to https.")
	default:
		g.warn(name, fmt.Sprintf("http://%s returned %d", host, answer.status), "Let the proxy redirect http to https.")
	}
}

// proxies checks whose X-Forwarded-For is believed.
func (o Options) proxies(g *group, https bool) {
	const name = "Trusted proxies"
	for _, prefix := range o.Proxies {
		if prefix.Bits() == 0 {
			g.fail(name, prefix.String()+" trusts everybody, so anybody can choose the address that limits and the audit log see", "Set LATCHKEY_TRUSTED_PROXIES to the addresses of your proxies.")
			return
		}
	}
	switch {
	case len(o.Proxies) > 0:
		g.ok(name, counted(len(o.Proxies), "network", "networks")+" may send X-Forwarded-For")
	case https:
		g.warn(name, "none, but an https public URL means that a proxy is in front: every visitor appears with the proxy's address and shares its limits",
			"Set LATCHKEY_TRUSTED_PROXIES to its address, and let it append the visitor's to X-Forwarded-For.")
	default:
		g.ok(name, "none: the address of a visitor is that of the connection")
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return cmp.Or(line, "no reason given")
}

func withoutQuery(address string) string {
	before, _, _ := strings.Cut(address, "?")
	return before
}

// counted writes a number and its unit.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
