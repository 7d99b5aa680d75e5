package testdb

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
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

// clusterScript runs a server until its standard input ends and leaves nothing
// behind. The kernel closes that pipe for us when this process exits, panics or
// is killed.
//
//go:embed cluster.sh
var clusterScript string

// startCluster creates and starts a throw-away server on a free port of the
// loopback interface. It returns errNotInstalled when there is none to start.
func startCluster() (postgresServer, error) {
	bin, err := findPrograms()
	if err != nil {
		return postgresServer{}, err
	}
	for attempt := 1; ; attempt++ {
		server, err := startClusterOnce(bin)
		if err == nil {
			return server, nil
		}
		// Between choosing a port and listening on it another process may
		// have taken it.
		if attempt == startAttempts || !strings.Contains(err.Error(), "Address already in use") {
			return postgresServer{}, fmt.Errorf("start a PostgreSQL server for tests: %w", err)
		}
	}
}

// cluster is a running clusterScript.
type cluster struct {
	lifeline io.Closer
	ended    chan struct{} // closed when the script has ended
	said     bytes.Buffer  // the end of the log; to be read after ended
}

func startClusterOnce(bin string) (postgresServer, error) {
	dir, err := os.MkdirTemp("", "latchkey-postgres-")
	if err != nil {
		return postgresServer{}, err
	}
	address, c, err := run(bin, dir)
	if err != nil {
		return postgresServer{}, errors.Join(err, os.RemoveAll(dir))
	}
	stop := func() error {
		_ = c.lifeline.Close()
		<-c.ended
		return os.RemoveAll(dir) // what the script could not remove is worth an error
	}
	if err := c.waitReady(address); err != nil {
		err = errors.Join(err, stop())
		return postgresServer{}, fmt.Errorf("%w\n%s", err, c.said.Bytes())
	}
	return postgresServer{url: address, stop: stop}, nil
}

// run starts clusterScript for a cluster in dir and returns the address its
// server will listen on.
func run(bin, dir string) (*url.URL, *cluster, error) {
	credential, err := unprivileged()
	if err != nil {
		return nil, nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	// Anybody on this machine can reach the port, and a superuser of the
	// server can run commands as its user.
	password := rand.Text()
	if err := prepare(dir, password, credential); err != nil {
		return nil, nil, err
	}

	c := &cluster{ended: make(chan struct{})}
	cmd := exec.Command("/bin/sh", "-c", clusterScript, "cluster.sh", bin, dir, strconv.Itoa(port))
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C", "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = &c.said
	// A session of its own keeps Ctrl-C in the terminal away from the script,
	// which must outlive us long enough to clean up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: credential}
	if c.lifeline, err = cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // how it ended is in what it said
	}()
	return &url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("test", password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}, c, nil
}

// waitReady returns nil once the server at address accepts connections, or
// why it does not.
func (c *cluster) waitReady(address *url.URL) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, address.String())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.ended:
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		case <-tick.C:
		}
	}
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

// freePort returns a TCP port of the loopback interface nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
