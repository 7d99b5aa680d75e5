package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers"
	"latchkey/internal/auth"
	"latchkey/internal/metrics"
	"latchkey/internal/middleware"
	"latchkey/models"
)

// newMetrics returns the meters of the portal, nil when LATCHKEY_METRICS_ADDR is not
// set. Their functions use the portal's services only once something is scraped.
func (o *portal) newMetrics() (*metrics.Metrics, error) {
	if o.cfg.MetricsAddr == "" {
		return nil, nil //nolint:nilnil // no metrics is a setting, not a failure
	}
	signIns := map[string][]string{}
	for method, results := range auth.SignInResults() {
		signIns[string(method)] = texts(results)
	}
	options := metrics.Options{
		Version: version, Commit: sourceCommit(), GoVersion: runtime.Version(),
		SignIns: signIns, Rotations: texts(auth.RotationResults()), Ops: models.Ops(), Failures: handlers.Failures(),
		Pool:   func() metrics.Pool { return metrics.Pool(o.store.Pool()) },
		NotYet: func() uint64 { return o.keyring.NotYet() },
		Backup: func() time.Time {
			if o.backups == nil {
				return time.Time{}
			}
			return o.backups.Status().Last
		},
	}
	if o.cfg.Backup.Dir != "" {
		options.BackupEvery = o.cfg.Backup.Every
	}
	return metrics.New(options)
}

// texts returns the values of a list as texts.
func texts[T ~string](list []T) []string {
	made := make([]string, len(list))
	for i, value := range list {
		made[i] = string(value)
	}
	return made
}

// storeMeter, authMeter and requestMeter connect what is measured with the metrics.
// Without metrics they are empty, and nothing is measured.
func (o *portal) storeMeter() models.Meter {
	if o.metrics == nil {
		return models.Meter{}
	}
	return models.Meter{Query: o.metrics.Query, WriterWait: o.metrics.WriterWait}
}

func (o *portal) authMeter() auth.Meter {
	if o.metrics == nil {
		return auth.Meter{}
	}
	return auth.Meter{
		SignIn: func(method auth.SignInMethod, result auth.SignInResult) {
			o.metrics.SignIn(string(method), string(result))
		},
		Rotation: func(result auth.RotationResult) { o.metrics.Rotation(string(result)) },
	}
}

func (o *portal) requestMeter() middleware.Meter {
	if o.metrics == nil {
		return middleware.Meter{}
	}
	return middleware.Meter{Begin: o.metrics.RequestBegan, End: o.metrics.RequestEnded}
}

func (o *portal) hashWait() func(time.Duration) {
	if o.metrics == nil {
		return nil
	}
	return o.metrics.HashWait
}

// serveMetrics serves the metrics of pages on a listener of their own until stop is
// called: after the portal has stopped, so that they are there while it drains. Without
// metrics it does nothing.
func (o *portal) serveMetrics(ctx context.Context, pages *echo.Echo) (stop func(), err error) {
	if o.metrics == nil {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.cfg.MetricsAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on LATCHKEY_METRICS_ADDR %s: %w", o.cfg.MetricsAddr, err)
	}
	server := &http.Server{
		Handler: o.metricsHandler(pages), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(o.logger.Handler(), slog.LevelDebug),
	}
	o.logger.Info("metrics are served", "address", listener.Addr().String(), "path", "/metrics")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.logger.Error("metrics are no longer served: restart to get them back", "error", err.Error())
		}
	}()
	return func() {
		_ = server.Close()
		<-done
	}, nil
}

// metricsHandler serves /metrics and nothing else, with a series for each route of pages.
func (o *portal) metricsHandler(pages *echo.Echo) http.Handler {
	for _, route := range pages.Routes() {
		if slices.Contains(measuredMethods, route.Method) {
			o.metrics.Route(route.Method, route.Path)
		}
	}
	only := http.NewServeMux()
	only.Handle("GET /metrics", o.metrics.Handler())
	return only
}

// measuredMethods are those whose routes have a series from the start.
var measuredMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
