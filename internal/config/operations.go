package config

import (
	"net"
	"path/filepath"
	"time"
)

// Backup says when the server makes backups by itself.
type Backup struct {
	// Dir is the folder of the backups, cleaned; empty if the server makes none.
	Dir string
	// Every is the time between two backups, a minute or more.
	Every time.Duration
	// Keep is how many backups stay in Dir, one or more.
	Keep int
}

// mostBackups bounds LATCHKEY_BACKUP_KEEP. It is more than a backup an hour for a
// year.
const mostBackups = 10_000

// backup reads the schedule of backups.
func (l *loader) backup() Backup {
	b := Backup{Every: l.duration(nameBackupEvery, time.Minute), Keep: l.integer(nameBackupKeep, 1, mostBackups)}
	if dir := l.value(nameBackupDir); dir != "" {
		b.Dir = filepath.Clean(dir)
		return b
	}
	for _, name := range []string{nameBackupEvery, nameBackupKeep} {
		if l.getenv(name) != "" {
			l.warn(name, "has no effect without %s", nameBackupDir)
		}
	}
	return b
}

const (
	// defaultDrain is two checks of a load balancer that asks every two seconds,
	// and one second more.
	defaultDrain = 5 * time.Second
	longestDrain = 5 * time.Minute
)

// drain reads how long the server serves after SIGTERM.
func (l *loader) drain(name string, c *Config) time.Duration {
	if l.value(name) == "" {
		if c.PublicURL == "" || c.Loopback() {
			return 0
		}
		return defaultDrain
	}
	d, err := time.ParseDuration(l.value(name))
	if err != nil || d < 0 || d > longestDrain {
		l.problem(name, "is %s; set it to a duration from 0s to %s, such as 5s", quote(l.value(name)), longestDrain)
		return 0
	}
	return d
}

// metricsAddr reads the address of the metrics. port is the portal's own, or "" if
// it has a problem.
func (l *loader) metricsAddr(name, port string) string {
	if l.value(name) == "" {
		return ""
	}
	addr, own := l.listenAddr(name)
	if own != "" && own == port {
		l.problem(name, "has the port of %s; give the metrics a port of their own, such as localhost:9090", nameAddr)
		return ""
	}
	if host, _, err := net.SplitHostPort(addr); err == nil && host == "" {
		l.warn(name, "listens on every interface: make sure that only your own network reaches it")
	}
	return addr
}
