package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"latchkey/internal/metrics"
)

// acceptWarning is how often the log says that connections cannot be accepted.
const acceptWarning = time.Minute

// acceptor is the portal's listener. It says when connections cannot be accepted, and
// counts clients that are too slow.
type acceptor struct {
	net.Listener
	logger  *slog.Logger
	now     func() time.Time
	metrics *metrics.Metrics // nil: nothing is counted

	failed int64     // since told; only Accept uses it, and the two below
	last   error     // why
	told   time.Time // when the log said so
}

// Accept returns the next connection. The server tries again after a failure, with
// pauses of up to a second.
func (a *acceptor) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		a.failed, a.last = a.failed+1, err
		if a.metrics != nil {
			a.metrics.AcceptFailed()
		}
	}
	if a.failed > 0 {
		a.tell(a.now())
	}
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && a.metrics != nil {
		return &meteredConn{TCPConn: tcp, metrics: a.metrics}, nil
	}
	return conn, nil
}

// tell warns once a minute of the failures since the last warning.
func (a *acceptor) tell(now time.Time) {
	if now.Sub(a.told) < acceptWarning {
		return
	}
	message := "connections cannot be accepted: clients wait"
	if errors.Is(a.last, syscall.EMFILE) || errors.Is(a.last, syscall.ENFILE) {
		message = "no file descriptor is left for another connection: clients wait; raise the limit of open files (LimitNOFILE, ulimit -n)"
	}
	a.logger.Warn(message, "failures", a.failed, "error", a.last.Error())
	a.failed, a.told = 0, now
}

// meteredConn is a connection of a client that is counted when it is too slow.
type meteredConn struct {
	*net.TCPConn
	metrics *metrics.Metrics
	pending atomic.Bool // a part of a request has arrived, and no part of its response was written
	stuck   atomic.Bool // a response was taken too slowly
}

// Read reads a part of a request. A deadline that passes while nothing of the next
// request has arrived is the end of an idle connection, which is not counted. The
// server also sets a deadline to stop its own reading, but only after it has written.
func (c *meteredConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 {
		c.pending.Store(true)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && c.pending.Swap(false) {
		c.metrics.SlowRead()
	}
	return n, err
}

// interim begins the responses that only ask for the rest of a request.
var interim = []byte("HTTP/1.1 100 ")

// Write writes a part of a response.
func (c *meteredConn) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, interim) {
		c.pending.Store(false)
	}
	n, err := c.TCPConn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.stuck.Swap(true) {
		c.metrics.SlowWrite()
	}
	return n, err
}
