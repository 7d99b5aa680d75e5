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
	cmd   *exec.Cmd
	log   string        // the file that has its output
	ended chan struct{} // closed when the process is gone
}

// startServer runs a program and waits until path answers 200. It returns how
// long that took from exec on. The output goes to a file in dir, as that of a
// service goes to a log.
func startServer(ctx context.Context, dir, addr, path string, env []string, args ...string) (*server, time.Duration, error) {
	log, err := os.CreateTemp(dir, filepath.Base(args[0])+"-*.log")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = log.Close() }()
	s := &server{addr: addr, cmd: exec.Command(args[0], args[1:]...), log: log.Name(), ended: make(chan struct{})}
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, env, log, log
	s.cmd.SysProcAttr = childAttributes(syscall.SIGKILL, nil)
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, 0, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended is in its log
	}()
	if err := s.waitReady(ctx, path); err != nil {
		s.stop()
		text, _ := os.ReadFile(s.log)
		return nil, 0, fmt.Errorf("%s: %w\n%s", filepath.Base(args[0]), err, text[max(0, len(text)-2000):])
	}
	return s, time.Since(start), nil
}

// waitReady asks for path until it answers 200.
func (s *server) waitReady(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		if c, err := dial(s.addr); err == nil {
			err = c.do(get(s.addr, path, ""))
			status := c.status
			c.close()
			if err == nil && status == 200 {
				return nil
			}
		}
		select {
		case <-s.ended:
			return errors.New("ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// stop asks the process to end, waits, and insists after a while.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// cpu returns the CPU time used so far.
func (s *server) cpu() (time.Duration, error) { return processCPU(s.cmd.Process.Pid) }

func (s *server) memory() (memory, error) { return readMemory(s.cmd.Process.Pid) }

// freeAddress returns a loopback address nobody listens on now.
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
	s, _, err := startServer(ctx, b.dir, addr, "/", b.processEnv(), b.floor, "-addr", addr, "-bytes", strconv.Itoa(size))
	return s, err
}

// startPortal runs the portal on a database, with more settings if any.
func (b *bench) startPortal(ctx context.Context, databaseURL string, more ...string) (*server, time.Duration, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, 0, err
	}
	env := append(b.processEnv(),
		"LATCHKEY_ADDR="+addr,
		"LATCHKEY_DATABASE_URL="+databaseURL,
		"LATCHKEY_SECRET="+b.secret,
		"LATCHKEY_LIMITS=off",
		"LATCHKEY_ACCESS_TTL=1h", // a live access token stays live for a whole case
	)
	return startServer(ctx, b.dir, addr, "/readyz", append(env, more...), b.portal)
}

// processEnv is the environment of both servers: the settings of the Go
// runtime, if any were given, and nothing else.
func (b *bench) processEnv() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TZ=UTC"}
	for _, name := range []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// removeSQLite takes a database file and its companions away.
func removeSQLite(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		_ = os.Remove(path + suffix)
	}
}
