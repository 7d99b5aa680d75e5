package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

// Set by the linker in release builds.
var (
	version = "dev"
	commit  = ""
)

type healthcheckCmd struct{}

// Run asks the local server whether it is ready.
func (healthcheckCmd) Run(ctx context.Context, p *process) error {
	address := p.getenv("LATCHKEY_ADDR")
	if address == "" {
		address = "localhost:8080"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("LATCHKEY_ADDR %q is not host:port", address)
	}
	hosts := []string{host}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		hosts = []string{"127.0.0.1", "::1"} // a machine may have only one of them
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	response, err := askReady(ctx, hosts, port)
	if err != nil {
		return fmt.Errorf("the server at %s does not answer: %w", address, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not ready: it returned %s", address, response.Status)
	}
	return nil
}

// askReady requests /readyz from each host until one responds. If none does, it
// returns the first host's error.
func askReady(ctx context.Context, hosts []string, port string) (response *http.Response, err error) {
	// Unlike the default transport, this one never uses a proxy.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, host := range hosts {
		request, fault := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
		if fault == nil {
			response, fault = client.Do(request)
		}
		if fault == nil {
			return response, nil
		}
		err = cmp.Or(err, fault)
	}
	return nil, err
}

type versionCmd struct{}

// Run prints the version, the commit and the Go version.
func (versionCmd) Run(p *process) error {
	_, err := fmt.Fprintf(p.stdout, "latchkey %s (commit %s, %s)\n", version, sourceCommit(), runtime.Version())
	return err
}

// sourceCommit returns the commit that the binary was built from.
func sourceCommit() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}
