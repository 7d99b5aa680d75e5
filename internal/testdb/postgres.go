package testdb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/models"
)

// statementTimeout bounds every statement testdb sends itself. Creating a
// database takes well under a second; the rest is for a loaded machine.
const statementTimeout = time.Minute

// PostgresURL returns the database URL of an empty PostgreSQL database without
// a schema. The database is dropped when the test ends, open connections or not.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	return newDatabase(tb, "template0")
}

// Postgres returns a store on a migrated PostgreSQL database of its own,
// closed and dropped when the test ends.
func Postgres(tb testing.TB) *models.Store {
	tb.Helper()
	requirePostgres(tb)
	template, err := postgresTemplate()
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	return open(tb, newDatabase(tb, template))
}

// newDatabase copies the database template and returns the URL of the copy.
func newDatabase(tb testing.TB, template string) string {
	tb.Helper()
	server := requirePostgres(tb)
	name := newName()
	if err := createDatabase(server.url, name, template); err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	tb.Cleanup(func() {
		if err := dropDatabase(server.url, name); err != nil {
			tb.Errorf("testdb: %v", err)
		}
	})
	return withDatabase(server.url, name)
}

// NewServer starts a server of the test's own, as StartServer does, and stops it
// when the test ends.
func NewServer(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	server, err := StartServer(settings...)
	if err != nil && maySkip(err) {
		tb.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	}
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("testdb: %v", err)
		}
	})
	return server
}

// requirePostgres returns the server of this process. Without one it ends the
// test, as skipped or as failed.
func requirePostgres(tb testing.TB) postgresServer {
	tb.Helper()
	server, err := sharedPostgres()
	if err != nil && maySkip(err) {
		tb.Skipf("NOT TESTED ON POSTGRESQL: %v", err)
	}
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	return server
}

// maySkip reports whether a test may be skipped because of err: when programs
// are not installed, unless LATCHKEY_TEST_STRICT=1. A server that is there and
// does not work always fails the test.
func maySkip(err error) bool {
	return errors.Is(err, errNotInstalled) && os.Getenv("LATCHKEY_TEST_STRICT") != "1"
}

// postgresServer is a server on which databases can be created.
type postgresServer struct {
	url  *url.URL // a database to connect to for CREATE DATABASE
	ours bool     // it ends with this process, and its databases with it
}

// The server and the template are shared by all tests of a process and exist
// only once a test asks for them. A *testing.T lives too short to own them.
var (
	sharedPostgres   = sync.OnceValues(findPostgres)
	postgresTemplate = sync.OnceValues(makeTemplate)

	startedMu sync.Mutex
	started   []func() error // what stopPostgres runs, last first
)

// findPostgres returns the server named by the environment or starts one.
func findPostgres() (postgresServer, error) {
	if given := os.Getenv("LATCHKEY_TEST_POSTGRES_URL"); given != "" {
		parsed, err := url.Parse(given)
		if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") {
			return postgresServer{}, errors.New("LATCHKEY_TEST_POSTGRES_URL is not a postgres:// URL")
		}
		return postgresServer{url: parsed}, nil
	}
	server, err := StartServer()
	if err != nil {
		return postgresServer{}, err
	}
	atStop(server.Stop)
	return postgresServer{url: server.URL, ours: true}, nil
}

// makeTemplate migrates a database once, to be copied for every test, and
// returns its name.
func makeTemplate() (string, error) {
	server, err := sharedPostgres()
	if err != nil {
		return "", err
	}
	name := newName()
	if err := createDatabase(server.url, name, "template0"); err != nil {
		return "", err
	}
	if !server.ours {
		atStop(func() error { return dropDatabase(server.url, name) })
	}
	if err := migrate(withDatabase(server.url, name)); err != nil {
		return "", err
	}
	return name, nil
}

// atStop makes stopPostgres run f.
func atStop(f func() error) {
	startedMu.Lock()
	defer startedMu.Unlock()
	started = append(started, f)
}

// stopPostgres undoes what this process started, in reverse order.
func stopPostgres() {
	startedMu.Lock()
	defer startedMu.Unlock()
	for len(started) > 0 {
		last := len(started) - 1
		if err := started[last](); err != nil {
			fmt.Fprintf(os.Stderr, "testdb: %v\n", err)
		}
		started = started[:last]
	}
}

// createDatabase creates the database name as a copy of template, which must have
// no other connections.
func createDatabase(server *url.URL, name, template string) error {
	return execute(server, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s",
		pgx.Identifier{name}.Sanitize(), pgx.Identifier{template}.Sanitize()))
}

// dropDatabase drops the database name and ends every connection to it.
func dropDatabase(server *url.URL, name string) error {
	return execute(server, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)",
		pgx.Identifier{name}.Sanitize()))
}

// execute runs one statement on a connection of its own.
func execute(server *url.URL, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.String())
	if err != nil {
		return fmt.Errorf("connect to the PostgreSQL server for tests: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// withDatabase returns server with its database replaced by name.
func withDatabase(server *url.URL, name string) string {
	changed := *server
	changed.Path, changed.RawPath = "/"+name, ""
	return changed.String()
}
