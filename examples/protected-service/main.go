// Protected-service is a small service that Latchkey protects. It shows the two
// ways to do that: asking Latchkey about each bearer token (RFC 7662), and
// believing the headers that a proxy sets after asking /forward-auth.
//
// Its three routes are those of the FastAPI tutorials. It stores no accounts,
// sessions or keys.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "protected-service:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, getenv func(string) string) error {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	g, err := guardFrom(getenv, logger)
	if err != nil {
		return err
	}
	addr := getenv("ADDR")
	if addr == "" {
		addr = "localhost:9000"
	}
	server := &http.Server{
		Addr: addr, Handler: routes(g), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	logger.Info("listening", "addr", addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(last)
}

// guard passes a request to next or refuses it.
type guard func(next http.HandlerFunc) http.HandlerFunc

// guardFrom chooses the guard from the environment: PROXY, or PORTAL_URL with
// PORTAL_TOKEN or PORTAL_TOKEN_FILE.
func guardFrom(getenv func(string) string, logger *slog.Logger) (guard, error) {
	proxy, portal := getenv("PROXY"), getenv("PORTAL_URL")
	switch {
	case proxy != "" && portal != "":
		return nil, errors.New("set PROXY or PORTAL_URL, not both")
	case proxy != "":
		prefix, err := netip.ParsePrefix(proxy)
		if err != nil {
			return nil, fmt.Errorf("PROXY must be the network of the proxy, such as 127.0.0.1/32: %w", err)
		}
		return byProxy(prefix), nil
	case portal == "":
		return nil, errors.New("set PORTAL_URL to the address of Latchkey, or PROXY to the network of the proxy")
	}
	address, err := url.Parse(portal)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("PORTAL_URL %q is not an address such as https://id.example.org", portal)
	}
	token := getenv("PORTAL_TOKEN")
	if file := getenv("PORTAL_TOKEN_FILE"); file != "" {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("PORTAL_TOKEN_FILE: %w", err)
		}
		token = strings.TrimSpace(string(content))
	}
	if token == "" {
		return nil, errors.New("set PORTAL_TOKEN to a Latchkey access token that may check tokens")
	}
	return byIntrospection(newPortal(address, token), "me", logger), nil
}

// routes returns the routes of the tutorials.
func routes(g guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /secure-message", g(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"message": "This is a secured message"})
	}))
	mux.HandleFunc("POST /secret", g(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "Secret data")
	}))
	mux.HandleFunc("GET /notsecret", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "Not secret data")
	})
	return mux
}

// answer writes body as JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the client has gone
}

// refuse writes a problem document (RFC 9457).
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
