package proxytest

import (
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// portalServer serves the portal and can be restarted at its address.
type portalServer struct {
	addr    string
	handler http.Handler
	server  *http.Server
	asked   atomic.Int64 // the number of questions from a proxy
	failing atomic.Bool  // whether three of four questions fail
}

func servePortal(t *testing.T, handler http.Handler) *portalServer {
	t.Helper()
	p := &portalServer{addr: "127.0.0.1:0", handler: handler}
	p.start(t)
	t.Cleanup(func() { _ = p.server.Close() })
	return p
}

func (p *portalServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/forward-auth" && p.asked.Add(1)%8 < 6 && p.failing.Load() {
		panic(http.ErrAbortHandler)
	}
	p.handler.ServeHTTP(w, r)
}

func (p *portalServer) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	p.addr = listener.Addr().String()
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0)}
	go func(server *http.Server) { _ = server.Serve(listener) }(p.server)
}

// restart ends every connection and starts the portal again.
func (p *portalServer) restart(t *testing.T) {
	t.Helper()
	if err := p.server.Close(); err != nil {
		t.Error(err)
	}
	p.start(t)
}
