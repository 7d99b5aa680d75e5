package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSQLite(t *testing.T) {
	tests := []struct{ value, path, secret string }{
		{"sqlite:latchkey.db", "latchkey.db", "secret"},
		{"sqlite:./data//x.db", filepath.Join("data", "x.db"), filepath.Join("data", "secret")},
		{"sqlite:/nowhere/latchkey/x.db", "/nowhere/latchkey/x.db", "/nowhere/latchkey/secret"},
		{"sqlite:with space/x.db", filepath.Join("with space", "x.db"), filepath.Join("with space", "secret")},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c := mustLoad(t, map[string]string{"LATCHKEY_DATABASE_URL": test.value})
			if diff := cmp.Diff(Database{Dialect: SQLite, Path: test.path}, c.Database); diff != "" {
				t.Errorf("Database (-want +got):\n%s", diff)
			}
			if got := c.SecretPath(); got != test.secret {
				t.Errorf("SecretPath = %q, want %q", got, test.secret)
			}
		})
	}
}

func TestDatabaseProblems(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"no path", "sqlite:", "no path"},
		{"memory", "sqlite::memory:", "in memory"},
		{"two slashes", "sqlite://data/x.db", "too many slashes"},
		{"three slashes", "sqlite:///var/x.db", "too many slashes"},
		{"options", "sqlite:x.db?mode=ro", "no options"},
		{"folder with a slash", "sqlite:data/", "folder"},
		{"folder that exists", "sqlite:" + t.TempDir(), "folder"},
		{"the secret's own name", "sqlite:data/secret", "file of the generated secret"},
		{"bare path", "data/hunter2.db", "sqlite: or postgres://"},
		{"unsupported database", "mysql://root:hunter2@localhost/x", "sqlite: or postgres://"},
		{"upper case", "POSTGRES://localhost/x", "sqlite: or postgres://"},
		{"not a URL", "postgres://ana:hunter2%@localhost/x", "percent-encode"},
		{"bad port", "postgres://ana:hunter2@localhost:port/x", "percent-encode"},
		{"bad parameters", "postgres://ana:hunter2@localhost/x?a=%zz", "name=value"},
		{"unknown sslmode", "postgres://ana:hunter2@localhost/x?sslmode=always", "verify-full"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			vars := map[string]string{"LATCHKEY_DATABASE_URL": test.value, "LATCHKEY_SECRET": goodHex}
			wantProblem(t, vars, "LATCHKEY_DATABASE_URL", test.want)
			if _, _, err := load(t, vars); strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the value is in the problem: %v", err)
			}
		})
	}
}

func TestWorldReadableDatabaseWarns(t *testing.T) {
	path := writeFile(t, "", 0o640)
	vars := map[string]string{"LATCHKEY_DATABASE_URL": "sqlite:" + path}
	mustLoad(t, vars)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := load(t, vars)
	if err != nil {
		t.Fatal(err)
	}
	wantWarning(t, warnings, "LATCHKEY_DATABASE_URL leads to "+path+", which every user of this machine can read (mode 0644); "+
		"chmod it to 0600, and "+path+"-wal and "+path+"-shm if they are there")
}

func TestPostgresCertificateWarning(t *testing.T) {
	const unchecked = "without checking its certificate"
	tests := []struct{ name, value, mode, want string }{
		{"localhost", "postgres://localhost/x", "", ""},
		{"loopback address and port", "postgresql://127.0.0.1:5433/x", "", ""},
		{"IPv6 loopback", "postgres://[::1]:5432/x", "", ""},
		{"no host", "postgres:///x", "", ""},
		{"socket", "postgres:///x?host=/run/postgresql", "", ""},
		{"remote", "postgres://db.example.org/x", "", unchecked},
		{"remote by parameter", "postgres:///x?host=db.example.org", "", unchecked},
		{"remote, encrypted only", "postgres://db.example.org/x?sslmode=require", "", unchecked},
		{"remote, verified", "postgres://db.example.org/x?sslmode=verify-full", "", ""},
		{"remote, system roots", "postgres://db.example.org/x?sslrootcert=system", "", ""},
		{"remote, verified by PGSSLMODE", "postgres://db.example.org/x", "verify-full", ""},
		{"the URL wins over PGSSLMODE", "postgres://db.example.org/x?sslmode=disable", "verify-full", unchecked},
		{"two hosts, one remote", "postgres://localhost:5432,db.example.org:5432/x", "", unchecked},
		{"two local hosts", "postgres://localhost:5432,127.0.0.1:5433/x", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, warnings, err := load(t, map[string]string{
				"LATCHKEY_DATABASE_URL": test.value,
				"LATCHKEY_SECRET":       goodHex,
				"PGSSLMODE":             test.mode,
			})
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			if got := string(c.Database.URL.Bytes()); c.Database.Dialect != Postgres || got != test.value {
				t.Errorf("Database = %s %q, want postgres %q", c.Database.Dialect, got, test.value)
			}
			wantWarning(t, warnings, test.want)
		})
	}
}
