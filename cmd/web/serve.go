package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"latchkey/internal/auth"
	"latchkey/internal/config"
)

// Limits of the server; net/http sets none of them by itself.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 16 << 10
	shutdownTimeout   = 10 * time.Second
	housekeepingEvery = time.Hour
)

type serveCmd struct{}

// Run serves until ctx is done, then lets requests in flight finish.
func (serveCmd) Run(ctx context.Context, p *process) error {
	defer runtime.KeepAlive(p.tuneMemory())
	o, err := p.open(ctx, p.stdout)
	if err != nil {
		return err
	}
	defer func() { _ = o.store.Close() }()
	p.addThread() // o has counted the cores
	pages, err := o.handlers()
	if err != nil {
		return err
	}
	handler, err := pages.Echo()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.cfg.Addr)
	if err != nil {
		return fmt.Errorf("LATCHKEY_ADDR %s cannot be listened on: %w", o.cfg.Addr, err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(o.logger.Handler(), slog.LevelDebug),
	}
	o.logger.Info("Latchkey is running", "url", o.cfg.PublicURL, "address", listener.Addr().String(), "version", version)
	if err := o.announceSetup(ctx, p); err != nil {
		_ = listener.Close()
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.keepHouse(groupCtx) })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error { return shutdown(groupCtx, server, o.logger) })
	return group.Wait()
}

// Memory of a server whose operator did not say otherwise (GOGC, GOMEMLIMIT).
//
// The runtime sets its goals by how much lives after a collection. Here that is
// a few MiB, and it would collect whenever a few more have come together: a
// fifth of what a page costs. A ballast keeps the goals apart from what lives. It
// counts as living, is never touched and so is not resident; garbage is collected
// whenever it reaches some 50 MiB.
const (
	ballastSize = 192 << 20
	gcPercent   = 25
)

// tuneMemory sets what the collector cannot know, and returns the ballast, which
// has to be kept for as long as the server runs.
func (p *process) tuneMemory() (ballast []byte) {
	if p.getenv("GOGC") == "" && p.getenv("GOMEMLIMIT") == "" {
		ballast = make([]byte, ballastSize)
		debug.SetGCPercent(gcPercent)
	}
	return ballast
}

// addThread gives the runtime one thread more than there are cores. While
// passwords are hashed on all of them it would look at the network every 10 ms
// only: once for a page, and with PostgreSQL again for each answer of the
// database. With a thread to spare the kernel has it look at once.
func (p *process) addThread() {
	if p.getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// shutdown waits for the end of ctx and stops the server: no new requests, a
// bounded time for those in flight.
func shutdown(ctx context.Context, server *http.Server, logger *slog.Logger) error {
	<-ctx.Done()
	logger.Info("stopping", "wait", shutdownTimeout.String())
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		logger.Warn("requests in flight were cut off", "error", err.Error())
		return server.Close()
	}
	logger.Info("stopped")
	return nil
}

// announceSetup prints the one-time link to create the first admin with, while
// there is none. It is the only secret that is ever printed.
func (o *portal) announceSetup(ctx context.Context, p *process) error {
	token, err := o.auth.CreateSetup(ctx)
	if err != nil || token == "" {
		return err
	}
	link := o.cfg.PublicURL + "/setup?token=" + token
	if o.cfg.LogFormat == config.LogJSON {
		// Whatever level is logged: without the link there is no first admin.
		slog.New(slog.NewJSONHandler(p.stdout, nil)).Info("no admin exists yet: open the link within "+hours(auth.SetupTTL)+" to create the first one", "link", link)
		return nil
	}
	_, err = fmt.Fprintf(p.stdout, "\nNo admin exists yet. Open this link within %s to create the first one:\n\n  %s\n\n",
		hours(auth.SetupTTL), link)
	return err
}

func hours(d time.Duration) string {
	if d == time.Hour {
		return "1 hour"
	}
	return fmt.Sprintf("%d hours", int(d.Hours()))
}

// keepHouse does what nobody waits for, at the start and every hour: it purges
// what is dead and watches the clocks.
func (o *portal) keepHouse(ctx context.Context) error {
	if took := o.hasher.SelfTest(); took < 30*time.Millisecond || took > 250*time.Millisecond {
		o.logger.Warn("one password hash takes an unusual time: 30 to 250 ms are expected", "took", took.String())
	} else {
		o.logger.Debug("one password hash", "took", took.String())
	}
	debug.FreeOSMemory() // the hash's 19 MiB, or an idle server would keep them
	ticker := time.NewTicker(housekeepingEvery)
	defer ticker.Stop()
	for {
		o.tidy(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (o *portal) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, housekeepingEvery/2)
	defer cancel()
	purged, err := o.auth.Purge(ctx)
	if err != nil && ctx.Err() == nil {
		o.logger.Warn("purge", "error", err.Error())
	} else if purged > 0 {
		o.logger.Info("purged what is dead", "rows", purged)
	}
	skew, bad, err := o.auth.Skew(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		o.logger.Warn("compare clocks", "error", err.Error())
	case bad:
		o.logger.Error("this machine's clock and the database's differ: sessions end too early or too late", "ahead", skew.String())
	}
}
