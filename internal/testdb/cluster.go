package testdb

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNotInstalled says that this machine has no PostgreSQL server programs.
var errNotInstalled = errors.New("initdb and postgres are not installed " +
	"(Debian: apt-get install postgresql) and LATCHKEY_TEST_POSTGRES_URL is not set")

const (
	startTimeout  = 2 * time.Minute
	startAttempts = 3
)

// clusterScript runs a server until its standard input ends. The kernel closes
// that pipe for us when this process exits, panics or is killed.
//
//go:embed cluster.sh
var clusterScript string

// Server is a running PostgreSQL server on a free port of the loopback
// interface. It ends with this process, however that ends.
type Server struct {
	URL     *url.URL // of the superuser, to the database "postgres"
	Version string   // as "postgres --version" prints it
	PID     int      // of the server's first process

	dir      string
	lifeline io.Closer
	ended    chan struct{} // closed when clusterScript has ended
	said     bytes.Buffer  // the end of the log; to be read after ended
}

// StartServer starts a throw-away server and waits until it accepts connections.
// settings are lines of postgresql.conf, such as "fsync=on"; without any, the
// server trades every guarantee for speed.
func StartServer(settings ...string) (*Server, error) { return StartServerIn("", settings...) }

// StartServerIn does so with the server's data in a folder of its own in parent; "" is
// the folder for temporary files.
func StartServerIn(parent string, settings ...string) (*Server, error) {
	bin, err := findPrograms()
	if err != nil {
		return nil, err
	}
	if len(settings) == 0 {
		settings = []string{"max_connections=500", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"}
	}
	for attempt := 1; ; attempt++ {
		server, err := startOnce(bin, parent, settings)
		if err == nil {
			return server, nil
		}
		// Between choosing a port and listening on it another process may
		// have taken it.
		if attempt == startAttempts || !strings.Contains(err.Error(), "Address already in use") {
			return nil, fmt.Errorf("start a PostgreSQL server: %w", err)
		}
	}
}

func startOnce(bin, parent string, settings []string) (*Server, error) {
	version, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "latchkey-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{Version: string(bytes.TrimSpace(version)), dir: dir, ended: make(chan struct{})}
	if err := s.run(bin, settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.waitReady(); err != nil {
		err = errors.Join(err, s.Stop())
		return nil, fmt.Errorf("%w\n%s", err, s.said.Bytes())
	}
	return s, nil
}

// Stop ends the server and waits for it.
func (s *Server) Stop() error {
	_ = s.lifeline.Close()
	<-s.ended
	return os.RemoveAll(s.dir) // what the script could not remove is worth an error
}

// Restart ends the server at once, as "pg_ctl restart -m immediate" does, and
// waits until the next one accepts connections.
func (s *Server) Restart() error {
	if err := s.Halt(); err != nil {
		return err
	}
	return s.Resume()
}

// Hold keeps the server down until Resume if it ends by itself, for example because
// its disk is full.
func (s *Server) Hold() error {
	for _, name := range []string{"halt", "restart"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Halt ends the server at once, as "pg_ctl stop -m immediate" does. It stays down
// until Resume.
func (s *Server) Halt() error {
	if err := s.Hold(); err != nil {
		return err
	}
	if err := syscall.Kill(s.PID, syscall.SIGQUIT); err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.runs() {
		<-tick.C
	}
	return nil
}

// Resume starts the server again after Halt, or after Hold if it has ended, and
// waits until it accepts connections.
func (s *Server) Resume() error {
	halt, restart := filepath.Join(s.dir, "halt"), filepath.Join(s.dir, "restart")
	if s.runs() {
		return errors.Join(os.Remove(restart), os.Remove(halt), s.waitReady())
	}
	if err := os.Remove(halt); err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for { // clusterScript removes the file when it starts the next server
		if _, err := os.Stat(restart); errors.Is(err, fs.ErrNotExist) {
			return s.waitReady()
		}
		<-tick.C
	}
}

// runs reports whether the server's first process is there.
func (s *Server) runs() bool { return syscall.Kill(s.PID, 0) == nil }

// run starts clusterScript.
func (s *Server) run(bin string, settings []string) error {
	credential, err := unprivileged()
	if err != nil {
		return err
	}
	port, err := FreePort()
	if err != nil {
		return err
	}
	// Every user of this machine can reach the port, and a superuser of the
	// server can run commands as its user.
	password := rand.Text()
	if err := prepare(s.dir, password, credential); err != nil {
		return err
	}
	args := []string{"-c", clusterScript, "cluster.sh", bin, s.dir, strconv.Itoa(port)}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = &s.said
	// A session of its own keeps Ctrl-C in the terminal away from the script,
	// which must outlive us long enough to clean up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: credential}
	if s.lifeline, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // its log says how it ended
	}()
	s.URL = &url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("test", password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return nil
}

// waitReady returns nil once the server accepts connections, or why it does not.
func (s *Server) waitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL.String())
		if err == nil {
			return errors.Join(s.readPID(), conn.Close(ctx))
		}
		select {
		case <-s.ended:
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		case <-tick.C:
		}
	}
}

func (s *Server) readPID() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	s.PID, err = strconv.Atoi(line)
	return err
}

// prepare gives dir and a password file in it to the user of the server.
func prepare(dir, password string, credential *syscall.Credential) error {
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if credential == nil {
		return nil
	}
	for _, path := range []string{file, dir} {
		if err := os.Chown(path, int(credential.Uid), int(credential.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// unprivileged returns the user that runs the server when this process runs as
// root, which PostgreSQL refuses to do, and nil otherwise.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// findPrograms returns the directory that holds both initdb and postgres: the
// first of PATH, the one pg_config names, or Debian's newest.
func findPrograms() (string, error) {
	var candidates []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			path = resolved
		}
		candidates = append(candidates, filepath.Dir(path))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, string(bytes.TrimSpace(out)))
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(debian, func(a, b string) int { return majorVersion(b) - majorVersion(a) })
	for _, dir := range append(candidates, debian...) {
		if isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", errNotInstalled
}

// majorVersion returns N of /usr/lib/postgresql/N/bin, and 0 for anything else.
func majorVersion(bin string) int {
	version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return version
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// FreePort returns a TCP port of the loopback interface on which no process
// listens now.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
