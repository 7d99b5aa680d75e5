// Command load drives the built portal over the network and prints its costs,
// compared with a minimal floor server, with a bare password hash, and with the
// targets of the project.
//
// It decides what is measured and how, so that the figures of one run can be
// compared with each other even on a busy machine: servers are driven in turn, CPU
// time counts more than the clock, and every count and duration is bounded. It
// sends the requests of a browser. scripts/bench builds the programs and starts it;
// docs/performance.md explains the figures.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"latchkey/internal/testdb"
)

// limit bounds a whole run, whatever happens.
const limit = time.Hour

// bench is one run.
type bench struct {
	portal, floor string // the programs
	dir           string // for logs and SQLite databases
	secret        string // the portal's master secret
	connections   int
	rounds        int
	roundTime     time.Duration
	warmUp        time.Duration
	quiet         time.Duration // how long the portal is idle before its memory is read
	users         int           // in the big database
	samples       int           // of each list page
	commit        string
	only          []string
	databases     []string
	postgres      *testdb.Server
	report        report
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(1)
	}
}

// run measures and prints the report, also after a failure half-way.
func run(ctx context.Context, args []string) error {
	b, err := parse(args)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "latchkey-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	if slices.Contains(b.databases, postgresName) {
		if b.postgres, err = testdb.StartServer(postgresSettings()...); err != nil {
			return err
		}
		defer func() { _ = b.postgres.Stop() }()
	}
	b.machineFacts()
	err = b.cases(ctx)
	b.fact("load average at the end", fileText("/proc/loadavg"))
	b.report.print(os.Stdout)
	return err
}

// parse reads the command line.
func parse(args []string) (*bench, error) {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	b := &bench{secret: hex.EncodeToString(secret), connections: 8, warmUp: time.Second, rounds: 7, roundTime: 2 * time.Second, quiet: 10 * time.Second, samples: 200}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	only := flags.String("only", "", "run only these `cases`, separated by commas: "+strings.Join(caseNames(), ", "))
	db := flags.String("db", "", "measure only on `sqlite` or `postgres`")
	flags.StringVar(&b.portal, "portal", "", "`path` of the portal's program")
	flags.StringVar(&b.floor, "floor", "", "`path` of the floor's program")
	flags.StringVar(&b.commit, "commit", "unknown", "`name` of the source in the report")
	quick := flags.Bool("quick", false, "few short rounds and a small list: to see that everything runs")
	flags.IntVar(&b.users, "users", 1_000_000, "`number` of users in the list (with -quick 20,000)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *quick {
		b.rounds, b.roundTime, b.quiet, b.samples, b.users = 2, 500*time.Millisecond, time.Second, 20, min(b.users, 20_000)
	}
	for _, name := range []string{sqliteName, postgresName} {
		if strings.HasPrefix(strings.ToLower(name), *db) {
			b.databases = append(b.databases, name)
		}
	}
	if b.databases == nil {
		return nil, fmt.Errorf("-db %q is neither sqlite nor postgres", *db)
	}
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	for _, name := range b.only {
		if !slices.Contains(caseNames(), name) {
			return nil, fmt.Errorf("there is no case %q; there are %s", name, strings.Join(caseNames(), ", "))
		}
	}
	if b.portal == "" || b.floor == "" {
		return nil, errors.New("-portal and -floor are required; scripts/bench builds both and starts the bench")
	}
	var err error
	for _, path := range []*string{&b.portal, &b.floor} {
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// say reports progress on standard error.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
