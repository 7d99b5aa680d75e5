package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// TestUsageErrors checks that wrong arguments give exit code 2 and one line of
// error, and change nothing.
func TestUsageErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "latchkey.db")
	e := newEnvironment(t, "sqlite:"+path)
	for _, test := range []struct {
		args string
		says string
	}{
		{"nothing", "nothing"},
		{"serve --port 80", "--port"},
		{"--verbose", "--verbose"},
		{"migrate down", "down"},
		{"user", `"create", "list", "show", "disable", "enable" or another. See`},
		{"user show", "<name>"},
		{"user list --status=gone", "--status"},
		{"user list --role=root", "--role"},
		{"user create --username=a --email=b --role=root", "--role"},
		{"admin create", "--email"},
		{"admin create --username=ana", "--email"},
		{"user disable ana bo", "bo"},
		{"version 2", "2"},
	} {
		command(t, e, "", strings.Fields(test.args)...).exits(exitUsage).oneLine().complains(test.says, "See latchkey --help.")
	}
	command(t, e, "", "admin", "create", "--username=ana", "--email=ana@example.org", "--password-stdin").
		exits(exitUsage).oneLine().complains("there is no password on standard input")
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("something was created: %v", err)
	}
}

// TestHelp checks that --help exits with 0 and names every command.
func TestHelp(t *testing.T) {
	command(t, nil, "", "--help").exits(exitDone).prints("serve", "migrate", "admin create", "healthcheck", "version",
		"user create", "user list", "user show", "user disable", "user enable", "user sign-out", "user reset-link", "user promote", "user demote")
	command(t, nil, "", "user", "disable", "--help").exits(exitDone).prints("--reason", "<name>")
}

// TestVersion checks that version prints what a bug report needs.
func TestVersion(t *testing.T) {
	command(t, nil, "", "version").exits(exitDone).prints("latchkey "+version, "commit ", runtime.Version())
}

// TestConfigurationProblems checks that every problem is reported at once, and
// that nothing is created.
func TestConfigurationProblems(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "latchkey.db")
	e := environment{
		"LATCHKEY_DATABASE_URL=sqlite:" + path, "LATCHKEY_ADDR=nowhere", "LATCHKEY_PUBLIC_URL=http://id.example.org",
		"LATCHKEY_SECRET=hunter2hunter2", "LATCHKEY_ACCESS_TTL=soon", "LATCHKEY_SIGNUP=maybe", "LATCHKEY_PASSWORD_MIN=4", "LATCHKEY_LOG_LEVEL=loud",
	}
	for _, args := range []string{"", "serve", "migrate up", "migrate status", "user list", "admin create --email=a@b.example --username=ana"} {
		command(t, e, "", strings.Fields(args)...).exits(exitFailed).complains("LATCHKEY_ADDR", "LATCHKEY_PUBLIC_URL", "LATCHKEY_SECRET",
			"LATCHKEY_ACCESS_TTL", "LATCHKEY_SIGNUP", "LATCHKEY_PASSWORD_MIN", "LATCHKEY_LOG_LEVEL").hides("hunter2")
	}
	command(t, environment{"LATCHKEY_DATABASE_URL=postgres://localhost/x"}, "", "serve").exits(exitFailed).complains("LATCHKEY_SECRET")
	logo := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(logo, []byte("<svg><script/></svg>"), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, environment{"LATCHKEY_DATABASE_URL=sqlite:" + path, "LATCHKEY_BRAND_LOGO=" + logo}, "", "serve").exits(exitFailed).oneLine().
		complains("latchkey: LATCHKEY_BRAND_LOGO names ", "contains <script>; save it without").hides("ACCENT")
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("something was created: %v", err)
	}
	// An unknown variable causes a warning and no failure.
	e = newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_ADRR=:80", "LATCHKEY_PORT=tcp://10.0.0.1:80")
	command(t, e, "", "migrate", "up").exits(exitDone).complains("warning", "LATCHKEY_ADRR", "LATCHKEY_ADDR")
}

