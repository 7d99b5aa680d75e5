package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/testdb"
)

// eachBackedUp runs f on each database that can be backed up here.
func eachBackedUp(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		if _, err := exec.LookPath("pg_dump"); err != nil && strings.HasPrefix(databaseURL, "postgres") {
			t.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
		}
		f(t, databaseURL)
	})
}

// databaseName returns the name of a PostgreSQL database.
func databaseName(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// TestBackupAndRestore backs up a running portal, changes it, restores the backup, and
// checks what people and programs find.
func TestBackupAndRestore(t *testing.T) {
	eachBackedUp(t, func(t *testing.T, databaseURL string) {
		e, file := newEnvironment(t, databaseURL), filepath.Join(t.TempDir(), "portal.backup")
		s := start(t, e)
		boss, program := office(t, e, s)
		ana := newBrowser(t, s.addr)
		ana.signUp(s, "ana")
		api := program.signIn(s, "ana")

		command(t, e, "", "backup", file).exits(exitDone).prints("The backup is in "+file+" (", "The master secret is not in it: keep LATCHKEY_SECRET elsewhere")
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("the backup: %v (%v), want the mode 0600", info, err)
		}
		command(t, e, "", "backup", file).exits(exitFailed).oneLine().complains(file + " exists already")

		delete(ana.cookies, "access") // the refresh token gets newer than the backup
		ana.get(s, "/profile", http.StatusOK)
		command(t, e, secretWord, "user", "create", "--username=late", "--email=late@example.org", "--password-stdin").exits(exitDone)
		command(t, e, "", "user", "disable", "ana", "--reason=left the team").exits(exitDone)
		if code := s.stop(); code != exitDone {
			t.Errorf("the server ended with %d", code)
		}

		after, args := e, []string{"restore", file}
		if strings.HasPrefix(databaseURL, "postgres") {
			after = e.with("LATCHKEY_DATABASE_URL=" + testdb.PostgresURL(t))
			args = append(args, "--replaced="+databaseName(t, databaseURL))
		}
		restored := command(t, after, "", args...).exits(exitDone).
			prints("user-create", "late", "user-disable", "Reason: left the team", "3 sessions, 1 personal access token", "Everyone has to sign in again")
		if strings.Contains(restored.stdout, "sign-up") {
			t.Errorf("the list has a change from before the backup:\n%s", restored.stdout)
		}

		s = start(t, after)
		ana.get(s, "/profile", http.StatusSeeOther)
		if r := ana.get(s, "/login", http.StatusOK); !strings.Contains(r.body, "You were signed out. Sign in to continue.") || strings.Contains(r.body, "copy of it") {
			t.Errorf("ana is not told kindly:\n%s", r.body)
		}
		program.refusedRefresh(s, api.Refresh)
		program.do(s, program.inspector, http.MethodGet, "/users/me", http.StatusUnauthorized)
		ana.signIn(s, "ana") // no longer disabled
		boss.signIn(s, "boss")
		log := boss.get(s, "/admin/audit", http.StatusOK)
		if !strings.Contains(log.body, "restored the database from a backup") || strings.Contains(log.body, "used a copy of") {
			t.Errorf("the audit log:\n%s", log.body)
		}
		command(t, after, "", "user", "show", "late").exits(exitFailed)
	})
}

