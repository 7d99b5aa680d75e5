package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// TestScheduledBackup checks that a server makes a backup by itself, and that a folder
// in which it cannot write does not stop it.
func TestScheduledBackup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "backups")
	e := newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_BACKUP_DIR="+dir)
	s := start(t, e)
	s.out.wait(t, `msg="made a backup"`)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), ".db") {
		t.Errorf("the folder has %v (%v), want one backup", entries, err)
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("the server ended with %d", code)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = start(t, e.with("LATCHKEY_BACKUP_DIR="+file))
	s.out.wait(t, "backups cannot be written to LATCHKEY_BACKUP_DIR")
	boss, _ := office(t, e, s)
	if r := boss.get(s, "/admin", http.StatusOK); !strings.Contains(r.body, "The server has made no backup yet. The latest attempt failed:") {
		t.Errorf("the overview does not warn:\n%s", r.body)
	}
}
