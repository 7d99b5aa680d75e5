package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
)

const (
	healthPath = "/healthz"
	readyPath  = "/readyz"

	// readyTimeout is when /readyz stops waiting for the database, in time for load
	// balancers that wait for two seconds.
	readyTimeout = 1500 * time.Millisecond
	// readyFor is how long /readyz repeats that the database is ready without asking
	// it, so that its callers cause at most one write a second.
	readyFor = time.Second
	// probeTimeout bounds one question to the database.
	probeTimeout = 10 * time.Second
)

var (
	errDraining = errors.New("the server is stopping")
	errNoAnswer = fmt.Errorf("the database has not answered for %s", readyTimeout)
)

// healthz handles GET /healthz: the process responds.
func (h *Handlers) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz handles GET /readyz: 200 only if a request that writes would succeed now.
// HandleError responds to a failure, as text.
func (h *Handlers) readyz(c echo.Context) error {
	err := errDraining
	if !h.draining.Load() {
		err = h.ready.ask(c.Request().Context())
	}
	if err != nil {
		return apperr.New(apperr.Unavailable, "", fmt.Errorf("not ready: %w", err))
	}
	return c.String(http.StatusOK, "ready\n")
}

// Drain makes /readyz say that the portal is not ready, and every response ask the
// client to close its connection, so that proxies leave before the server stops.
func (h *Handlers) Drain() { h.draining.Store(true) }

// closeWhileDraining tells clients to open no further request on their connection
// (RFC 9112 §9.6).
func closeWhileDraining(draining *atomic.Bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if draining.Load() {
				c.Response().Header().Set(echo.HeaderConnection, "close")
			}
			return next(c)
		}
	}
}

// readiness asks the database whether it can be used. Callers at the same time share
// one question, also one that hangs.
type readiness struct {
	obstacle func() error                // costs nothing
	check    func(context.Context) error // asks the database

	mu     sync.Mutex
	latest *probe
}

// probe is one question to the database. err is set when done is closed.
type probe struct {
	started time.Time
	done    chan struct{}
	err     error
}

// ask returns nil when the database can be used. It answers within readyTimeout.
func (r *readiness) ask(ctx context.Context) error {
	if err := r.obstacle(); err != nil {
		return err
	}
	p := r.probe(ctx)
	late := time.NewTimer(readyTimeout - time.Since(p.started))
	defer late.Stop()
	select {
	case <-p.done:
		return p.err
	case <-late.C:
		return errNoAnswer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe returns the probe that runs or that found the database usable less than
// readyFor ago, or starts one.
func (r *readiness) probe(ctx context.Context) *probe {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.latest; p != nil {
		select {
		case <-p.done:
			if p.err == nil && time.Since(p.started) < readyFor {
				return p
			}
		default:
			return p
		}
	}
	p := &probe{started: time.Now(), done: make(chan struct{})}
	r.latest = p
	go func() {
		// The answer is for all callers, so none of them may cancel the question.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		p.err = r.check(ctx)
		close(p.done)
	}()
	return p
}
