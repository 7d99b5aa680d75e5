package main

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/internal/testdb"
)

// asMain is a variable that makes this test binary run as the program. The tests
// start their servers that way, with the race detector if the tests use it.
const asMain = "RUN_AS_MAIN"

// withLease is a variable with the lease of deliveries of such a program.
const withLease = "RUN_WITH_LEASE"

// withPurge is a variable with the time from the start of such a program to its first
// purge.
const withPurge = "RUN_WITH_PURGE"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) == "1" {
		deliveryLease, _ = time.ParseDuration(os.Getenv(withLease)) // "": 0, the default
		if after, err := time.ParseDuration(os.Getenv(withPurge)); err == nil {
			firstPurge = after
		}
		main() // ends the process
	}
	testdb.Main(m)
}

const secretWord = "violet harbour 42 lanterns"

// environment are the variables of a portal.
type environment []string

// newEnvironment returns the variables of a portal on a database, with its own
// port and secret.
func newEnvironment(t *testing.T, databaseURL string, more ...string) environment {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	port := strconv.Itoa(freePort(t))
	return append(environment{
		"LATCHKEY_DATABASE_URL=" + databaseURL, "LATCHKEY_SECRET=" + hex.EncodeToString(secret),
		"LATCHKEY_ADDR=localhost:" + port, "LATCHKEY_SMTP_URL=file:" + filepath.Join(t.TempDir(), "mail"),
	}, more...)
}

// with returns the environment with more variables, which override earlier ones.
func (e environment) with(more ...string) environment {
	return append(append(environment{}, e...), more...)
}

func (e environment) get(name string) string {
	p := process{environ: e}
	return p.getenv(name)
}

// freePort returns a port that no process listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := testdb.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// outcome is the exit code and the output of a command.
type outcome struct {
	t              *testing.T
	command        string
	code           int
	stdout, stderr string
}

// command runs a command inside this process.
func command(t *testing.T, e environment, stdin string, args ...string) *outcome {
	t.Helper()
	var stdout, stderr strings.Builder
	code := run(t.Context(), process{args: args, environ: e, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr})
	return &outcome{t: t, command: strings.Join(args, " "), code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// exits checks the exit code.
func (o *outcome) exits(want int) *outcome {
	o.t.Helper()
	if o.code != want {
		o.t.Errorf("latchkey %s: got exit code %d, want %d\nstdout: %s\nstderr: %s", o.command, o.code, want, o.stdout, o.stderr)
	}
	return o
}

// prints checks standard output.
func (o *outcome) prints(texts ...string) *outcome {
	o.t.Helper()
	for _, want := range texts {
		if !strings.Contains(o.stdout, want) {
			o.t.Errorf("latchkey %s: stdout does not contain %q:\n%s", o.command, want, o.stdout)
		}
	}
	return o
}

// complains checks standard error.
func (o *outcome) complains(texts ...string) *outcome {
	o.t.Helper()
	for _, want := range texts {
		if !strings.Contains(o.stderr, want) {
			o.t.Errorf("latchkey %s: stderr does not contain %q:\n%s", o.command, want, o.stderr)
		}
	}
	return o
}

// oneLine checks that standard error is one line that begins with "latchkey: ".
func (o *outcome) oneLine() *outcome {
	o.t.Helper()
	if strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, "latchkey: ") {
		o.t.Errorf("latchkey %s: stderr is not one line that begins with \"latchkey: \":\n%s", o.command, o.stderr)
	}
	return o
}
