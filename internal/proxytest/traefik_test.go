package proxytest

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func startTraefik(t *testing.T, program string, b backends) (string, *x509.CertPool) {
	dir, addr := t.TempDir(), freeAddr(t)
	certFile, keyFile, roots := certificate(t, dir)
	static, dynamic := filepath.Join(dir, "traefik.yaml"), filepath.Join(dir, "dynamic.yaml")
	write(t, dynamic, b.example(t, "traefik.yaml",
		"/etc/ssl/example.org/fullchain.pem", certFile,
		"/etc/ssl/example.org/privkey.pem", keyFile,
	))
	write(t, static, replaced(t, read(t, filepath.Join(examples, "traefik-static.yaml")),
		"address: :443", "address: "+addr,
		"/etc/traefik/dynamic.yaml", dynamic,
	))
	run(t, nil, program, "--configfile="+static)
	return addr, roots
}

// traefikDir returns the folder in which scripts/build-traefik puts the program.
func traefikDir(t *testing.T) string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, "../../scripts/build-traefik"), "\nversion=")
	version, _, _ := strings.Cut(rest, "\n")
	cache, err := os.UserCacheDir()
	if !found || err != nil {
		t.Fatalf("no folder of Traefik: version found %t, %v", found, err)
	}
	return filepath.Join(cache, "latchkey", "traefik-"+version)
}