// TestDamagedSecret checks that a damaged secret file is reported before the
// database is created.
func TestDamagedSecret(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("half of i"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := environment{"LATCHKEY_DATABASE_URL=sqlite:" + filepath.Join(dir, "latchkey.db")}
	for _, args := range []string{"serve", "user list", "migrate up"} {
		command(t, e, "", strings.Fields(args)...).exits(exitFailed).oneLine().complains("latchkey: LATCHKEY_SECRET is not set", filepath.Join(dir, "secret"))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v (%v), want only the secret", files, err)
	}
}

// hides checks that a text is in neither output.
func (o *outcome) hides(text string) *outcome {
	o.t.Helper()
	if strings.Contains(o.stdout+o.stderr, text) {
		o.t.Errorf("latchkey %s: prints %q", o.command, text)
	}
	return o
}

// TestMigrate checks that migrate up applies pending migrations, and that running
// it twice is harmless.
func TestMigrate(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		status := command(t, e, "", "migrate", "status").exits(exitDone).prints("00001", "pending")
		if strings.Contains(status.stdout, "applied") {
			t.Errorf("migrate status applied migrations:\n%s", status.stdout)
		}
		command(t, e, "", "migrate", "status", "--exit-code").exits(exitFailed).prints("00001", "pending").oneLine().
			complains(fmt.Sprintf("migrations are pending: %d. Run latchkey migrate up", strings.Count(status.stdout, "pending")))
		for range 2 {
			up := command(t, e, "", "migrate", "up").exits(exitDone).prints("00001", "applied 20")
			if strings.Contains(up.stdout, "pending") {
				t.Errorf("something is still pending:\n%s", up.stdout)
			}
		}
		command(t, e, "", "migrate", "status").exits(exitDone).prints("applied 20")
		command(t, e, "", "migrate", "status", "--exit-code").exits(exitDone).prints("applied 20")
	})
}

// TestNewerSchema checks that every command that opens the database refuses the
// schema of a later release.
func TestNewerSchema(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		command(t, e, "", "migrate", "up").exits(exitDone)
		driver, source := "pgx", databaseURL
		if path, isSQLite := strings.CutPrefix(databaseURL, "sqlite:"); isSQLite {
			driver, source = "sqlite", path
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{"", "serve", "migrate up", "migrate status", "migrate status --exit-code", "user list", "user disable ana"} {
			command(t, e, "", strings.Fields(args)...).exits(exitFailed).
				complains("the database has a newer schema than this program: start the release that made it, or a later one")
		}
	})
}

// TestUnusableDatabase checks that every command reports an unusable database in
// one line that names the variable to change and does not contain the password.
func TestUnusableDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := func(change func(*url.URL)) string {
		u, err := url.Parse(testdb.PostgresURL(t))
		if err != nil {
			t.Fatal(err)
		}
		change(u)
		return u.String()
	}
	tests := []struct{ name, databaseURL, says string }{
		{"no server listens", "postgres://nobody:hunter2@localhost:1/nothing?sslmode=disable&connect_timeout=2", "refused"},
		{"no server listens at either address", "postgres://nobody:hunter2@127.0.0.1:1,127.0.0.1:2/nothing?sslmode=disable", "refused; 127.0.0.1:2"},
		{"no such role", other(func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }), `"nobody"`},
		{"no such database", other(func(u *url.URL) { u.Path = "/nothing" }), `"nothing" does not exist`},
		{"certificate that is not there", "postgres://nobody:hunter2@localhost:1/nothing?sslmode=verify-ca&sslrootcert=/nowhere", "/nowhere"},
		{"no folder", "sqlite:" + file + "/latchkey.db", "folder of the database"},
		{"no database", "sqlite:" + file, "not a database"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := newEnvironment(t, test.databaseURL)
			for _, args := range []string{
				"serve", "migrate up", "migrate status", "user list", "user disable ana", "admin create --email=a@b.example --username=ana",
			} {
				command(t, e, "", strings.Fields(args)...).exits(exitFailed).oneLine().
					complains("latchkey: LATCHKEY_DATABASE_URL: ", test.says).hides("hunter2")
			}
		})
	}
}

// TestSecretFile checks that a portal on SQLite generates its secret once, and
// that only the owner can read it and the database.
func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	e := environment{"LATCHKEY_DATABASE_URL=sqlite:" + filepath.Join(dir, "data", "latchkey.db")}
	command(t, e, "", "user", "list").exits(exitDone)
	path := filepath.Join(dir, "data", "secret")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %v, %v, want a file of mode 0600", info, err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	command(t, e, "", "user", "list").exits(exitDone).hides(strings.TrimSpace(string(first)))
	if second, err := os.ReadFile(path); err != nil || string(second) != string(first) {
		t.Errorf("the secret changed (%v)", err)
	}
	for _, name := range []string{"latchkey.db", "."} {
		info, err := os.Stat(filepath.Join(dir, "data", name))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got %v (%v), want no permissions for others", name, info.Mode(), err)
		}
	}
}
