package main

import (
	"context"
	"encoding/base32"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth/factor"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// argument returns a database URL without its password, which the driver finds in
// PGPASSWORD of this process from then on.
func argument(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	if u.User == nil {
		return databaseURL
	}
	password, _ := u.User.Password()
	t.Setenv("PGPASSWORD", password)
	u.User = url.User(u.User.Username())
	return u.String()
}

// turnOnTwoStep returns the secret of the authenticator app and the recovery codes.
func (b *browser) turnOnTwoStep(s *server) (secret []byte, codes []string) {
	b.t.Helper()
	key := regexp.MustCompile(`id="key" value="([A-Z2-7]{32})"`).FindStringSubmatch(b.get(s, "/profile/security/app", 200).body)
	if key == nil {
		b.t.Fatal("the page has no key")
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key[1])
	if err != nil {
		b.t.Fatal(err)
	}
	done := b.do(s, http.MethodPost, "/profile/security/app", 303, "code", factor.Code(secret, factor.StepAt(time.Now())))
	for _, found := range regexp.MustCompile(`<li>([0-9a-z]{5}-[0-9a-z]{5})\s*</li>`).FindAllStringSubmatch(b.get(s, done.location, 200).body, -1) {
		codes = append(codes, found[1])
	}
	if len(codes) != 10 {
		b.t.Fatalf("the page shows %d codes", len(codes))
	}
	return secret, codes
}

// TestCopyKeepsPeopleSignedIn copies the database of a portal, starts a server on the
// copy with the same secret, and checks that what worked before still works.
func TestCopyKeepsPeopleSignedIn(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, from string) {
		to := testdb.SQLiteURL(t)
		if strings.HasPrefix(from, "sqlite:") {
			to = testdb.PostgresURL(t)
		}
		e := newEnvironment(t, from)
		s := start(t, e)
		_, p := office(t, e, s)
		ada := newBrowser(t, s.addr)
		ada.signUp(s, "ada")
		api, pat := p.signIn(s, "ada"), ada.personalToken(s, "me")
		ended := p.signIn(s, "ada")
		p.do(s, "", http.MethodPost, "/revoke", 200, "token", ended.Refresh)
		id := p.callsItself(s, pat)
		bob := newBrowser(t, s.addr)
		bob.signUp(s, "bob")
		app, codes := bob.turnOnTwoStep(s)
		if code := s.stop(); code != exitDone {
			t.Fatalf("the server ended with %d", code)
		}

		at := argument(t, to)
		copied := command(t, e, "", "copy", "--to", at).exits(exitDone)
		copied.prints("3  users", "Keep LATCHKEY_SECRET as it is.").hides(e.get("LATCHKEY_SECRET"))
		if copied.stderr != "" {
			t.Errorf("no terminal gets %q", copied.stderr)
		}

		s = start(t, e.with("LATCHKEY_DATABASE_URL="+to))
		ada.in(t).get(s, "/profile", 200)
		delete(ada.cookies, "access") // it has expired: the page refreshes the session
		if r := ada.get(s, "/profile", 200); r.cookies["access"] == "" {
			t.Error("the session was not refreshed")
		}
		p.accepted(s, api)
		p.accepted(s, p.refreshed(s, api))
		p.refused(s, ended, 0)
		if got := p.callsItself(s, pat); got != id {
			t.Errorf("the personal access token is of %s, want %s", got, id)
		}
		for path, code := range map[string]string{"/login/recovery": codes[3], "/login/code": factor.Code(app, factor.StepAt(time.Now())+1)} {
			again := newBrowser(t, s.addr)
			again.do(s, http.MethodPost, "/login", 303, "username", "bob", "password", secretWord)
			again.do(s, http.MethodPost, path, 303, "code", code)
			again.get(s, "/profile", 200)
		}
		command(t, e, "", "copy", "--to", at).exits(exitFailed).oneLine().complains("--to: ")
	})
}

