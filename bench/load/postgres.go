package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresSettings are those of a server that people rely on: what is
// committed survives a power cut. Everything else is PostgreSQL's default.
func postgresSettings() []string {
	return []string{"fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on", "shared_buffers=256MB"}
}

// cluster is a PostgreSQL server of the bench's own. Its data stay in the
// cache folder: a million users take minutes to make.
type cluster struct {
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the server is gone
	admin   *url.URL      // to the database in which others are created
	version string
}

// startCluster starts the server, making its data first if there are none.
func startCluster(ctx context.Context, cache string) (*cluster, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	credential, err := postgresUser()
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return nil, err
	}
	// Data of one major release cannot be read by another.
	dir := filepath.Join(cache, "postgres-"+filepath.Base(filepath.Dir(bin)))
	if err := initCluster(bin, dir, credential); err != nil {
		return nil, err
	}
	secret, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	args := []string{"-D", filepath.Join(dir, "data"), "-p", port}
	for _, setting := range append(postgresSettings(), "listen_addresses=127.0.0.1", "unix_socket_directories=") {
		args = append(args, "-c", setting)
	}
	c := &cluster{
		cmd: exec.Command(filepath.Join(bin, "postgres"), args...), ended: make(chan struct{}),
		admin: &url.URL{
			Scheme: "postgres", User: url.UserPassword("bench", strings.TrimSpace(string(secret))),
			Host: addr, Path: "/postgres", RawQuery: "sslmode=disable",
		},
		version: strings.TrimSpace(string(version)),
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	c.cmd.Dir, c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = dir, postgresEnv(dir), log, log
	c.cmd.SysProcAttr = childAttributes(syscall.SIGINT, credential) // a fast shutdown
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // how it ended is in its log
	}()
	if err := c.waitReady(ctx); err != nil {
		c.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, said[max(0, len(said)-1000):])
	}
	return c, nil
}

func postgresEnv(dir string) []string {
	return []string{"LC_ALL=C", "TZ=UTC", "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
}

// initCluster makes the data folder, unless there is one. Anybody on this
// machine can reach the server's port, so its superuser has a password.
func initCluster(bin, dir string, credential *syscall.Credential) error {
	if _, err := os.Stat(filepath.Join(dir, "made")); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil { // left half-made
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	if credential != nil {
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // PostgreSQL's user passes through
			return err
		}
		for _, path := range []string{password, dir} {
			if err := os.Chown(path, int(credential.Uid), int(credential.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "bench", "--pwfile="+password,
		"--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")
	cmd.Dir, cmd.Env = dir, postgresEnv(dir)
	cmd.SysProcAttr = childAttributes(syscall.SIGKILL, credential)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return os.WriteFile(filepath.Join(dir, "made"), nil, 0o600)
}

func (c *cluster) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.admin.String())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.ended:
			return errors.New("the server ended before it was ready")
		default:
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("not ready: %w", err)
		}
	}
}

// stop ends the server and waits for it.
func (c *cluster) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGINT)
	<-c.ended
}

// cpu returns the CPU time that all of the server has used so far.
func (c *cluster) cpu() (time.Duration, error) { return familyCPU(c.cmd.Process.Pid) }

// create makes an empty database. drop takes it away again.
func (c *cluster) create(ctx context.Context, name string) (databaseURL string, drop func(), err error) {
	if err := c.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0"); err != nil {
		return "", nil, err
	}
	drop = func() {
		err := c.execute(context.WithoutCancel(ctx), "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
		if err != nil {
			say("%v", err)
		}
	}
	return c.url(name), drop, nil
}

// url is the address of a database of this server.
func (c *cluster) url(name string) string {
	u := *c.admin
	u.Path = "/" + name
	return u.String()
}

// has reports whether there is a database of that name.
func (c *cluster) has(ctx context.Context, name string) (bool, error) {
	conn, err := pgx.Connect(ctx, c.admin.String())
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	var found bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&found)
	return found, err
}

// dropAll drops the databases whose names begin with prefix.
func (c *cluster) dropAll(ctx context.Context, prefix string) error {
	conn, err := pgx.Connect(ctx, c.admin.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range names {
		err = errors.Join(err, c.execute(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"))
	}
	return err
}

// rename gives a database another name. Nobody may be connected to it.
func (c *cluster) rename(ctx context.Context, from, to string) error {
	return c.execute(ctx, "ALTER DATABASE "+pgx.Identifier{from}.Sanitize()+" RENAME TO "+pgx.Identifier{to}.Sanitize())
}

func (c *cluster) execute(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.admin.String())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// newName returns a name that no other database has.
func newName(prefix string) string { return prefix + "_" + strings.ToLower(rand.Text()) }

// postgresUser is who runs the server when the bench runs as root, which
// PostgreSQL refuses to do; nil otherwise.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else is needed
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// postgresPrograms returns the folder of initdb and postgres: the newest that
// Debian installed, or the one that pg_config names.
func postgresPrograms() (string, error) {
	candidates, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		candidates = append([]string{strings.TrimSpace(string(out))}, candidates...)
	}
	for i := len(candidates) - 1; i >= 0; i-- {
		_, missing := os.Stat(filepath.Join(candidates[i], "initdb"))
		_, missing2 := os.Stat(filepath.Join(candidates[i], "postgres"))
		if missing == nil && missing2 == nil {
			return candidates[i], nil
		}
	}
	return "", errors.New("initdb and postgres are not installed (Debian: apt-get install postgresql); -db sqlite does without")
}