// TestBackupOfTheSecret checks that a backup of a portal on SQLite has the generated
// secret, and that a restore puts it back and keeps what it replaces.
func TestBackupOfTheSecret(t *testing.T) {
	dir := t.TempDir()
	database, file := filepath.Join(dir, "data", "latchkey.db"), filepath.Join(dir, "x.db")
	e := environment{"LATCHKEY_DATABASE_URL=sqlite:" + database}
	command(t, e, "", "backup", file).exits(exitFailed).oneLine().complains("there is no database at " + database)
	command(t, e, "", "migrate", "up").exits(exitDone)
	command(t, e, "", "backup", file+".early").exits(exitDone).hides("secret")
	command(t, e, secretWord, "admin", "create", "--username=boss", "--email=boss@example.org", "--password-stdin").exits(exitDone)
	command(t, e, "", "backup", file).exits(exitDone).prints("The master secret is in " + file + ".secret")
	secret := readFile(t, filepath.Join(dir, "data", "secret"))
	if readFile(t, file+".secret") != secret {
		t.Error("the secret of the backup is another one")
	}
	if info, err := os.Stat(file + ".secret"); err != nil || info.Mode() != 0o600 {
		t.Errorf("the secret: %v (%v), want the mode 0600", info, err)
	}

	const nobody = 65534
	if os.Geteuid() == 0 {
		for _, lock := range []string{".use", ".lock"} { // the restore makes them
			if err := os.Remove(database + lock); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"", "latchkey.db", "secret"} {
			if err := os.Chown(filepath.Join(dir, "data", path), nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	command(t, e, "", "restore", file).exits(exitDone).prints("is kept in " + database + ".replaced-").hides("secret of the backup is in place")
	owned := func(path string, uid uint32) {
		t.Helper()
		entries, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || info.Mode() != 0o600 || os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Uid != uid {
				t.Errorf("%s after a restore: %v (%v), want the mode 0600 and the owner %d", entry.Name(), info, err, uid)
			}
		}
	}
	owned(filepath.Join(dir, "data"), nobody)
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // so the new folder and its files get this owner, too
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	command(t, e, "", "restore", file).exits(exitDone).prints("there was no replaced database to read").hides("is kept in")
	owned(filepath.Join(dir, "data"), nobody)
	if got := readFile(t, filepath.Join(dir, "data", "secret")); got != secret {
		t.Error("the secret was not restored")
	}
	command(t, e, "", "user", "show", "boss").exits(exitDone)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// files returns the contents of the files in a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	contents := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		contents[entry.Name()] = readFile(t, filepath.Join(dir, entry.Name()))
	}
	return contents
}

// TestRestoreRefuses checks that a file that is no backup of this program is refused,
// and so is every file while the database is in use, with one sentence and before
// anything is changed.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	database, file := filepath.Join(t.TempDir(), "latchkey.db"), filepath.Join(dir, "good.db")
	e := newEnvironment(t, "sqlite:"+database)
	command(t, e, secretWord, "admin", "create", "--username=boss", "--email=boss@example.org", "--password-stdin").exits(exitDone)
	command(t, e, "", "backup", file).exits(exitDone)
	good := readFile(t, file)
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	alter := func(name, statement string) string {
		t.Helper()
		path := write(name, good)
		execute(t, "sqlite:"+path, statement)
		return path
	}
	damaged := []byte(good)
	for i := len(damaged) / 2; i < len(damaged); i++ { // pages with rows and indexes
		damaged[i] = 7
	}
	partOfSecret := write("part-of-secret.db", good)
	running := write("running.db", good)
	write("running.db-wal", "not empty")
	before := files(t, filepath.Dir(database))
	for _, test := range []struct{ name, file, says string }{
		{"no file", filepath.Join(dir, "missing"), "cannot read the backup"},
		{"a folder", dir, "is not a file"},
		{"the database itself", database, "is the database itself"},
		{"empty", write("empty.db", ""), "not a database of Latchkey"},
		{"text", write("text.db", strings.Repeat("no database ", 1000)), "not a database"},
		{"a part", write("part.db", good[:len(good)/2]), "malformed"},
		{"without its last page", write("cut.db", good[:len(good)-4096]), "malformed"},
		{"damaged", write("damaged.db", string(damaged)), "malformed"},
		{"of another program", alter("other.db", "DROP TABLE audit_events"), "not a database of Latchkey"},
		{"of a newer release", alter("newer.db", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)"), "newer schema"},
		{"a running database", running, "running.db-wal contains part of the data"},
	} {
		t.Run(test.name, func(t *testing.T) {
			command(t, e, "", "restore", test.file).exits(exitFailed).oneLine().complains(test.says)
		})
	}
	own := e.with("LATCHKEY_SECRET=") // the secret is beside the database
	for _, content := range []string{"0123456789abcdef\n", ""} {
		write("part-of-secret.db.secret", content)
		command(t, own, "", "restore", partOfSecret).exits(exitFailed).oneLine().complains(partOfSecret + ".secret has no secret of Latchkey: copy it again")
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stderr strings.Builder
	if code := run(ctx, process{args: []string{"restore", file}, environ: e, stdout: &stderr, stderr: &stderr}); code != exitFailed ||
		stderr.String() != "latchkey: stopped: nothing was changed\n" {
		t.Errorf("a stopped restore exits with %d and says %q", code, stderr.String())
	}
	command(t, e, "", "restore", "--replaced=x", file).exits(exitUsage).oneLine().complains("--replaced is for PostgreSQL")
	if diff := cmp.Diff(before, files(t, filepath.Dir(database))); diff != "" {
		t.Errorf("something was changed (-before +after):\n%s", diff)
	}
	start(t, e)
	command(t, e, "", "restore", file).exits(exitFailed).oneLine().complains("the database file is in use: stop the server")
}

// execute runs a statement on a database.
func execute(t *testing.T, databaseURL, statement string) {
	t.Helper()
	driver, source := "pgx", databaseURL
	if path, isSQLite := strings.CutPrefix(databaseURL, "sqlite:"); isSQLite {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRestoreRefusesPostgres is TestRestoreRefuses for PostgreSQL.
func TestRestoreRefusesPostgres(t *testing.T) {
	if _, err := exec.LookPath("pg_dump"); err != nil {
		t.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	}
	source, dir := testdb.PostgresURL(t), t.TempDir()
	e := newEnvironment(t, source)
	command(t, e, "", "migrate", "up").exits(exitDone)
	file := filepath.Join(dir, "good")
	command(t, e, "", "backup", file).exits(exitDone)
	part := filepath.Join(dir, "part")
	good := readFile(t, file)
	if err := os.WriteFile(part, []byte(good[:len(good)-200]), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := func(name, statement string) string {
		t.Helper()
		execute(t, source, statement)
		path := filepath.Join(dir, name)
		if out, err := exec.CommandContext(t.Context(), "pg_dump", "--format=custom", "--file="+path, source).CombinedOutput(); err != nil {
			t.Fatalf("pg_dump: %v\n%s", err, out)
		}
		return path
	}
	newer := changed("newer", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)")
	other := changed("other", "ALTER TABLE audit_events RENAME TO events")

	target := testdb.PostgresURL(t)
	into := e.with("LATCHKEY_DATABASE_URL=" + target)
	for _, test := range []struct{ name, file, says string }{
		{"no file", filepath.Join(dir, "missing"), "cannot read the backup"},
		{"a part", part, "cannot be restored"},
		{"of another program", other, "not a database of Latchkey"},
		{"of a newer release", newer, "newer schema"},
	} {
		t.Run(test.name, func(t *testing.T) {
			command(t, into, "", "restore", test.file).exits(exitFailed).oneLine().complains(test.says)
		})
	}
	command(t, into, "", "restore", "--replaced=missing", file).exits(exitFailed).oneLine().
		complains("latchkey: the database that --replaced names cannot be read; correct the name, or leave the option out: ", `"missing" does not exist`).
		hides("LATCHKEY_DATABASE_URL")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stderr strings.Builder
	if code := run(ctx, process{args: []string{"restore", file}, environ: into, stdout: &stderr, stderr: &stderr}); code != exitFailed ||
		stderr.String() != "latchkey: stopped: nothing was changed\n" {
		t.Errorf("a stopped restore exits with %d and says %q", code, stderr.String())
	}
	if out, err := exec.CommandContext(t.Context(), "pg_dump", "--schema-only", target).CombinedOutput(); err != nil || strings.Contains(string(out), "CREATE ") {
		t.Errorf("the target is not empty (%v):\n%s", err, out)
	}
	command(t, into, "", "restore", file).exits(exitDone).prints("there was no replaced database to read")
	command(t, into, "", "restore", file).exits(exitFailed).oneLine().
		complains("the database has tables already", "rename it to "+databaseName(t, target)+"_before", "latchkey restore --replaced=")
	start(t, into)
	command(t, into, "", "restore", file).exits(exitFailed).oneLine().complains("a server or a command is connected")
}

// TestRestoreAfterKill restores over a database whose server was killed, so that a part
// of it is in its log: nothing of it gets into the new database, and nothing that can be
// read is lost from the one that is kept.
func TestRestoreAfterKill(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		t.Run(fmt.Sprintf("damaged %t", damaged), func(t *testing.T) {
			database, file := filepath.Join(t.TempDir(), "latchkey.db"), filepath.Join(t.TempDir(), "x.db")
			e := newEnvironment(t, "sqlite:"+database)
			s := start(t, e)
			command(t, e, "", "backup", file).exits(exitDone)
			newBrowser(t, s.addr).signUp(s, "late")
			if err := s.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			s.wait()
			want, noise := "sign-up", strings.Repeat("damaged ", 1000)
			if damaged {
				for _, path := range []string{database, database + "-wal"} {
					if err := os.WriteFile(path, []byte(noise), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want = "the replaced database cannot be read"
			}
			restored := command(t, e, "", "restore", file).exits(exitDone).prints(want)
			kept := regexp.MustCompile(`is kept in (\S+)\. `).FindStringSubmatch(restored.stdout)
			if kept == nil {
				t.Fatalf("no database was kept:\n%s", restored.stdout)
			}
			if _, err := os.Stat(database + "-wal"); !os.IsNotExist(err) {
				t.Errorf("the log of the replaced database is still there (%v)", err)
			}
			command(t, e, "", "user", "show", "late").exits(exitFailed)
			if damaged {
				if readFile(t, kept[1]) != noise {
					t.Error("the replaced database was not kept as it was")
				}
				return
			}
			command(t, e.with("LATCHKEY_DATABASE_URL=sqlite:"+kept[1]), "", "user", "show", "late").exits(exitDone)
		})
	}
}

// TestRestoreOfAnEarlierRelease checks that the backup of an earlier release is
// migrated.
func TestRestoreOfAnEarlierRelease(t *testing.T) {
	database, file := filepath.Join(t.TempDir(), "latchkey.db"), filepath.Join(t.TempDir(), "x.db")
	e := newEnvironment(t, "sqlite:"+database)
	command(t, e, "", "migrate", "up").exits(exitDone)
	command(t, e, "", "backup", file).exits(exitDone)
	execute(t, "sqlite:"+file, "DROP TABLE readiness; DELETE FROM goose_db_version WHERE version_id >= 12")
	command(t, e, "", "restore", file).exits(exitDone)
	if status := command(t, e, "", "migrate", "status").exits(exitDone); strings.Contains(status.stdout, "pending") {
		t.Errorf("something is still pending:\n%s", status.stdout)
	}
}
