package main

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// wire is a TCP proxy in front of PostgreSQL that can be slow or broken.
type wire struct {
	target string
	late   atomic.Int64 // nanoseconds by which every packet of the database is late
	lose   atomic.Bool  // drop packets
	closed atomic.Bool  // reset new connections
	mu     sync.Mutex
	conns  map[*net.TCPConn]bool
}

// wire returns a wire to PostgreSQL, and the database URL through it. For SQLite it
// returns the URL as it is.
func (s *stage) wire(databaseURL string) (*wire, string, error) {
	if s.database == sqliteName {
		return nil, databaseURL, nil
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	w := &wire{target: u.Host, conns: map[*net.TCPConn]bool{}}
	u.Host = listener.Addr().String()
	go w.accept(listener)
	s.later(func() { _ = listener.Close(); w.reset() })
	return w, u.String(), nil
}

func (w *wire) delay(d time.Duration) { w.late.Store(int64(d)) }

// drop loses every packet from now on, also of new connections, or no longer. The
// connections that lost packets stay dead.
func (w *wire) drop(on bool) { w.lose.Store(on) }

// refuse resets the connections of now and new ones, or no longer.
func (w *wire) refuse(on bool) {
	if w.closed.Store(on); on {
		w.reset()
	}
}

// reset breaks all connections.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		breakOff(conn)
	}
	clear(w.conns)
}

func breakOff(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // RST instead of FIN
	_ = conn.Close()
}

func (w *wire) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		client := conn.(*net.TCPConn)
		if w.closed.Load() {
			breakOff(client)
			continue
		}
		go w.link(client)
	}
}

func (w *wire) link(client *net.TCPConn) {
	conn, err := net.Dial("tcp", w.target)
	if err != nil {
		breakOff(client)
		return
	}
	database := conn.(*net.TCPConn)
	w.mu.Lock()
	w.conns[client], w.conns[database] = true, true
	w.mu.Unlock()
	go w.forward(database, client, false)
	w.forward(client, database, true)
}

func (w *wire) forward(to, from *net.TCPConn, late bool) {
	buffer, lost := make([]byte, 32<<10), false
	for {
		n, err := from.Read(buffer)
		if lost = lost || w.lose.Load(); lost && err == nil {
			continue
		}
		if late {
			time.Sleep(time.Duration(w.late.Load()))
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err == nil {
			continue
		}
		w.mu.Lock()
		for _, conn := range []*net.TCPConn{to, from} {
			delete(w.conns, conn)
			_ = conn.Close()
		}
		w.mu.Unlock()
		return
	}
}
