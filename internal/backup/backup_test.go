package backup_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"latchkey/internal/backup"
	"latchkey/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// empty checks that a folder has no files.
func empty(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the folder has %v (%v), want nothing", entries, err)
	}
}

// mount mounts an empty file system.
func mount(t *testing.T, flags uintptr, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("NOT TESTED: a file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestBadPath checks what a path gets that cannot become a backup.
func TestBadPath(t *testing.T) {
	dir := t.TempDir()
	store := testdb.SQLite(t)
	refused := func(path, want string) {
		t.Helper()
		err := backup.Make(t.Context(), backup.Options{Store: store}, path)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
	refused(dir, dir+" is a folder: name a new file in it")
	missing := filepath.Join(dir, "missing")
	refused(filepath.Join(missing, "x.db"), "cannot write in the folder "+missing+": no such file or directory")
	empty(t, dir)
	readOnly := mount(t, syscall.MS_RDONLY, "")
	refused(filepath.Join(readOnly, "x.db"), "cannot write in the folder "+readOnly+": read-only file system")
}

// TestFullDisk checks that a backup for which there is no room is not begun: a database
// on the same disk needs the rest.
func TestFullDisk(t *testing.T) {
	dir := mount(t, 0, "size=64k")
	err := backup.Make(t.Context(), backup.Options{Store: testdb.SQLite(t)}, filepath.Join(dir, "x.db"))
	if want := "the folder " + dir + " has room for 0 MB, and the backup needs about "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	empty(t, dir)
}

// TestStopped checks that a backup that is stopped leaves no file.
func TestStopped(t *testing.T) {
	store, dir := testdb.SQLite(t), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	err := backup.Make(ctx, backup.Options{Store: store, Progress: func(int64, int64) { stop() }}, filepath.Join(dir, "x.db"))
	if err == nil || err.Error() != "the backup was stopped: there is no file" {
		t.Errorf("got %v", err)
	}
	empty(t, dir)
}

// TestNoRoomForTheSecret checks that there is no backup without its secret.
func TestNoRoomForTheSecret(t *testing.T) {
	dir := t.TempDir()
	err := backup.Make(t.Context(), backup.Options{Store: testdb.SQLite(t), Secret: filepath.Join(dir, "missing")}, filepath.Join(dir, "x.db"))
	if err == nil || !strings.Contains(err.Error(), "copy the master secret") {
		t.Errorf("got %v", err)
	}
	empty(t, dir)
}

// TestProgress checks that the progress reaches the expected size, and that the file
// is readable only by its owner.
func TestProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var done, expected int64
	err := backup.Make(t.Context(), backup.Options{
		Store: testdb.SQLite(t), Progress: func(now, total int64) { done, expected = now, total },
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) || info.Size() != done || done > expected || done < expected/2 {
		t.Errorf("got %v (%v) after %d of about %d bytes, want that and the mode 0600", info, err, done, expected)
	}
}
