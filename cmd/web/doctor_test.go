package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/doctor"
	"latchkey/internal/testdb"
)

// TestDoctor checks the page of a portal that runs. The throw-away PostgreSQL of the
// tests has fsync off, which doctor has to find.
func TestDoctor(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		server := start(t, e)
		sqlite := strings.HasPrefix(databaseURL, "sqlite:")
		o := command(t, e, "", "doctor")
		if sqlite {
			o.exits(exitDone)
		} else {
			o.exits(exitFailed).oneLine().complains("latchkey: 1 check failed")
		}
		o.hides(e.get("LATCHKEY_SECRET")).hides("\x1b[")
		if u, err := url.Parse(databaseURL); err == nil && u.User != nil {
			if password, set := u.User.Password(); set {
				o.hides(password)
			}
		}
		// What follows a colon depends on the machine.
		got := regexp.MustCompile(`(?m)^  (\S) ([^:]+):.*\n`).ReplaceAllString(o.stdout, "  $1 $2\n")
		got, _, _ = strings.Cut(got, "Machine\n")
		want := doctorPostgres
		if sqlite {
			want = doctorSQLite
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the page (-want +got):\n%s\n%s", diff, o.stdout)
		}
		o.prints("Server: runs at "+server.addr+" and is ready", "In effect", "Sessions end when unused for: 7 days")
	})
}

const doctorHead = `Configuration
  ✓ Variables

Public URL
  ✓ Server
  ✓ Reachable
  ✓ Host
  ✓ Response headers
  ✓ Same portal
  ✓ Trusted proxies

Database
  ✓ Connection
  ✓ Schema
  ✓ Encoding
`

const doctorTail = `  ✓ Secret

Backup
  ! Schedule
      Set LATCHKEY_BACKUP_DIR, unless another program makes them.

Mail
  ✓ Mail

`

const doctorSQLite = doctorHead + `  ✓ Durability
  ✓ Integrity

Files
  ✓ File system
  ✓ Free space
  ✓ Database file
  ✓ Owner
` + doctorTail

const doctorPostgres = doctorHead + `  ✗ Durability
      Set each to on in postgresql.conf, or for the role.
  ! Full pages
      Set it to on in postgresql.conf, unless the database is on such a file system.
  ✓ Connections
  ✓ Clock

Files
` + doctorTail

// TestDoctorWithoutPortal checks that doctor makes nothing where there is nothing, and
// that its JSON has the same checks.
func TestDoctorWithoutPortal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	e := newEnvironment(t, "sqlite:"+filepath.Join(dir, "latchkey.db"))
	command(t, e, "", "doctor").exits(exitDone).prints("! Server: no server answers", "! File: "+filepath.Join(dir, "latchkey.db")+" does not exist")
	o := command(t, e, "", "doctor", "--json").exits(exitDone)
	var checks []doctor.Check
	if err := json.Unmarshal([]byte(o.stdout), &checks); err != nil {
		t.Fatalf("%v:\n%s", err, o.stdout)
	}
	if doctor.Count(checks, doctor.Warn) < 3 || doctor.Count(checks, doctor.Fail) != 0 {
		t.Errorf("got %+v", checks)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}

// TestDoctorFinds checks that doctor reports what no other command gets past: a
// configuration with problems, and a database that does not answer.
func TestDoctorFinds(t *testing.T) {
	e := environment{"LATCHKEY_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "latchkey.db"), "LATCHKEY_ADDR=nowhere", "LATCHKEY_SECRET=hunter2hunter2"}
	command(t, e, "", "doctor").exits(exitFailed).oneLine().complains("2 checks failed").
		prints("✗ Variables: LATCHKEY_ADDR", "✗ Variables: LATCHKEY_SECRET", "Machine").hides("hunter2")
	e = newEnvironment(t, "postgres://nobody:hunter2@localhost:1/nothing?sslmode=disable")
	command(t, e, "", "doctor").exits(exitFailed).prints("✗ Connection: LATCHKEY_DATABASE_URL: ", "refused").hides("hunter2")
	path := filepath.Join(t.TempDir(), "latchkey.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o604); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "smtp")
	if err := os.WriteFile(secret, []byte("smtp://localhost:1\n"), 0o604); err != nil {
		t.Fatal(err)
	}
	e = newEnvironment(t, "sqlite:"+path).with("LATCHKEY_SMTP_URL=", "LATCHKEY_SMTP_URL_FILE="+secret)
	o := command(t, e, "", "doctor").exits(exitFailed).prints("✗ Integrity: the file is damaged: file is not a database",
		"✗ Database file: "+path+", mode 0604", "! Variables: LATCHKEY_SMTP_URL_FILE names a file that every user of this machine can read")
	if strings.Count(o.stdout, path) != 2 || strings.Count(o.stdout, "! Variables") != 1 { // the detail and the advice
		t.Errorf("a mode is reported twice:\n%s", o.stdout)
	}
}