// TestCopyWrongUse checks what bad arguments and databases get, that nothing is
// created, and that no output has a password.
func TestCopyWrongUse(t *testing.T) {
	dir := t.TempDir()
	from := "sqlite:" + filepath.Join(dir, "from.db")
	e := newEnvironment(t, from)
	command(t, e, "", "migrate", "up").exits(exitDone)
	to := "sqlite:" + filepath.Join(dir, "new", "to.db")
	for _, test := range []struct {
		from, to string
		code     int
		says     []string
	}{
		{from, "postgres://latchkey:hunter2@localhost/latchkey", exitUsage, []string{"--to holds a password", "PGPASSWORD", "~/.pgpass"}},
		{from, "postgres://localhost/latchkey?user=a&password=hunter2", exitUsage, []string{"--to holds a password"}},
		{from, "mysql://localhost/latchkey", exitUsage, []string{"--to does not begin with sqlite: or postgres://"}},
		{from, "sqlite:", exitUsage, []string{"--to has no path"}},
		{from, from, exitFailed, []string{"--to: this is the source database"}},
		{from, "postgres://127.0.0.1:1/latchkey", exitFailed, []string{"--to: ", "refused"}},
		{"sqlite:" + filepath.Join(dir, "missing.db"), to, exitFailed, []string{"LATCHKEY_DATABASE_URL: there is no database file"}},
		{"postgres://latchkey:hunter2@127.0.0.1:1/latchkey", to, exitFailed, []string{"LATCHKEY_DATABASE_URL: ", "refused"}},
	} {
		command(t, e.with("LATCHKEY_DATABASE_URL="+test.from), "", "copy", "--to", test.to).exits(test.code).oneLine().complains(test.says...).hides("hunter2")
	}
	command(t, e, "", "copy").exits(exitUsage).oneLine().complains("--to")
	if _, err := os.Stat(filepath.Join(dir, "new")); !os.IsNotExist(err) {
		t.Errorf("the folder of the target: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "missing.db")); !os.IsNotExist(err) {
		t.Errorf("the file of the source: %v", err)
	}
	s := start(t, e)
	command(t, e, "", "copy", "--to", to).exits(exitFailed).oneLine().complains("LATCHKEY_DATABASE_URL: " + models.ErrInUse.Error())
	s.stop()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stderr strings.Builder
	if code := run(ctx, process{args: []string{"copy", "--to", to}, environ: e, stdin: strings.NewReader(""), stdout: &stderr, stderr: &stderr}); code != exitFailed {
		t.Errorf("a stopped copy exits with %d", code)
	}
	if want := "latchkey: stopped: nothing was copied, and the target is as it was before\n"; stderr.String() != want {
		t.Errorf("a stopped copy says %q, want %q", stderr.String(), want)
	}
}

// TestCopyNotUndone checks that a stopped copy whose target could not be emptied again
// does not say that the target is as it was.
func TestCopyNotUndone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := copyError(ctx, models.NotUndoneError{Err: ctx.Err(), Undo: errors.New("connection refused")})
	if want := "--to: stopped; the database could not be emptied again (connection refused): name another one"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// TestCopySecret checks what is said about the secret, which is never printed, and
// that it is right: a server on the copy keeps people signed in.
func TestCopySecret(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	e := newEnvironment(t, "sqlite:"+filepath.Join(dir, "latchkey.db"))
	advice := func(to string, want string) {
		t.Helper()
		at := argument(t, to)
		o := command(t, e.with("LATCHKEY_SECRET="), "", "copy", "--to", at).exits(exitDone).prints(want)
		if data, err := os.ReadFile(secret); err == nil {
			o.hides(strings.TrimSpace(string(data)))
		}
	}
	command(t, e.with("LATCHKEY_SECRET="), "", "migrate", "up").exits(exitDone)
	advice(testdb.SQLiteURL(t), "The server generates a secret beside the database file.")
	s := start(t, e.with("LATCHKEY_SECRET="))
	ada := newBrowser(t, s.addr)
	ada.signUp(s, "ada")
	s.stop()
	advice("sqlite:"+filepath.Join(dir, "other.db"), "Keep "+secret)
	there := filepath.Join(t.TempDir(), "latchkey.db")
	advice("sqlite:"+there, "cp -p "+secret+" "+filepath.Join(filepath.Dir(there), "secret"))
	to := testdb.PostgresURL(t)
	advice(to, "Set LATCHKEY_SECRET_FILE="+secret)
	s = start(t, e.with("LATCHKEY_SECRET=", "LATCHKEY_SECRET_FILE="+secret, "LATCHKEY_DATABASE_URL="+to))
	ada.get(s, "/profile", 200)
}
