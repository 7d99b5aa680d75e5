package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"latchkey/internal/testdb"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// portal is a server process of the portal. It can be started again at the same
// address.
type portal struct {
	program string
	addr    string
	env     []string
	dir     string
	log     string // the file with its output
	cgroup  string // the folder of its cgroup; "" for none
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
}

// newPortal returns a portal on a database that is not started yet. host is the
// host of its public URL; "" for its own address.
func (s *stage) newPortal(databaseURL, host string, more ...string) (*portal, error) {
	port, err := testdb.FreePort()
	if err != nil {
		return nil, err
	}
	p := &portal{program: s.portal, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: s.dir}
	if host == "" {
		host = p.addr
	}
	p.log = filepath.Join(s.dir, fmt.Sprintf("portal-%d.log", port))
	p.env = append(s.environment(databaseURL), "LATCHKEY_ADDR="+p.addr, "LATCHKEY_PUBLIC_URL=http://"+host)
	p.env = append(p.env, more...)
	s.later(p.kill)
	return p, nil
}

// environment returns the variables that commands need as well as servers.
func (s *stage) environment(databaseURL string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TZ=UTC",
		"LATCHKEY_DATABASE_URL=" + databaseURL,
		"LATCHKEY_SECRET=" + s.secret,
		"LATCHKEY_SMTP_URL=file:" + filepath.Join(s.dir, "mail"),
		"LATCHKEY_VERIFY_EMAIL=off",
		"LATCHKEY_LIMITS=off",
		"LATCHKEY_TRUSTED_PROXIES=127.0.0.1", // each person has an address of their own
		"LATCHKEY_ACCESS_TTL=2s",             // so that most page views begin with a rotation
	}
}

// startPortal starts a portal and waits until it is ready.
func (s *stage) startPortal(ctx context.Context, databaseURL, host string, more ...string) (*portal, error) {
	p, err := s.newPortal(databaseURL, host, more...)
	if err != nil {
		return nil, err
	}
	return p, p.start(ctx)
}

// start starts the process and waits until it is ready.
func (p *portal) start(ctx context.Context) error {
	if err := p.launch(); err != nil {
		return err
	}
	return p.waitReady(ctx)
}

// launch starts the process.
func (p *portal) launch() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := p.joined()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its log has the reason
	}()
	return nil
}

// joined returns a command of the program with the environment of the portal and in its
// cgroup.
func (p *portal) joined(args ...string) *exec.Cmd {
	args = append([]string{p.program}, args...)
	if p.cgroup != "" { // the shell joins the cgroup and becomes the program
		args = append([]string{"/bin/sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, p.cgroup}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.dir, p.env, childOf()
	return cmd
}

// waitReady waits until /readyz returns 200.
func (p *portal) waitReady(ctx context.Context) error {
	err := until(ctx, readyTimeout, "/readyz at "+p.addr+" returns 200", func() bool {
		return !p.runs() || ready(ctx, p.addr) == http.StatusOK
	})
	if err == nil && !p.runs() {
		err = errors.New("the portal ended before it was ready")
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, p.said())
	}
	return nil
}

// said returns the end of the portal's output.
func (p *portal) said() string {
	text, _ := os.ReadFile(p.log)
	return string(text[max(0, len(text)-2000):])
}

// runs reports whether the process runs.
func (p *portal) runs() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the process as kill -9 does.
func (p *portal) kill() {
	if p.runs() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// stop asks the process to end, as a service manager does, and returns how long it
// took.
func (p *portal) stop() (time.Duration, error) {
	if !p.runs() {
		return 0, errors.New("the portal has ended by itself\n" + p.said())
	}
	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		p.kill()
		return 0, fmt.Errorf("the portal did not end within %s of SIGTERM", stopTimeout)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return 0, fmt.Errorf("after SIGTERM the portal ended with code %d\n%s", code, p.said())
	}
	return time.Since(start), nil
}

// command runs a command of the portal and returns its exit code and its output.
func (s *stage) command(ctx context.Context, databaseURL string, args ...string) (code int, output string, took time.Duration) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, s.portal, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &said, &said
	cmd.Env = append(append(s.environment(databaseURL), "LATCHKEY_PUBLIC_URL=http://127.0.0.1:1"), s.variables...)
	cmd.SysProcAttr = childOf()
	start := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return -1, err.Error(), time.Since(start)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(said.String()), time.Since(start)
}

// must runs a command and returns an error if it fails.
func (s *stage) must(ctx context.Context, databaseURL string, args ...string) (time.Duration, error) {
	code, output, took := s.command(ctx, databaseURL, args...)
	if code != 0 {
		return took, fmt.Errorf("latchkey %s ended with code %d: %s", strings.Join(args, " "), code, output)
	}
	return took, nil
}
