package proxytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentation checks that docs/forward-auth.md contains exactly the files that
// these tests run.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/forward-auth.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, language := range map[string]string{
		"forward-auth.toml": "toml", "nginx.conf": "nginx", "Caddyfile": "", "traefik.yaml": "yaml", "traefik-static.yaml": "yaml",
		"haproxy.cfg": "", "haproxy.lua": "lua", "apache.conf": "apache", "apache.lua": "lua",
		"radicale/radicale.conf": "ini", "radicale/nginx.conf": "nginx", "radicale/Caddyfile": "",
		"miniflux/miniflux.conf": "ini", "miniflux/maps.conf": "nginx", "miniflux/nginx.conf": "nginx", "miniflux/Caddyfile": "",
	} {
		text, err := os.ReadFile(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "\n```"+language+"\n"+string(text)+"```\n") {
			t.Errorf("docs/forward-auth.md does not contain %s unchanged", name)
		}
	}
}

// checkDocumented fails unless the table of docs/forward-auth.md has the proxy's row.
// The versions of Debian's packages change with Debian, so the row may name another
// version than the test runs.
func checkDocumented(t *testing.T, p proxy, program string) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), program, p.version).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`\d+\.\d+\.\d+`)
	t.Logf("%s %s", p.title, number.Find(said))
	page, err := os.ReadFile("../../docs/forward-auth.md")
	if err != nil {
		t.Fatal(err)
	}
	row := `(?m)^\| ` + p.title + ` \| ` + number.String() + ` \((Debian 12|built from its Go module)\) \|$`
	if !regexp.MustCompile(row).Match(page) {
		t.Errorf("docs/forward-auth.md has no row %s", row)
	}
}
