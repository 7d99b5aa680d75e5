package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dialect is a kind of database.
type Dialect string

// The databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Database says where the data is stored.
type Database struct {
	Dialect Dialect
	// Path is the file of a SQLite database, cleaned, and empty otherwise. Its
	// folder may not exist yet.
	Path string
	// URL is the connection string of a PostgreSQL database, for pgx, and
	// empty otherwise. It may hold a password.
	URL Secret
}

// database reads the database URL. If there is a problem, it returns at most the
// dialect.
func (l *loader) database(name string) Database {
	value, ok := l.secretValue(name)
	if !ok {
		return Database{}
	}
	if l.getenv(name) == "" && l.getenv(name+fileSuffix) != "" {
		name += fileSuffix
	}
	path, embedded := strings.CutPrefix(value, "sqlite:")
	switch {
	case embedded:
		return l.sqlite(name, path)
	case strings.HasPrefix(value, "postgres://"), strings.HasPrefix(value, "postgresql://"):
		return l.postgres(name, value)
	}
	l.problem(name, "does not begin with sqlite: or postgres://; set it to sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
	return Database{}
}

// ArgumentDatabase reads a database URL from an argument of a command, which name
// names. It refuses one with a password, because every user of the machine can read
// arguments. getenv is for the variables of PostgreSQL. The warnings and the error are
// as those of Load.
func ArgumentDatabase(name, value string, getenv func(string) string) (Database, []string, error) {
	if hasPassword(value) {
		return Database{}, nil, fmt.Errorf("%s holds a password, which every user of this machine can read; "+
			"leave it out, and set PGPASSWORD or write it into ~/.pgpass", name)
	}
	l := newLoader(func(variable string) string {
		if variable == name {
			return value
		}
		return getenv(variable)
	})
	database := l.database(name)
	return database, l.warnings, errors.Join(l.problems...)
}

// hasPassword reports whether a PostgreSQL URL holds a password.
func hasPassword(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "sqlite" {
		return false
	}
	_, set := u.User.Password()
	query := u.Query()
	return set || query.Has("password") || query.Has("sslpassword")
}

// sqlite checks the path of a SQLite file.
func (l *loader) sqlite(name, path string) Database {
	fault := ""
	switch {
	case path == "":
		fault = "has no path after sqlite:"
	case path == ":memory:":
		fault = "asks for a database in memory, which loses every account when the server stops"
	case strings.HasPrefix(path, "//"):
		fault = "has too many slashes after sqlite:, and an absolute path has a single one"
	case strings.ContainsAny(path, "?#%"):
		fault = "has a ?, # or % in its path, and SQLite takes no options here"
	case strings.HasSuffix(path, "/") || isDir(path):
		fault = "names a folder"
	case strings.EqualFold(filepath.Base(path), secretFileName):
		fault = "names the file of the generated secret"
	}
	if fault != "" {
		l.problem(name, "%s; set it to sqlite: and the path of a file, such as sqlite:data/latchkey.db", fault)
		return Database{}
	}
	l.warnDatabaseFile(name, path)
	return Database{Dialect: SQLite, Path: filepath.Clean(path)}
}

// warnDatabaseFile warns if every user of the machine can read the database.
func (l *loader) warnDatabaseFile(name, path string) {
	info, err := os.Stat(path)
	if err == nil && worldReadable(info.Mode()) {
		l.expose(name, "leads to %s, which every user of this machine can read (mode %04o); chmod it to 0600, and %[1]s-wal and %[1]s-shm if they are there", path, info.Mode().Perm())
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// postgres checks a PostgreSQL URL and warns if the connection is not verified.
// Errors of net/url quote the URL with its password, so they are not passed on.
func (l *loader) postgres(name, value string) Database {
	u, err := url.Parse(value)
	if err != nil {
		l.problem(name, "is not a URL; write it as postgres://USER:PASSWORD@HOST:PORT/NAME and percent-encode special characters in the password")
		return Database{Dialect: Postgres}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		l.problem(name, "has parameters after the ? that cannot be read; write them as name=value, joined with &")
		return Database{Dialect: Postgres}
	}
	mode := cmp.Or(query.Get("sslmode"), l.getenv("PGSSLMODE"))
	modes := []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
	if mode != "" && !slices.Contains(modes, mode) {
		l.problem(name, "has an sslmode that PostgreSQL does not know; set it to %s", either(modes))
		return Database{Dialect: Postgres}
	}
	hosts := cmp.Or(query.Get("host"), u.Host, l.getenv("PGHOST"))
	// With the system's roots, clients always verify in full.
	verified := mode == "verify-full" || cmp.Or(query.Get("sslrootcert"), l.getenv("PGSSLROOTCERT")) == "system"
	if !verified && !localHosts(hosts) {
		l.warn(name, "leads to PostgreSQL on another machine without checking its certificate; add sslmode=verify-full to it")
	}
	return Database{Dialect: Postgres, URL: NewSecret([]byte(value))}
}

// localHosts reports whether every host of a comma-separated list is this
// machine: a loopback address or a socket in the file system.
func localHosts(list string) bool {
	for host := range strings.SplitSeq(list, ",") {
		u := url.URL{Host: host}
		local := host == "" || host[0] == '/' || isLoopback(strings.ToLower(u.Hostname())) || isLoopback(host)
		if !local {
			return false
		}
	}
	return true
}
