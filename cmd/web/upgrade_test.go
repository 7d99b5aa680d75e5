package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/migrations"
)

// TestBesideTheVersionBefore runs the program from before the newest migration beside
// this one, as a rolling upgrade does: after this one has migrated the database, people
// and programs are served by both.
func TestBesideTheVersionBefore(t *testing.T) {
	program := versionBefore(t)
	e := newEnvironment(t, testdb.PostgresURL(t), "LATCHKEY_LIMITS=off")
	e = e.with("LATCHKEY_PUBLIC_URL=http://" + e.get("LATCHKEY_ADDR"))
	out := newOutput()
	old := launchProgram(t, program, e, out, out)
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

// versionBefore builds the program of the commit before the one that added the newest
// migration and returns its path. Later runs find it in the user's cache.
func versionBefore(t *testing.T) string {
	t.Helper()
	files, err := fs.Glob(migrations.Files, "postgres/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	commit := "HEAD" // the newest migration is not committed
	added, err := moduleRun("git", "log", "--diff-filter=A", "--format=%H", "-1", "--", "migrations/"+files[len(files)-1])
	if err == nil && added != "" {
		commit = added + "^"
	}
	if err == nil {
		commit, err = moduleRun("git", "rev-parse", "--verify", "--quiet", commit)
	}
	if err != nil {
		const what = "NOT TESTED BESIDE THE VERSION BEFORE: the history of the repository is not here"
		if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
			t.Fatalf("%s: %v", what, err)
		}
		t.Skipf("%s: %v", what, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	program := filepath.Join(cache, "latchkey-test", commit+"-"+runtime.Version())
	if _, err := os.Stat(program); err == nil {
		return program
	}
	source := t.TempDir()
	built := filepath.Join(source, "latchkey-of-then")
	for _, args := range [][]string{
		{"git", "archive", "--output=" + filepath.Join(source, "source.tar"), commit},
		{"tar", "-xf", filepath.Join(source, "source.tar"), "-C", source},
		{"go", "-C", source, "build", "-o", built, "./cmd/web"},
		{"mkdir", "-p", filepath.Dir(program)},
		{"cp", built, program + ".new"},
		{"mv", program + ".new", program}, // in one step: other processes may look for it
	} {
		if said, err := moduleRun(args...); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
	return program
}

// moduleRun runs a program in the folder of the module and returns what it prints.
func moduleRun(args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = filepath.Join("..", "..")
	said, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}
