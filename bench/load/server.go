package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readyTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
)

// server is a running child process that answers HTTP on addr.
type server struct {
	addr  string
	pid   int
	stop  func()        // asks the process to end, waits, and kills it after a while
	ended chan struct{} // closed when the process has ended
}

// startServer runs a program that listens on addr and waits until path returns 200.
// It returns the time since exec. The output goes to a file, like the log of a
// service.
func (b *bench) startServer(ctx context.Context, addr, path string, env []string, args ...string) (*server, time.Duration, error) {
	log, err := os.CreateTemp(b.dir, filepath.Base(args[0])+"-*.log")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = log.Close() }()
	running, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(running, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = b.dir, append(runtimeEnv(), env...), log, log
	start := time.Now()
	if err := cmd.Start(); err != nil {
		stop()
		return nil, 0, err
	}
	s := &server{addr: addr, pid: cmd.Process.Pid, ended: make(chan struct{})}
	s.stop = func() { stop(); <-s.ended }
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // its log has the reason
	}()
	if err := s.waitReady(ctx, path); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, 0, fmt.Errorf("%s: %w\n%s", filepath.Base(args[0]), err, text[max(0, len(text)-2000):])
	}
	return s, time.Since(start), nil
}

// waitReady requests path until it returns 200.
func (s *server) waitReady(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	b := newBrowser(s.addr)
	defer b.client.CloseIdleConnections()
	for {
		if a, err := b.do(path, nil); err == nil && a.StatusCode == 200 {
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("ended before it was ready")
		default:
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("not ready: %w", err)
		}
	}
}

// cpu returns the CPU time used so far.
func (s *server) cpu() (time.Duration, error) { return cpuTime(s.pid, false) }

// cpuOf meters the portal, and PostgreSQL with all its processes if that is
// the database. SQLite is inside the portal.
func (b *bench) cpuOf(portal *server, db database) meter {
	if db.name != postgresName {
		return portal.cpu
	}
	return func() (time.Duration, error) {
		own, err := portal.cpu()
		if err != nil {
			return 0, err
		}
		database, err := cpuTime(b.postgres.PID, true)
		return own + database, err
	}
}

// freeAddress returns a free loopback address.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// startFloor runs the floor server with a page of size bytes.
func (b *bench) startFloor(ctx context.Context, size int) (*server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s, _, err := b.startServer(ctx, addr, "/", nil, b.floor, "-addr", addr, "-bytes", strconv.Itoa(size))
	return s, err
}

// startPortal runs the portal on a database, with more settings if any.
func (b *bench) startPortal(ctx context.Context, db database, more ...string) (*server, time.Duration, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	env := append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TZ=UTC",
		"LATCHKEY_ADDR=" + addr,
		"LATCHKEY_DATABASE_URL=" + db.url,
		"LATCHKEY_SECRET=" + b.secret,
		"LATCHKEY_LIMITS=off",
		"LATCHKEY_ACCESS_TTL=1h", // a live access token stays live for a whole case
	}, more...)
	return b.startServer(ctx, addr, "/readyz", env, b.portal)
}

// withPortal runs f while the portal runs on a database and n people have
// signed up.
func (b *bench) withPortal(ctx context.Context, db database, n int, f func(portal *server, people []*browser) error, env ...string) error {
	portal, _, err := b.startPortal(ctx, db, env...)
	if err != nil {
		return err
	}
	defer portal.stop()
	people := make([]*browser, n)
	for i := range people {
		people[i] = newBrowser(portal.addr)
		if err := people[i].signUp(); err != nil {
			return err
		}
	}
	return f(portal, people)
}

// runtimeEnv are the settings of the Go runtime for all servers, if there are any.
func runtimeEnv() (env []string) {
	for _, name := range strings.Fields("GOMAXPROCS GOGC GOMEMLIMIT GODEBUG") {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}
