package proxytest

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// apacheModules are the modules that the configuration needs, and the one of
// Debian's defaults that limits how slowly a client may send.
var apacheModules = []string{
	"mpm_event", "authz_core", "reqtimeout", "ssl", "headers", "proxy", "proxy_http", "lua",
}

func startApache(t *testing.T, program string, b backends) (string, *x509.CertPool) {
	dir, addr := t.TempDir(), freeAddr(t)
	certFile, keyFile, roots := certificate(t, dir)
	script, site := filepath.Join(dir, "latchkey.lua"), filepath.Join(dir, "forward-auth.conf")
	write(t, script, b.example(t, "apache.lua"))
	write(t, site, b.example(t, "apache.conf",
		"/etc/apache2/latchkey.lua", script,
		"*:443", addr,
		"/etc/ssl/example.org/fullchain.pem", certFile,
		"/etc/ssl/example.org/privkey.pem", keyFile,
	))
	var load strings.Builder
	for _, name := range apacheModules {
		fmt.Fprintf(&load, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", name, name)
	}
	if os.Geteuid() == 0 { // as on Debian
		load.WriteString("User www-data\nGroup www-data\n")
		for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o711, script: 0o644} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	main := filepath.Join(dir, "apache2.conf")
	write(t, main, fmt.Sprintf(`%sServerName localhost
ServerRoot %[2]s
DefaultRuntimeDir %[2]s
PidFile %[2]s/pid
ErrorLog /dev/stderr
Listen %[3]s
RequestReadTimeout header=20-40,minrate=500
RequestReadTimeout body=10,minrate=500
<Directory />
    Require all denied
</Directory>
Include %[4]s
`, load.String(), dir, addr, site))
	run(t, nil, program, "-DFOREGROUND", "-f", main)
	return addr, roots
}
