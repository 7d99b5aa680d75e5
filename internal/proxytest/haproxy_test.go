package proxytest

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

func startHAProxy(t *testing.T, program string, b backends) (string, *x509.CertPool) {
	dir, addr := t.TempDir(), freeAddr(t)
	certFile, keyFile, roots := certificate(t, dir)
	both := filepath.Join(dir, "both.pem")
	write(t, both, read(t, certFile)+read(t, keyFile))
	script, main := filepath.Join(dir, "latchkey.lua"), filepath.Join(dir, "haproxy.cfg")
	write(t, script, b.example(t, "haproxy.lua"))
	write(t, main, b.example(t, "haproxy.cfg",
		"/etc/haproxy/latchkey.lua", script,
		"bind :443", "bind "+addr,
		"/etc/haproxy/example.org.pem", both,
	))
	run(t, nil, program, "-db", "-f", main)
	return addr, roots
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
