package previous

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFind looks for the commit before the newest migration in repositories of three
// commits, the second of which adds the newest migration.
func TestFind(t *testing.T) {
	source := t.TempDir()
	must(t, source, "init", "-q")
	first := commit(t, source, "migrations/postgres/00001_a.sql")
	commit(t, source, "migrations/postgres/00002_b.sql")
	last := commit(t, source, "later")
	clone := func(depth string) string {
		folder := filepath.Join(t.TempDir(), "clone")
		must(t, source, "clone", "-q", "--depth", depth, "file://"+source, folder)
		return folder
	}
	inside := filepath.Join(source, "inside")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, source, want, says string
	}{
		{"whole", source, first, ""},
		{"deep enough", clone("3"), first, ""},
		{"shallow", clone("1"), "", "git fetch --unshallow"},
		{"inside another repository", inside, "", "which is another one"},
		{"no repository", t.TempDir(), "", "not a git repository"},
	} {
		got, err := find(t.Context(), test.source)
		if got != test.want || (test.says != "") != errors.Is(err, ErrNoHistory) || (err != nil && !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: got %q and %v, want %q and %q", test.name, got, err, test.want, test.says)
		}
	}
	write(t, source, "migrations/postgres/00003_c.sql")
	if got, err := find(t.Context(), source); got != last || err != nil {
		t.Errorf("with a migration that is not committed: got %q and %v, want %q", got, err, last)
	}
	p := &Program{Commit: first, source: source}
	if !p.Has(t.Context(), "migrations/postgres/00001_a.sql") || p.Has(t.Context(), "later") {
		t.Error("Has does not tell the files of the first commit")
	}
}

// TestClean checks that only what was not used for long is removed.
func TestClean(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	write(t, folder, "old/source")
	write(t, folder, "young")
	if err := os.Chtimes(filepath.Join(folder, "old"), now.Add(-time.Hour), now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := clean(folder, now.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 || entries[0].Name() != "young" {
		t.Errorf("got %v and %v, want the young entry alone", entries, err)
	}
}

func write(t *testing.T, folder, name string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// commit adds an empty file and returns the hash of its commit.
func commit(t *testing.T, source, name string) string {
	t.Helper()
	write(t, source, name)
	must(t, source, "add", name)
	must(t, source, "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", name)
	return must(t, source, "rev-parse", "HEAD")
}

func must(t *testing.T, source string, args ...string) string {
	t.Helper()
	said, err := git(t.Context(), source, args...)
	if err != nil {
		t.Skipf("Git cannot make a repository: %v", err)
	}
	return said
}
