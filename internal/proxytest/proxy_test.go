package proxytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	portalHost = "id.example.org"
	appHost    = "app.example.org"
	examples   = "../../examples/forward-auth"
	patience   = 30 * time.Second
)

// proxy is a reverse proxy with which forward-auth is tested.
type proxy struct {
	name    string
	start   func(t *testing.T, program string, b backends) (addr string, roots *x509.CertPool)
	title   string // in the documentation
	version string // the argument that prints it
}

var proxies = []proxy{
	{"nginx", startNginx, "nginx", "-v"},
	{"caddy", startCaddy, "Caddy", "version"},
	{"haproxy", startHAProxy, "HAProxy", "-v"},
	{"apache2", startApache, "Apache", "-v"},
	{"traefik", startTraefik, "Traefik", "version"},
}

// findProgram finds a program on this machine.
func findProgram(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", traefikDir(t)) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	missing(t, name)
	return ""
}

// missing skips a test that needs a program, or fails it with
// LATCHKEY_TEST_STRICT=1.
func missing(t *testing.T, name string) {
	t.Helper()
	message := name + " is not installed: scripts/bring " + name
	if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// backends are the addresses of the portal and the app.
type backends struct {
	portal, app string
	changes     []string // of the proxy's configuration, old and new in turn
}

// example returns an example's configuration with the changes for the app, and
// with the addresses of this test in place of the documented ones.
func (b backends) example(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text := replaced(t, read(t, filepath.Join(examples, name)), b.changes...)
	changed := strings.NewReplacer("127.0.0.1:8080", b.portal, "127.0.0.1:9000", b.app).Replace(text)
	if changed == text {
		t.Fatalf("%s names neither the portal nor the app", name)
	}
	return replaced(t, changed, replace...)
}

// replaced replaces parts of a text. The text must contain all of them.
func replaced(t *testing.T, text string, replace ...string) string {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("there is no %q in\n%s", replace[i], text)
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return text
}

func startNginx(t *testing.T, program string, b backends) (string, *x509.CertPool) {
	dir, addr := t.TempDir(), freeAddr(t)
	certFile, keyFile, roots := certificate(t, dir)
	write(t, filepath.Join(dir, "forward-auth.conf"), b.example(t, "nginx.conf",
		"listen 443 ssl", "listen "+addr+" ssl",
		"/etc/ssl/example.org/fullchain.pem", certFile,
		"/etc/ssl/example.org/privkey.pem", keyFile,
	))
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // only this user can read the folder
	}
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "    %s_temp_path %s/%s;\n", kind, dir, kind)
	}
	main := filepath.Join(dir, "nginx.conf")
	write(t, main, fmt.Sprintf(`daemon off; %s
pid %[2]s/pid; error_log stderr; worker_processes 1;
events {}
http {
    access_log off;
%[3]s    include %[2]s/forward-auth.conf;
}
`, user, dir, temp.String()))
	run(t, nil, program, "-p", dir, "-e", "stderr", "-c", main)
	return addr, roots
}

func startCaddy(t *testing.T, program string, b backends) (string, *x509.CertPool) {
	dir, addr := t.TempDir(), freeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "forward-auth"), b.example(t, "Caddyfile"))
	main := filepath.Join(dir, "Caddyfile")
	// Its own certificate authority, which it does not install on this machine.
	write(t, main, fmt.Sprintf(`{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	default_bind 127.0.0.1
	https_port %s
	servers {
		protocols h1 h2
	}
}
import %s/forward-auth
`, port, dir))
	run(t, []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, program, "run", "--config", main, "--adapter", "caddyfile")
	root := filepath.Join(dir, "caddy", "pki", "authorities", "local", "root.crt")
	var pemText []byte
	waitFor(t, "Caddy's authority", func() bool {
		pemText, err = os.ReadFile(root)
		return err == nil && bytes.Contains(pemText, []byte("END CERTIFICATE"))
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pemText)
	return addr, roots
}

// untilStdinEnds runs a program and ends it at the end of standard input: the kernel
// closes that pipe, however this process ends.
const untilStdinEnds = `"$@" </dev/null & child=$!; cat >/dev/null; kill "$child" 2>/dev/null; wait "$child"`

// run starts a program and stops it at the end of the test.
func run(t *testing.T, env []string, argv ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command("/bin/sh", append([]string{"-c", untilStdinEnds, "run"}, argv...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C must reach only this process
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = lifeline.Close()
		_ = cmd.Wait() // its log says how it ended
		if t.Failed() {
			t.Logf("output of %s:\n%s", argv[0], said.String())
		}
	})
}

// certificate creates a certificate for every host below example.org, and a pool of
// authorities that contains it.
func certificate(t *testing.T, dir string) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "forward-auth test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"*.example.org"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, certFile, string(certPEM))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}

// transport connects every name to one address.
func transport(addr string, roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: patience}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	tr.DialContext = dialer.DialContext
	if addr != "" {
		tr.DialContext = dialTo(dialer, addr)
	}
	return tr
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddr returns an address of the loopback interface on which no process listens
// now.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v without success for %s", patience, what)
		}
	}
}
