// Package doctor checks an installation from the outside of the server: its public
// address, its database, files, backups, mail and machine. Each check says what was
// found and, unless all is well, what to do.
//
// It changes nothing: it makes no file, migrates nothing and sends no message. No text
// holds a secret. Package config decides whether the configuration is valid and
// package models what a database is; this package judges the two for an operator.
package doctor

import (
	"context"
	"crypto/x509"
	"net/netip"
	"sync"
	"time"

	"latchkey/models"
)

// State is the result of a check.
type State string

// The states.
const (
	OK   State = "ok"
	Warn State = "warn" // it works, and something should be done
	Fail State = "fail" // it does not work, or data is at risk
)

// Check is one line of the report.
type Check struct {
	Group  string `json:"group"`
	Name   string `json:"check"`
	State  State  `json:"state"`
	Detail string `json:"detail"` // what was found, without a full stop
	Advice string `json:"advice"` // what to do, a sentence; empty if there is nothing to do
}

// Mailer tries a mail server without sending a message.
type Mailer interface {
	Try(ctx context.Context) error
}

// Fact is a setting in words.
type Fact struct{ Name, Value string }

// Options say what to check.
type Options struct {
	Problems []string // of the configuration; with any, only the machine can be checked
	Warnings []string // of the configuration

	PublicURL string
	Addr      string // the listen address
	Loopback  bool   // whether the public URL names this machine only
	Proxies   []netip.Prefix

	Database models.Options
	Explain  func(error) error // puts an error of the database on one line
	Path     string            // of the SQLite file; empty on PostgreSQL
	Pool     int               // connections that a process keeps

	SecretPath string // of the generated secret; empty if one is set
	Previous   bool   // whether a previous secret is set
	SessionTTL time.Duration
	EnvFile    string // the file that systemd reads the variables from, if it exists

	BackupDir   string
	BackupEvery time.Duration

	Mail       Mailer // nil: no mail server
	MailFolder string // messages are written to files

	Memory int64 // bytes that the process may use, 0 for any
	Hashes int   // password hashes at a time
	Facts  []Fact

	Now func() time.Time

	roots *x509.CertPool // nil: those of the machine
}

// The time that the checks of the network and the database may take.
const (
	askTimeout      = 5 * time.Second
	databaseTimeout = 10 * time.Second
	mailTimeout     = 10 * time.Second // a mail server may greet late on purpose
)

// Run makes all checks and returns them in the order of the page.
func Run(ctx context.Context, o Options) []Check {
	groups := []func(context.Context) []Check{o.machine}
	if len(o.Problems) == 0 {
		groups = []func(context.Context) []Check{o.public, o.database, o.files, o.backup, o.mail, o.machine, o.settings}
	}
	found := make([][]Check, len(groups))
	var all sync.WaitGroup
	for i, group := range groups {
		all.Go(func() { found[i] = group(ctx) })
	}
	all.Wait()
	checks := o.configuration()
	for _, list := range found {
		checks = append(checks, list...)
	}
	return checks
}

// Count returns how many checks have a state.
func Count(checks []Check, state State) (n int) {
	for _, c := range checks {
		if c.State == state {
			n++
		}
	}
	return n
}

// group collects the checks of one group.
type group struct {
	name   string
	checks []Check
}

func (g *group) ok(name, detail string)           { g.add(name, OK, detail, "") }
func (g *group) warn(name, detail, advice string) { g.add(name, Warn, detail, advice) }
func (g *group) fail(name, detail, advice string) { g.add(name, Fail, detail, advice) }

func (g *group) add(name string, state State, detail, advice string) {
	g.checks = append(g.checks, Check{g.name, name, state, detail, advice})
}

func (o Options) configuration() []Check {
	g := group{name: "Configuration"}
	for _, problem := range o.Problems {
		g.fail("Variables", problem, "Correct it, then run latchkey doctor again: the other checks need the configuration.")
	}
	for _, warning := range o.Warnings {
		g.warn("Variables", warning, "See docs/configuration.md.")
	}
	if len(g.checks) == 0 {
		g.ok("Variables", "all valid")
	}
	return g.checks
}

func (o Options) settings(context.Context) []Check {
	g := group{name: "In effect"}
	for _, fact := range o.Facts {
		g.ok(fact.Name, fact.Value)
	}
	return g.checks
}
