package programs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// password has characters that incorrect encoding would change.
const password = "zwölf Reiher & 100% + mehr = ruhig"

// program is an OAuth program with the steps of its client.
type program struct {
	name  string
	steps []string
	run   func(t *testing.T, p *portal) (version string, done []string)
}

// Steps that programs have in common.
const (
	discovery  = "discovery"      // finds the endpoints by RFC 8414
	signIn     = "password"       // gets tokens with a password
	use        = "use"            // reads /users/me
	refresh    = "refresh"        // gets the next pair of tokens
	introspect = "introspect"     // checks tokens as a service does
	wrong      = "wrong password" // gets invalid_grant as the program's own error
	reuse      = "reuse"          // a used refresh token ends the session
	revoke     = "revoke"         // a revoked refresh token gets invalid_grant
	pages      = "pages"          // curl -X POST -L from the sign-in form
)

var programs = []program{
	{"requests-oauthlib", []string{signIn, use, refresh, introspect, wrong, reuse, revoke}, python("requests_oauthlib", "requests-oauthlib.py")},
	{"Authlib", []string{discovery, signIn, use, refresh, introspect, wrong, reuse, revoke}, python("authlib", "authlib-client.py")},
	{"httpx", []string{discovery, signIn, use, refresh, introspect, wrong, reuse, revoke}, python("httpx", "httpx-client.py")},
	{"openid-client", []string{discovery, signIn, use, refresh, introspect, wrong, reuse, revoke}, node("openid-client.mjs")},
	{"oauth4webapi", []string{discovery, signIn, use, refresh, introspect, wrong, reuse, revoke}, node("oauth4webapi.mjs")},
	{"simple-oauth2", []string{signIn, use, refresh, wrong, reuse, revoke}, node("simple-oauth2.mjs")},
	{"golang.org/x/oauth2", []string{signIn, use, refresh, wrong, reuse}, xoauth2},
	{"curl", []string{discovery, signIn, use, refresh, introspect, wrong, reuse, revoke, pages}, curl},
}

// TestPrograms runs every program and fails unless all of its steps succeed.
func TestPrograms(t *testing.T) {
	p := startPortal(t)
	for _, program := range programs {
		t.Run(program.name, func(t *testing.T) {
			t.Parallel()
			version, done := program.run(t, p)
			t.Logf("%s %s: %s", program.name, version, strings.Join(done, ", "))
			if !slices.Equal(done, program.steps) {
				t.Errorf("got the steps %q, want %q", done, program.steps)
			}
			checkDocumented(t, program, version)
		})
	}
}

var debian = []string{"requests-oauthlib", "Authlib", "httpx", "curl"}

// checkDocumented fails unless the table in docs/api.md has the program's row. The
// versions of Debian's packages change with Debian, so only the versions that are
// pinned here must match.
func checkDocumented(t *testing.T, program program, version string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	named := version
	if slices.Contains(debian, program.name) {
		named = "*"
	}
	row := "| " + program.name + " | " + named + " | " + strings.Join(program.steps, ", ") + " |"
	pattern := strings.ReplaceAll(regexp.QuoteMeta(row), `\*`, `[^|]+`)
	if !regexp.MustCompile(`(?m)^` + pattern + `$`).Match(text) {
		t.Errorf("docs/api.md has no row\n%s", row)
	}
}

// python runs a client with the interpreter of the system, which has Debian's
// packages.
func python(module, file string) func(*testing.T, *portal) (string, []string) {
	return func(t *testing.T, p *portal) (string, []string) {
		t.Helper()
		for _, interpreter := range []string{"/usr/bin/python3", "python3"} {
			if exec.CommandContext(t.Context(), interpreter, "-c", "import "+module).Run() == nil {
				return p.client(t, interpreter, file)
			}
		}
		missing(t, module, "python-oauth")
		return "", nil
	}
}

// node runs a client whose packages npm has installed beside it.
func node(file string) func(*testing.T, *portal) (string, []string) {
	return func(t *testing.T, p *portal) (string, []string) {
		t.Helper()
		if _, err := exec.LookPath("node"); err != nil {
			missing(t, "node", "node-oauth")
		}
		if _, err := os.Stat("clients/node_modules/" + strings.TrimSuffix(file, ".mjs")); err != nil {
			missing(t, file, "node-oauth")
		}
		return p.client(t, "node", file)
	}
}

func curl(t *testing.T, p *portal) (string, []string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		missing(t, "curl", "curl")
	}
	return p.client(t, "bash", "curl.sh")
}

// missing skips a test, or fails it with LATCHKEY_TEST_STRICT=1.
func missing(t *testing.T, what, bring string) {
	t.Helper()
	message := what + " is not installed: scripts/bring " + bring
	if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// client runs a client of the directory clients, which must succeed. It returns
// the version and the steps that the client prints.
func (p *portal) client(t *testing.T, interpreter, file string) (version string, done []string) {
	t.Helper()
	username := p.person(t)
	var output bytes.Buffer
	command := exec.CommandContext(t.Context(), interpreter, file)
	command.Dir = "clients"
	command.Env = append(os.Environ(), "PORTAL="+p.url, "PORTAL_USERNAME="+username, "PORTAL_PASSWORD="+password,
		"PORTAL_SERVICE_TOKEN="+p.serviceToken, "OAUTHLIB_INSECURE_TRANSPORT=1", "AUTHLIB_INSECURE_TRANSPORT=1",
		"PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		t.Errorf("%s: %v\n%s", filepath.Join("clients", file), err, output.Bytes())
	}
	for line := range strings.Lines(output.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "version":
			version = value
		case "step":
			done = append(done, value)
		}
	}
	return version, done
}

// moduleVersion returns the version of a module in the build of this test.
func moduleVersion(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, version, found := strings.Cut(string(text), path+" v")
	if !found {
		t.Fatalf("go.mod does not require %s", path)
	}
	return strings.Fields(version)[0]
}
