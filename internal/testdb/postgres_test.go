package testdb

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestMaySkip(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		strict string
		want   bool
	}{
		{"not installed", errNotInstalled, "", true},
		{"not installed, wrapped", fmt.Errorf("start: %w", errNotInstalled), "", true},
		{"not installed, strict", errNotInstalled, "1", false},
		{"installed and broken", errors.New("no space left"), "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("LATCHKEY_TEST_STRICT", test.strict)
			if got := maySkip(test.err); got != test.want {
				t.Errorf("maySkip(%v) = %v, want %v", test.err, got, test.want)
			}
		})
	}
}

func TestGivenServer(t *testing.T) {
	tests := []struct {
		given string
		want  string // empty: an error
	}{
		{"postgres://a:b@localhost:5432/postgres?sslmode=disable", "postgres://a:b@localhost:5432/mine?sslmode=disable"},
		{"postgresql://localhost", "postgresql://localhost/mine"},
		{"host=localhost user=a", ""},
		{"mysql://localhost/x", ""},
	}
	for _, test := range tests {
		t.Run(test.given, func(t *testing.T) {
			t.Setenv("LATCHKEY_TEST_POSTGRES_URL", test.given)
			server, err := findPostgres()
			if (err == nil) != (test.want != "") {
				t.Fatalf("findPostgres: %v", err)
			}
			if err != nil {
				return
			}
			if got := withDatabase(server.url, "mine"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestStartFails shows that a server that cannot start says why.
func TestStartFails(t *testing.T) {
	_, err := StartServer("no_such_setting=on")
	if errors.Is(err, errNotInstalled) {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got error %v, want it to quote the log", err)
	}
}
