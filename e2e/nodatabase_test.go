//go:build unix

package e2e

import (
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
)

// TestNoDatabase inspects the pages of a portal whose database does not respond.
func TestNoDatabase(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b, stranger := open(t, p, true), open(t, p, true)
	b.signIn(ana.username, ana.password)
	stranger.visit("/login")
	stranger.fill("Email or username", ana.username)
	stranger.fill("Password", ana.password)

	b.watch.mute(true) // Chromium complains about every response with status 500 or above
	stranger.watch.mute(true)
	p.holdDatabase()
	b.wantStatus(b.visit("/profile"), http.StatusServiceUnavailable)
	b.see("Sorry, the service is unavailable", "Nothing was changed.", "Try again")
	b.inspect("error 503")
	stranger.wantStatus(stranger.press("Sign in"), http.StatusServiceUnavailable)
	stranger.see("We cannot sign you in right now. Nothing was changed.")
	stranger.inspect("error 503 sign-in")
}

// holdDatabase locks the database until the end of the test, as another program
// could.
func (p *portal) holdDatabase() {
	p.t.Helper()
	path, isSQLite := p.sqliteFile()
	if !isSQLite {
		p.lockTables()
		return
	}
	// While another process has the database open, the portal does not remove the
	// file with the locks when it closes its last connection.
	if err := p.open().PingContext(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	// The locks of readers and writer are eight bytes of the
	// shared-memory file (SQLite, "WAL-mode File Format" §2.3.1).
	file, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = file.Close() })
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 120, Len: 8}
	waitFor(p.t, "the locks of the database", func() bool { return syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &lock) == nil })
}
