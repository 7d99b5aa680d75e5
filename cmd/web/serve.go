package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"latchkey/handlers"
	"latchkey/internal/account"
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
	deliveryGrace     = 8 * time.Second // less, so that deliveries can be given back within that time
)

type serveCmd struct{}

// Run serves until ctx is done, then lets requests in flight finish.
//
// It ignores SIGHUP, so that it outlives its terminal, and SIGPIPE: once the
// reader of its log is gone, log lines are dropped.
func (serveCmd) Run(ctx context.Context, p *process) error {
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	p.tuneCollector(memoryLimit())
	o, err := p.open(ctx, p.stdout)
	if err != nil {
		return err
	}
	defer func() { _ = o.store.Close() }()
	p.addThread() // after the hasher and the pool have counted the cores
	o.backups = schedule(o)
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
		return fmt.Errorf("cannot listen on LATCHKEY_ADDR %s: %w", o.cfg.Addr, err)
	}
	stopMetrics, err := o.serveMetrics(ctx, handler)
	if err != nil {
		_ = listener.Close()
		return err
	}
	defer stopMetrics()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(o.logger.Handler(), slog.LevelDebug),
	}
	o.logger.Info("Latchkey is running", "url", o.cfg.PublicURL, "address", listener.Addr().String(), "version", version)
	if err := o.warnOfOtherHosts(ctx); err != nil {
		_ = listener.Close()
		return err
	}
	if err := o.announceSetup(ctx, p); err != nil {
		_ = listener.Close()
		return err
	}
	defer o.tellSystemd(ctx, listener.Addr())()
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return o.keepHouse(groupCtx) })
	group.Go(func() error { return o.keepPurging(groupCtx) })
	group.Go(func() error { return o.watch(groupCtx) })
	group.Go(func() error { return o.outbox.Run(groupCtx, deliveryGrace) })
	if o.backups != nil {
		group.Go(func() error { return o.backups.Run(groupCtx) })
	}
	group.Go(func() error {
		if err := server.Serve(&acceptor{Listener: listener, logger: o.logger, now: time.Now, metrics: o.metrics}); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-groupCtx.Done()
		if ctx.Err() != nil { // a signal, and not a fault of the server
			o.drain(pages)
		}
		return o.shutdown(groupCtx, server)
	})
	return group.Wait()
}

// addThread gives the Go runtime one thread more than there are cores. While
// password hashes occupy every core, the runtime polls the network only every
// 10 ms, and a page waits that long for its request and again for each response
// of the database. The figures are in docs/adr/0017-plain-argon2.md.
func (p *process) addThread() {
	if p.getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// drain serves on for the configured time while the portal asks load balancers to send
// requests elsewhere.
func (o *portal) drain(pages *handlers.Handlers) {
	pages.Drain()
	o.logger.Info("draining", "for", o.cfg.Drain.String())
	time.Sleep(o.cfg.Drain)
}

// shutdown stops the server: it accepts no new requests and gives those in flight a
// bounded time.
func (o *portal) shutdown(ctx context.Context, server *http.Server) error {
	o.logger.Info("stopping", "wait", shutdownTimeout.String())
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		o.logger.Warn("requests in flight were cut off", "error", err.Error())
		return server.Close()
	}
	o.logger.Info("stopped")
	return nil
}

// warnOfOtherHosts warns when people have passkeys that do not work here, because the
// portal had another host when they were made.
func (o *portal) warnOfOtherHosts(ctx context.Context) error {
	host := o.auth.Passkeys().RPID()
	n, err := o.store.Passkeys.OtherHosts(ctx, host)
	if err != nil {
		return err
	}
	if n > 0 {
		o.logger.Warn("passkeys do not work on this host: they were made for another host of the portal, "+
			"and work again when LATCHKEY_PUBLIC_URL has it (docs/passkeys.md)", "passkeys", n, "host", host)
	}
	return nil
}

// announceSetup prints the setup link while there is no admin. The server
// prints no other secret.
func (o *portal) announceSetup(ctx context.Context, p *process) error {
	token, err := o.accounts.CreateSetup(ctx)
	if err != nil || token == "" {
		return err
	}
	link := o.cfg.PublicURL + "/setup?token=" + token
	if o.cfg.LogFormat == config.LogJSON {
		// Not subject to the log level: without the link there is no way to
		// create the first admin.
		slog.New(slog.NewJSONHandler(p.stdout, nil)).Info("no admin exists yet: open the link within "+hours(account.SetupTTL)+" to create the first one", "link", link)
		return nil
	}
	_, _ = fmt.Fprintf(p.stdout, "\nNo admin exists yet. Open this link within %s to create the first one:\n\n  %s\n\n",
		hours(account.SetupTTL), link) // an unread log does not stop the server
	return nil
}

func hours(d time.Duration) string {
	if d == time.Hour {
		return "1 hour"
	}
	return fmt.Sprintf("%d hours", int(d.Hours()))
}
