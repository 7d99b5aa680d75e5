package backup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConnect checks that PostgreSQL's programs get the connection of a URL, without
// the password among their arguments and without what only the driver knows.
func TestConnect(t *testing.T) {
	for _, test := range []struct {
		name, url, argument string
		password            string // empty: none is passed on
	}{
		{"plain", "postgres://ana:hunter2@db:5433/portal", "--dbname=postgres://ana@db:5433/portal", "hunter2"},
		{"encoded", "postgresql://ana:p%40s%20s@db/portal", "--dbname=postgresql://ana@db/portal", "p@s s"},
		{"without a password", "postgres://db/portal", "--dbname=postgres://db/portal", ""},
		{"in a parameter", "postgres:///portal?host=/run/postgresql&user=ana&password=hunter2", "--dbname=postgres:///portal?host=%2Frun%2Fpostgresql&user=ana", "hunter2"},
		{
			"of the driver and the server", "postgres://ana@db/portal?sslmode=verify-full&statement_timeout=0&default_query_exec_mode=exec&search_path=x",
			"--dbname=postgres://ana@db/portal?sslmode=verify-full", "",
		},
		{"with a space", "postgres://ana@db/portal?options=-c%20a%3D1", "--dbname=postgres://ana@db/portal?options=-c%20a%3D1", ""},
		{"several hosts", "postgres://ana@a:1,b:2/portal?target_session_attrs=read-write", "--dbname=postgres://ana@a:1,b:2/portal?target_session_attrs=read-write", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			argument, environ, err := connect(test.url, "test")
			if err != nil || argument != test.argument {
				t.Errorf("got the argument %q (%v), want %q", argument, err, test.argument)
			}
			want := []string{"PGAPPNAME=test"}
			if test.password != "" {
				want = append(want, "PGPASSWORD="+test.password)
			}
			if diff := cmp.Diff(want, environ); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
		})
	}
	if _, _, err := connect("postgres://ana@db/portal?sslpassword=hunter2", "test"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("sslpassword: got %v", err)
	}
}

// TestFind checks that a program is used only if it is there and not older than the
// server.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	script := func(version string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "pg_fake"), []byte("#!/bin/sh\necho '"+version+"'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ version, says string }{
		{"", "pg_fake is not on the path: install the client programs of PostgreSQL 16 or later"},
		{"pg_dump (PostgreSQL) 15.9 (Debian 15.9-1)", "is from PostgreSQL 15, but the server is 16: install the client programs of PostgreSQL 16 or later"},
		{"something else", "which has no version"},
		{"pg_dump (PostgreSQL) 16.4", ""},
		{"pg_dump (PostgreSQL) 18beta1", ""},
	} {
		if test.version != "" {
			script(test.version)
		}
		_, err := find(t.Context(), "pg_fake", 16)
		if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%q: got %v, want %q", test.version, err, test.says)
		}
	}
}

// TestComplaint checks that rows of the database do not get into an error.
func TestComplaint(t *testing.T) {
	const output = "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 3\n" +
		"pg_restore: error: COPY failed for table \"users\": ERROR:  bad\nDETAIL:  hunter2\nCONTEXT:  COPY users, line 1: hunter2\n"
	if got := complaint(output); got != `pg_restore: error: COPY failed for table "users": ERROR:  bad` {
		t.Errorf("got %q", got)
	}
}

// TestExecuteHidesSecrets checks that other programs do not get the variables of this
// one.
func TestExecuteHidesSecrets(t *testing.T) {
	t.Setenv("LATCHKEY_SECRET", "hunter2")
	out, err := execute(t.Context(), []string{"PGAPPNAME=test"}, "env")
	if err != nil || strings.Contains(string(out), "LATCHKEY_") || !strings.Contains(string(out), "PGAPPNAME=test") {
		t.Errorf("got %v and the variables\n%s", err, out)
	}
}
