package backup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"latchkey/models"
)

// dump writes a PostgreSQL database to a file with pg_dump, and reads it again.
func dump(ctx context.Context, store *models.Store, databaseURL, file string) error {
	server, err := store.ServerVersion(ctx)
	if err != nil {
		return err
	}
	program, err := find(ctx, "pg_dump", server)
	if err != nil {
		return fmt.Errorf("%w; or run on another machine: pg_dump --format=custom --file=FILE DATABASE", err)
	}
	connection, environ, err := connect(databaseURL, "latchkey backup")
	if err != nil {
		return err
	}
	if _, err := execute(ctx, environ, program, "--no-password", "--format=custom", "--file="+file, connection); err != nil {
		return err
	}
	return checkDump(ctx, file)
}

// Programs returns an error, a sentence, unless the programs of PostgreSQL that a backup
// takes are on the path.
func Programs() error {
	for _, name := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not on the path, so no backup can be made", name)
		}
	}
	return nil
}

// find returns the path of a program of PostgreSQL that can work with a server of
// that version.
func find(ctx context.Context, name string, server int) (string, error) {
	program, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not on the path: install the client programs of PostgreSQL %d or later", name, server)
	}
	out, err := execute(ctx, nil, program, "--version")
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`\) (\d+)`).FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("%s --version says %q, which has no version", program, bytes.TrimSpace(out))
	}
	if version, _ := strconv.Atoi(string(found[1])); version < server { // only digits
		return "", fmt.Errorf("%s is from PostgreSQL %d, but the server is %d: install the client programs of PostgreSQL %[3]d or later", program, version, server)
	}
	return program, nil
}

// parameters are those of a URL that PostgreSQL's own programs know. The driver
// knows others, and sends what it does not know to the server.
var parameters = []string{
	"host", "hostaddr", "port", "dbname", "user", "passfile", "service", "connect_timeout", "options", "sslmode", "sslcert", "sslkey",
	"sslrootcert", "sslcrl", "sslnegotiation", "ssl_min_protocol_version", "target_session_attrs", "krbsrvname", "channel_binding", "require_auth",
}

// connect returns how PostgreSQL's programs reach a database: an argument without the
// password, and variables of the environment with it.
func connect(databaseURL, application string) (argument string, environ []string, err error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", nil, errors.New("LATCHKEY_DATABASE_URL is not a URL")
	}
	query := u.Query()
	if query.Has("sslpassword") {
		return "", nil, errors.New("LATCHKEY_DATABASE_URL has an sslpassword, which cannot be passed on safely: use a key without one")
	}
	password, set := u.User.Password()
	if query.Has("password") {
		password, set = query.Get("password"), true
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	for name := range query {
		if !slices.Contains(parameters, name) {
			query.Del(name)
		}
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	environ = []string{"PGAPPNAME=" + application}
	if set {
		environ = append(environ, "PGPASSWORD="+password)
	}
	return "--dbname=" + u.String(), environ, nil
}

// execute runs a program with more variables and without those of this program, which
// hold secrets. It returns what it printed.
func execute(ctx context.Context, environ []string, program string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, program, args...)
	ours := func(variable string) bool { return strings.HasPrefix(variable, "LATCHKEY_") }
	command.Env = append(slices.DeleteFunc(os.Environ(), ours), environ...)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	err := command.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if text := complaint(complaints.String()); text != "" {
		return nil, errors.New(text)
	}
	return nil, fmt.Errorf("%s: %w", program, err)
}

// complaint returns the line of a program's output that says what is wrong. The other
// lines may have data of the database.
func complaint(output string) string {
	first := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "error:") {
			return line
		}
		first = cmp.Or(first, line)
	}
	return first
}

// checkDump reads all of a file of pg_dump. It returns models.ErrNotOurs for the
// database of another program and models.ErrSchemaNewer for one of a later release.
func checkDump(ctx context.Context, file string) error {
	program, err := exec.LookPath("pg_restore")
	if err != nil {
		return errors.New("pg_restore is not on the path: install the client programs of PostgreSQL")
	}
	list, err := execute(ctx, nil, program, "--list", file)
	if err != nil {
		return err
	}
	var tables []string
	for _, found := range regexp.MustCompile(`(?m)^\d+; \d+ \d+ TABLE DATA \S+ (\S+) `).FindAllSubmatch(list, -1) {
		tables = append(tables, string(found[1]))
	}
	if !models.OurTables(tables) {
		return models.ErrNotOurs
	}
	versions, err := execute(ctx, nil, program, "--data-only", "--table=goose_db_version", "--file=-", file)
	if err != nil {
		return err
	}
	var newest int64
	for _, row := range regexp.MustCompile(`(?m)^\d+\t(\d+)\tt\t`).FindAllSubmatch(versions, -1) {
		version, err := strconv.ParseInt(string(row[1]), 10, 64)
		if err != nil {
			return err
		}
		newest = max(newest, version)
	}
	if err := models.CheckSchema("postgres", newest); err != nil {
		return err
	}
	_, err = execute(ctx, nil, program, "--file="+os.DevNull, file)
	return err
}
