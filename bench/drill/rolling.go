package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"latchkey/internal/testdb"
)

// drainTime is LATCHKEY_DRAIN of the replicas: its default. HAProxy takes a server out
// after one check, which it makes each second.
const drainTime = 5 * time.Second

// allUp is where HAProxy says whether it uses all replicas: 200, or 503. Behind nginx
// the portal answers 404.
const allUp = "/drill-all-up"

func rollingHAProxy(ctx context.Context, s *stage) error { return rolling(ctx, s, haproxy) }
func rollingNginx(ctx context.Context, s *stage) error   { return rolling(ctx, s, nginx) }

// rolling restarts replicas one after the other behind a proxy, and no request may
// be lost.
func rolling(ctx context.Context, s *stage, proxy func(s *stage, addr string, replicas []string) ([]string, error)) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	port, err := testdb.FreePort()
	if err != nil {
		return err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	var replicas []*portal
	var addrs []string
	for range either(s, 3, 2) {
		p, err := s.startPortal(ctx, url, addr, "LATCHKEY_DRAIN="+drainTime.String())
		if err != nil {
			return err
		}
		replicas, addrs = append(replicas, p), append(addrs, p.addr)
	}
	if err := s.startProxy(ctx, addr, addrs, proxy); err != nil {
		return err
	}
	c, err := s.gather(ctx, addr, addr)
	if err != nil {
		return err
	}
	rounds, slowest := either(s, 3, 1), time.Duration(0)
	for range rounds {
		for _, p := range replicas {
			took, err := p.stop()
			if err != nil {
				return err
			}
			if slowest = max(slowest, took); took < drainTime {
				s.broken("a replica ended %s after SIGTERM, before LATCHKEY_DRAIN=%s", seconds(took), drainTime)
			}
			if err := p.start(ctx); err != nil {
				return err
			}
			if err := pause(ctx, 2*time.Second); err != nil { // nginx tries it again after a second
				return err
			}
			if err := until(ctx, time.Minute, "the proxy uses all replicas", func() bool {
				code := status(ctx, addr, allUp)
				return code != 0 && code != http.StatusServiceUnavailable
			}); err != nil {
				return err
			}
		}
	}
	s.fact("%d rolling restarts of %d replicas, slowest stop %s", rounds, len(replicas), seconds(slowest))
	return s.conclude(ctx, c, replicas[0], false)
}

// startProxy starts a proxy at addr and waits until it passes requests on.
func (s *stage) startProxy(ctx context.Context, addr string, replicas []string, proxy func(s *stage, addr string, replicas []string) ([]string, error)) error {
	args, err := proxy(s, addr, replicas)
	if err != nil {
		return err
	}
	path, err := findProgram(args[0])
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "proxy.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.dir, log, log, childOf()
	if err := cmd.Start(); err != nil {
		return err
	}
	s.later(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if err := until(ctx, readyTimeout, args[0]+" passes requests on", func() bool { return ready(ctx, addr) == 200 }); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// haproxy writes HAProxy's configuration, with the lines of docs/operations.md. A short
// drill waits longer for an answer of /readyz, because the machine may be busy.
func haproxy(s *stage, addr string, replicas []string) ([]string, error) {
	var servers strings.Builder
	for i, replica := range replicas {
		fmt.Fprintf(&servers, "    server portal%d %s\n", i+1, replica)
	}
	file := filepath.Join(s.dir, "haproxy.cfg")
	return []string{"haproxy", "-db", "-f", file}, os.WriteFile(file, fmt.Appendf(nil, `global
    maxconn 1000

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s

frontend public
    bind %s
    monitor-uri %s
    monitor fail if { nbsrv(portals) lt %d }
    default_backend portals

backend portals
    balance roundrobin
    option redispatch
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter 1s fall 1 rise 2
%s%s`, addr, allUp, len(replicas), either(s, "", "    timeout check 20s\n"), servers.String()), 0o600)
}

// nginx writes nginx's configuration. It asks no /readyz: it tries the next server
// when one refuses a connection, and does not keep a connection that the portal
// closes.
func nginx(s *stage, addr string, replicas []string) ([]string, error) {
	var servers strings.Builder
	for _, replica := range replicas {
		fmt.Fprintf(&servers, "        server %s max_fails=1 fail_timeout=1s;\n", replica)
	}
	file := filepath.Join(s.dir, "nginx.conf")
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // only this user can read the folder
	}
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "    %s_temp_path %s/%s;\n", kind, s.dir, kind)
	}
	return []string{"nginx", "-p", s.dir, "-e", "stderr", "-c", file}, os.WriteFile(file, fmt.Appendf(nil, `daemon off; master_process off; %s
pid %s/nginx.pid; error_log stderr;
events {}
http {
    access_log off;
%s    upstream portals {
%s        keepalive 16;
    }
    server {
        listen %s;
        location / {
            proxy_pass http://portals;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
        }
    }
}
`, user, s.dir, temp.String(), servers.String(), addr), 0o600)
}
