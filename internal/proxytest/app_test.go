package proxytest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// app is the app behind the proxies. Like the example app it shows every
// request as JSON; it also takes uploads, sends events and echoes WebSockets.
type app struct {
	addr string

	mu      sync.Mutex
	served  map[string]bool          // values of X-Request-Mark that arrived
	asked   int                      // how often a proxy asked the app instead of the portal
	release map[string]chan struct{} // event streams that wait for their client
}

// seen is the part of a request that the app shows.
type seen struct {
	Method, URI, User, ID, Email, Name, Groups string
	Headers                                    http.Header
	Size                                       int64  // of the body
	Sum                                        string // SHA-256 of the body
}

func startApp(t *testing.T) *app {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{addr: listener.Addr().String(), served: map[string]bool{}, release: map[string]chan struct{}{}}
	server := &http.Server{Handler: a, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return a
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/forward-auth":
		a.mu.Lock()
		a.asked++
		a.mu.Unlock()
		a.show(w, r)
	case "/events":
		a.events(w, r)
	case "/ws":
		echoSocket(w, r)
	default:
		a.show(w, r)
	}
}

func (a *app) show(w http.ResponseWriter, r *http.Request) {
	h, sum := r.Header, sha256.New()
	size, err := io.Copy(sum, r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	a.served[h.Get("X-Request-Mark")] = true
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-From-App", "yes")
	_ = json.NewEncoder(w).Encode(seen{
		r.Method, r.RequestURI, h.Get("Remote-User"), h.Get("Remote-Id"), h.Get("Remote-Email"), h.Get("Remote-Name"), h.Get("Remote-Groups"),
		h, size, hex.EncodeToString(sum.Sum(nil)),
	})
}

// questions returns how often a proxy has asked the app for permission.
func (a *app) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// got reports whether the app served the request with a mark.
func (a *app) got(mark string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.served[mark]
}

// waiting returns the channel on which an event stream waits for its client.
func (a *app) waiting(stream string) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.release[stream] == nil {
		a.release[stream] = make(chan struct{})
	}
	return a.release[stream]
}

// events sends one server-sent event, and the second only after the client has
// received the first.
func (a *app) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprintf(w, "data: %s\n\n", r.Header.Get("Remote-User"))
	_ = http.NewResponseController(w).Flush()
	select {
	case <-a.waiting(r.URL.RawQuery):
		_, _ = fmt.Fprint(w, "data: second\n\n")
	case <-r.Context().Done():
	}
}

// echoSocket accepts a WebSocket (RFC 6455 §4.2.2), sends the person's username
// and returns every byte that follows.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" {
		http.Error(w, "not a WebSocket", http.StatusUpgradeRequired)
		return
	}
	user := r.Header.Get("Remote-User")
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s\n",
		base64.StdEncoding.EncodeToString(accept[:]), user)
	_, _ = io.Copy(conn, buffered)
}
