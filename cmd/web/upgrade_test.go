package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"latchkey/internal/previous"
	"latchkey/internal/testdb"
)

// TestBesideTheVersionBefore runs the program from before the newest migration beside
// this one, as a rolling upgrade does: after this one has migrated the database, people
// and programs are served by both.
func TestBesideTheVersionBefore(t *testing.T) {
	program := versionBefore(t)
	e := newEnvironment(t, testdb.PostgresURL(t), "LATCHKEY_LIMITS=off")
	e = e.with("LATCHKEY_PUBLIC_URL=http://" + e.get("LATCHKEY_ADDR"))
	out := newOutput()
	old := launchProgram(t, program.Path, e, out, out)
	old.waitReady(http.StatusOK)
	command(t, e, "", "migrate", "status", "--exit-code").exits(exitFailed).prints("pending")
	live(t, old, old, "before") // its statements are prepared now
	travellers := newBrowser(t, old.addr)
	travellers.signUp(old, "traveller")

	latest := start(t, e.with(fmt.Sprintf("LATCHKEY_ADDR=localhost:%d", freePort(t))))
	command(t, e, "", "migrate", "status", "--exit-code").exits(exitDone)
	live(t, old, old, "old")
	live(t, latest, old, "new")
	for range 2 { // a session goes back and forth
		for _, s := range []*server{latest, old} {
			delete(travellers.cookies, "access")
			travellers.get(s, "/profile", 200)
		}
	}
	// Programs from before /readyz wrote need the very schema that they know.
	if program.Has(t.Context(), "models/ready.go") {
		if got := old.answers("/readyz"); got != http.StatusOK {
			t.Errorf("/readyz of the version before says %d, want 200", got)
		}
	}
}

// live signs up, refreshes, signs out, signs in, uses the API and changes the password
// at one server. host is the one of the public URL.
func live(t *testing.T, s, host *server, name string) {
	t.Helper()
	b := newBrowser(t, host.addr)
	b.signUp(s, name)
	delete(b.cookies, "access")
	b.get(s, "/profile", 200)
	b.do(s, http.MethodPost, "/logout", 303)
	b.get(s, "/profile", 303)
	b.signIn(s, name)
	p := &program{t: t, host: host.addr}
	p.callsItself(s, b.personalToken(s, "me"))
	p.callsItself(s, p.refreshed(s, p.signIn(s, name)).Access)
	b.do(s, http.MethodPost, "/profile/password", 303, "current_password", secretWord, "new_password", "copper meadow 17 whistles")
	b.get(s, "/profile", 200)
}

// versionBefore builds the program from before the newest migration, or skips the test.
// It fails with LATCHKEY_TEST_STRICT=1 if Git is missing, which can be installed.
func versionBefore(t *testing.T) *previous.Program {
	t.Helper()
	program, err := previous.Build(t.Context(), filepath.Join("..", ".."), t.TempDir())
	missing := errors.Is(err, exec.ErrNotFound) && os.Getenv("LATCHKEY_TEST_STRICT") != "1"
	if missing || errors.Is(err, previous.ErrNoHistory) {
		t.Skipf("NOT TESTED BESIDE THE VERSION BEFORE: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return program
}
