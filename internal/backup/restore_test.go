package backup

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceFails checks that a file stays as it was when its replacement cannot be
// put in place.
func TestReplaceFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "latchkey.db")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if kept, err := replace(filepath.Join(dir, "missing"), path, ".replaced"); err == nil || kept != "" {
		t.Errorf("got %q (%v), want an error", kept, err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "old" {
		t.Errorf("the file has %q (%v)", content, err)
	}
	if _, err := os.Lstat(path + ".replaced"); !os.IsNotExist(err) {
		t.Errorf("a second name stayed (%v)", err)
	}
}
