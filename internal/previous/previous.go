// Package previous builds the program from before the newest migration, for tests and
// drills of an upgrade. It needs Git, the Go tools and the history of the repository.
package previous

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// ErrNoHistory says that the source is no clone, or that its history does not reach the
// commit before the newest migration. Nothing on the machine can mend that.
var ErrNoHistory = errors.New("the history of the repository is not here")

// unusedFor is the age at which programs in the cache are removed. Another version that
// is tested at the same time may still need a younger one.
const unusedFor = 24 * time.Hour

// Program is a program from before the newest migration.
type Program struct {
	Path   string
	Commit string // the whole hash
	source string
}

// Build builds the program of the commit before the one that added the newest
// migration; if that migration is not committed, of the latest commit. source is the
// root of the module. The program is kept in the user's cache folder (latchkey-test),
// or in spare if the user has none, and is not built again. Build returns ErrNoHistory
// or exec.ErrNotFound, wrapped, if it cannot run here.
func Build(ctx context.Context, source, spare string) (*Program, error) {
	commit, err := find(ctx, source)
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = spare
	}
	folder := filepath.Join(cache, "latchkey-test")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	p := &Program{Path: filepath.Join(folder, commit+"-"+runtime.Version()), Commit: commit, source: source}
	now := time.Now()
	if err := os.Chtimes(p.Path, now, now); errors.Is(err, fs.ErrNotExist) {
		err = p.build(ctx, folder)
		if err != nil {
			return nil, fmt.Errorf("build the program of %s: %w", commit, err)
		}
	} else if err != nil {
		return nil, err
	}
	return p, clean(folder, now.Add(-unusedFor))
}

// Has reports whether the source of the program has a file.
func (p *Program) Has(ctx context.Context, file string) bool {
	_, err := git(ctx, p.source, "cat-file", "-e", p.Commit+":"+file)
	return err == nil
}

// find returns the hash of the commit before the one that added the newest migration.
func find(ctx context.Context, source string) (commit string, err error) {
	top, err := git(ctx, source, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", err
	}
	root, err := filepath.Abs(source)
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err != nil {
		return "", err
	}
	if root != filepath.FromSlash(top) {
		return "", fmt.Errorf("%w: %s is in the repository %s, which is another one", ErrNoHistory, root, top)
	}
	files, err := filepath.Glob(filepath.Join(source, "migrations", "postgres", "*.sql"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s has no migrations: %w", source, err)
	}
	newest := "migrations/postgres/" + filepath.Base(slices.Max(files))
	added, err := git(ctx, source, "log", "--diff-filter=A", "--format=%H", "-1", "--", newest)
	if err != nil {
		return "", err
	}
	if added == "" {
		return git(ctx, source, "rev-parse", "--verify", "HEAD")
	}
	commit, err = git(ctx, source, "rev-parse", "--verify", added+"^")
	if err != nil {
		if shallow, failed := git(ctx, source, "rev-parse", "--is-shallow-repository"); failed == nil && shallow == "true" {
			return "", fmt.Errorf("%w: the clone is shallow and ends before %s: git fetch --unshallow gets the rest", ErrNoHistory, newest)
		}
	}
	return commit, err
}

// git runs Git in the source and returns what it prints. A clone may belong to another
// user.
func git(ctx context.Context, source string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-C", source}, args...)...)
	said, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%w: git %s: %s", ErrNoHistory, args[0], strings.TrimSpace(string(e.Stderr)))
	}
	return strings.TrimSpace(string(said)), err
}

// build builds the program in a folder of its own and moves it to its path in one step:
// other processes may look for it or build it too.
func (p *Program) build(ctx context.Context, folder string) (err error) {
	work, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	archive, tree, built := filepath.Join(work, "source.tar"), filepath.Join(work, "source"), filepath.Join(work, "latchkey")
	if err := os.Mkdir(tree, 0o700); err != nil {
		return err
	}
	if _, err := git(ctx, p.source, "archive", "--output="+archive, p.Commit); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"tar", "-xf", archive, "-C", tree},
		{"go", "-C", tree, "build", "-trimpath", "-buildvcs=false", "-o", built, "./cmd/web"},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, said)
		}
	}
	return os.Rename(built, p.Path)
}

// clean removes what was last used before a moment.
func clean(folder string, before time.Time) error {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		info, failed := entry.Info()
		if failed == nil && info.ModTime().Before(before) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
		}
	}
	return err
}
