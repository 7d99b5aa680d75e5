package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/api.md anew")

const tutorials = "../tutorials"

// tutorialClients are the clients of ../tutorials with the title of the document
// that each follows, and the person it signs in as.
var tutorialClients = []struct{ file, title, username string }{
	{"oauth2_jwt", "Secure FastAPI: Implement OAuth2 with JWT for Bulletproof API Authentication", "johndoe"},
	{"verify_tokens", "Verifying JWT tokens to secure API endpoints in FastAPI (a lesson)", "user1"},
	{"jwt_part1", "Get started with FastAPI JWT authentication – Part 1", "newcomer"},
	{"deep_dive", "Securing Modern Web APIs: A Deep Dive into FastAPI and JWT Implementation", "johndoe"},
}

// exchanged is a request of a client and the answer, as ../tutorials/tutorial.py
// prints it.
type exchanged struct {
	Request string          `json:"request"`
	What    string          `json:"what"`
	Status  int             `json:"status"`
	Body    json.RawMessage `json:"body"`
}

func (e exchanged) title() string { return e.Request + ", " + e.What }

// TestTutorials runs the clients against Latchkey and this service under one
// address, and compares what they got with the table of docs/api.md.
func TestTutorials(t *testing.T) {
	python := programOf(t, "python3")
	front := proxy{"caddy", tutorialCaddy}
	caddy := front.program(t)
	l := startTutorials(t, caddy, front)

	var table strings.Builder
	table.WriteString("| request | the tutorial's server | Latchkey |\n| --- | --- | --- |\n")
	for _, client := range tutorialClients {
		cmd := exec.CommandContext(t.Context(), python, "-B", client.file+".py", l.url, client.username, password)
		cmd.Dir, cmd.Stderr = tutorials, t.Output()
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", client.file, err, out)
			continue
		}
		recorded, err := os.ReadFile(filepath.Join(tutorials, "recorded", client.file+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| **%s** | | |\n", client.title)
		got, theirs := exchanges(t, out), exchanges(t, recorded)
		if len(got) != len(theirs) {
			t.Fatalf("%s: %d requests, recorded %d", client.file, len(got), len(theirs))
		}
		for i, e := range got {
			if e.title() != theirs[i].title() || e.Status != theirs[i].Status {
				t.Errorf("%s: %s: got %d; the tutorial's server: %s: %d", client.file, e.title(), e.Status, theirs[i].title(), theirs[i].Status)
			}
			fmt.Fprintf(&table, "| `%s`, %s | %s | %s |\n", e.Request, e.What, theirs[i].cell(), e.cell())
		}
	}
	if !t.Failed() {
		checkTable(t, table.String())
	}
}

// cell is the answer as a cell of the table. A list of faults is shortened to
// the places.
func (e exchanged) cell() string {
	var faulty struct {
		Detail []struct{ Loc []string }
	}
	body := string(e.Body)
	if json.Unmarshal(e.Body, &faulty) == nil && len(faulty.Detail) > 0 {
		var places []string
		for _, fault := range faulty.Detail {
			places = append(places, `{"loc":["`+strings.Join(fault.Loc, `","`)+`"],…}`)
		}
		body = `{"detail":[` + strings.Join(places, ",") + `]}`
	}
	return fmt.Sprintf("%d `%s`", e.Status, strings.ReplaceAll(body, "|", "\\|"))
}

func exchanges(t *testing.T, lines []byte) []exchanged {
	t.Helper()
	var list []exchanged
	for line := range bytes.Lines(lines) {
		var e exchanged
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, e.Body); err != nil {
			t.Fatal(err)
		}
		e.Body = compact.Bytes()
		list = append(list, e)
	}
	return list
}

// checkTable compares the table of docs/api.md with want, or rewrites it.
func checkTable(t *testing.T, want string) {
	t.Helper()
	const file, begin, end = "../../docs/api.md", "<!-- tutorials: written by a test -->\n", "<!-- tutorials: end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of the tutorials in docs/api.md is out of date: run\n"+
			"\tcd examples/protected-service && go test -run TestTutorials -update\nThe clients got:\n%s", want)
	}
}

// startTutorials starts Latchkey and this service behind the proxy, under one
// address.
func startTutorials(t *testing.T, program string, front proxy) *latchkey {
	t.Helper()
	dir, public := t.TempDir(), site{port: freePort(t)}
	l := startLatchkey(t, "LATCHKEY_PUBLIC_URL="+public.url(), "LATCHKEY_TRUSTED_PROXIES=127.0.0.1")
	public.backend = strings.TrimPrefix(l.url, "http://")
	// The service asks for a token of its own at the address of the portal, which
	// answers once the proxy runs.
	backend := freePort(t)
	server := exec.Command(program, front.write(t, dir, public, site{backend: "127.0.0.1:" + backend})...)
	server.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	start(t, server)
	l.url = public.url()
	waitUntilReady(t, l.url+"/readyz")

	boss := l.browser()
	boss.post("/login", "username", "boss", "password", password)
	token, _ := boss.accessToken("introspect")
	service := exec.Command(serviceBinary(t))
	service.Env = []string{"ADDR=127.0.0.1:" + backend, "PORTAL_URL=" + l.url, "PORTAL_TOKEN=" + token}
	start(t, service)
	waitUntilReady(t, l.url+"/notsecret")
	for username, name := range map[string]string{"johndoe": "John Doe", "user1": ""} {
		l.browser().post("/signup", "username", username, "email", username+"@example.org", "full_name", name, "password", password)
	}
	return l
}

// serviceBinary builds this service.
func serviceBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "protected-service")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the service: %v\n%s", err, out)
	}
	return binary
}

// tutorialCaddy adapts ../tutorials/Caddyfile.
func tutorialCaddy(t *testing.T, dir string, portal, app site) []string {
	t.Helper()
	example(t, "../tutorials/Caddyfile", filepath.Join(dir, "tutorials"),
		"id.example.org {", portal.url()+" {", "127.0.0.1:8080", portal.backend, "127.0.0.1:9000", app.backend)
	write(t, filepath.Join(dir, "Caddyfile"), "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\nimport tutorials\n")
	return []string{"run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile"}
}
