package testdb_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// victimEnv is the variable that says how the process of TestVictim should end.
const victimEnv = "TESTDB_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimEnv) != "" {
		m.Run() // not testdb.Main: only the end of the process stops the server
		return
	}
	testdb.Main(m)
}

func TestEach(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		if _, want, _ := strings.Cut(t.Name(), "/"); store.Dialect() != want {
			t.Errorf("the store is on %s, want %s", store.Dialect(), want)
		}
		if err := store.Ready(t.Context()); err != nil {
			t.Errorf("the store is not migrated: %v", err)
		}
	})
}

func TestEachURL(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		store, err := models.Open(t.Context(), models.Options{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if err := store.Ready(t.Context()); err == nil {
			t.Error("the database has a schema, want it empty")
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Errorf("migrate: %v", err)
		}
		if err := store.Ready(t.Context()); err != nil {
			t.Errorf("after migrating: %v", err)
		}
	})
}

func TestDatabasesAreSeparateAndDropped(t *testing.T) {
	var first, second string
	t.Run("use", func(t *testing.T) {
		first, second = testdb.PostgresURL(t), testdb.PostgresURL(t)
		run(t, first, "CREATE TABLE mine (n integer)")
		run(t, second, "CREATE TABLE mine (n integer)")
	})
	if first == "" {
		return // the subtest was skipped
	}
	for _, databaseURL := range []string{first, second} {
		if conn, err := pgx.Connect(t.Context(), databaseURL); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("the database is still there after its test")
		}
	}
}

// TestServerEndsWithItsProcess ends a test process that has started a server
// in the ways that run no deferred function.
func TestServerEndsWithItsProcess(t *testing.T) {
	testdb.PostgresURL(t) // skips if no server can be started
	for _, end := range []string{"kill", "panic"} {
		t.Run(end, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$")
			cmd.Env = append(os.Environ(), victimEnv+"="+end, "LATCHKEY_TEST_POSTGRES_URL=")
			stdin, err := cmd.StdinPipe() // keeps a victim waiting until it is killed
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var address, dir string
			if _, err := fmt.Fscanln(stdout, &address, &dir); err != nil {
				t.Errorf("the victim did not say where its server is: %v", err)
			}
			if end == "kill" {
				_ = cmd.Process.Kill()
			}
			if err := cmd.Wait(); err == nil {
				t.Error("the victim ended without an error")
			}
			eventually(t, "no process listens on "+address, func() bool {
				conn, err := net.Dial("tcp", address)
				if err == nil {
					_ = conn.Close()
				}
				return err != nil
			})
			eventually(t, dir+" is gone", func() bool {
				_, err := os.Stat(dir)
				return errors.Is(err, fs.ErrNotExist)
			})
		})
	}
}

// TestVictim is the other process of TestServerEndsWithItsProcess.
func TestVictim(t *testing.T) {
	end := os.Getenv(victimEnv)
	if end == "" {
		return
	}
	databaseURL := testdb.PostgresURL(t)
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	var dir string
	if err := conn.QueryRow(t.Context(), "SHOW data_directory").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	fmt.Println(net.JoinHostPort(conn.Config().Host, strconv.Itoa(int(conn.Config().Port))), filepath.Dir(dir))
	if end == "panic" {
		panic("as a test may")
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// eventually waits until condition holds, and fails the test if that takes
// longer than a loaded machine needs.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("waited without success for %s", what)
		case <-tick.C:
		}
	}
}

func run(t *testing.T, databaseURL, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
