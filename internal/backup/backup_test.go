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

// TestFullDisk checks that a backup for which there is no room leaves no file.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("NOT TESTED: a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	err := backup.Make(t.Context(), backup.Options{Store: testdb.SQLite(t)}, filepath.Join(dir, "x.db"))
	if err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("got %v, want an error that says that the disk is full", err)
	}
	empty(t, dir)
}

// TestStopped checks that a backup that is stopped leaves no file.
func TestStopped(t *testing.T) {
	store, dir := testdb.SQLite(t), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	err := backup.Make(ctx, backup.Options{Store: store, Progress: func(int64, int64) { stop() }}, filepath.Join(dir, "x.db"))
	for err == nil { // it was faster than the first report
		t.Skip("the backup was faster than its first report")
	}
	if err.Error() != "the backup was stopped: there is no file" {
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
	var expected int64
	err := backup.Make(t.Context(), backup.Options{
		Store: testdb.SQLite(t), Progress: func(_, total int64) { expected = total },
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.FileMode(0o600) || info.Size() > expected || info.Size() < expected/2 {
		t.Errorf("got %v (%v), want about %d bytes and the mode 0600", info, err, expected)
	}
}
