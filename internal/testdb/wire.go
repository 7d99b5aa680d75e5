package testdb

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Wire is a TCP proxy in front of a PostgreSQL server, to see what a client does
// when its connections fail. It is cut when the test ends.
type Wire struct {
	tb     testing.TB
	addr   string // where the client connects
	target string

	mu       sync.Mutex
	hung     bool
	listener net.Listener
	links    map[*link]bool
}

// link is one connection through the wire.
type link struct {
	client, database net.Conn
	frozen           atomic.Bool
}

// NewWire returns a wire to the database at databaseURL, and the URL of the
// database through the wire.
func NewWire(tb testing.TB, databaseURL string) (*Wire, string) {
	tb.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		tb.Fatal(err)
	}
	w := &Wire{tb: tb, addr: "127.0.0.1:0", target: u.Host, links: map[*link]bool{}}
	w.Mend()
	tb.Cleanup(w.Cut)
	u.Host = w.addr
	return w, u.String()
}

// Mend starts the proxy, at the same address as before.
func (w *Wire) Mend() {
	w.tb.Helper()
	listener, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.addr = listener, listener.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // cut
			}
			go w.pass(conn)
		}
	}()
}

// Cut closes every connection and refuses new ones, like a server that stops.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.listener.Close()
	for l := range w.links {
		l.close()
	}
	clear(w.links)
}

// Freeze keeps the connections of this moment open and forwards nothing on them
// from now on, like a router that forgot them. New connections work.
func (w *Wire) Freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for l := range w.links {
		l.frozen.Store(true)
	}
}

// Hang does as Freeze and also keeps later connections without an answer, until
// Resume.
func (w *Wire) Hang() {
	w.Freeze()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hung = true
}

// Resume makes new connections work again after Hang.
func (w *Wire) Resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hung = false
}

func (w *Wire) pass(client net.Conn) {
	database, err := net.Dial("tcp", w.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, database: database}
	w.mu.Lock()
	w.links[l] = true
	l.frozen.Store(w.hung)
	w.mu.Unlock()
	go l.forward(database, client)
	l.forward(client, database)
}

func (l *link) forward(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if l.frozen.Load() {
			if err != nil {
				return // frozen: the other side is not told
			}
			continue
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			l.close()
			return
		}
	}
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.database.Close()
}
