package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// tellSystemd tells the service manager that the server can be used, that it stops
// once ctx is done and, where it asked for that (WatchdogSec), that it answers. Without
// a service manager it does nothing. stop ends the reports.
func (o *portal) tellSystemd(ctx context.Context, address net.Addr) (stop func()) {
	o.notify(daemon.SdNotifyReady)
	ended := context.AfterFunc(ctx, func() { o.notify(daemon.SdNotifyStopping) })
	reporting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	if within, err := daemon.SdWatchdogEnabled(false); err == nil && within > 0 {
		group.Go(func() { o.reportAlive(reporting, within, "http://"+address.String()+"/healthz") })
	}
	return func() {
		ended()
		cancel()
		group.Wait()
	}
}

// notify sends a message to the service manager, if there is one.
func (o *portal) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		o.logger.Warn("tell systemd", "state", state, "error", err.Error())
	}
}

// reportAlive reports three times within the time that the service manager waits, as
// long as the server answers. When it does not, the service manager restarts it.
func (o *portal) reportAlive(ctx context.Context, within time.Duration, url string) {
	client := &http.Client{Timeout: within / 3, Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(within / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if answers(ctx, client, url) {
				o.notify(daemon.SdNotifyWatchdog)
			}
		}
	}
}

// answers reports whether the server answers, with whatever status: a restart does not
// help a server that is busy, or one that has no descriptors left.
func answers(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
	}
	_ = response.Body.Close()
	return true
}
