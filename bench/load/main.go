// Command load drives the built portal over the network and prints what it
// costs: against a floor server that does the least, against a bare password
// hash, and against the targets that the project set itself.
//
// It decides what is measured and how, so that the figures of one run can be
// compared with each other on a machine that does other things too: servers
// are driven in turn, CPU time counts more than the clock, and every count and
// duration is bounded. What the portal does is none of its business: it talks
// to it as a browser would. scripts/bench builds the programs and starts it,
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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// limit bounds a whole run, whatever happens.
const limit = time.Hour

// bench is one run.
type bench struct {
	portal, floor string // the programs
	dir           string // for logs and databases that do not stay
	cache         string // for databases that stay
	secret        string // the portal's master secret
	connections   int
	rounds        int
	roundTime     time.Duration
	warmUp        time.Duration
	users         int // in the big database
	samples       int // of each list page
	commit        string
	quick         bool
	only          []string
	postgres      *cluster
	report        report
}

func main() {
	// Children are told to end when the thread that started them does: stay
	// on one thread that lives as long as the process (prctl(2),
	// PR_SET_PDEATHSIG).
	runtime.LockOSThread()
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

// run does what the arguments say and prints the report, also after a failure
// half-way.
func run(ctx context.Context, args []string) error {
	b, databases, err := parse(args)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "latchkey-bench-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	b.secret = hex.EncodeToString(random)
	if slices.Contains(databases, postgresName) {
		if b.postgres, err = startCluster(ctx, b.cache); err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
		defer b.postgres.stop()
	}
	b.report.facts = machineFacts(b)
	err = b.cases(ctx, databases)
	b.report.facts = append(b.report.facts, fact{"load average at the end", loadAverage()})
	b.report.print(os.Stdout)
	return err
}

// parse reads the command line.
func parse(args []string) (*bench, []string, error) {
	b := &bench{connections: 8, warmUp: time.Second}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	only := flags.String("only", "", "run only these `cases`, separated by commas: "+strings.Join(caseNames(), ", "))
	db := flags.String("db", "", "measure on `sqlite` or `postgres` alone")
	flags.StringVar(&b.portal, "portal", "", "`path` of the portal's program")
	flags.StringVar(&b.floor, "floor", "", "`path` of the floor's program")
	flags.StringVar(&b.commit, "commit", "unknown", "`name` of the source in the report")
	flags.StringVar(&b.cache, "cache", cacheFolder(), "`folder` that keeps the big databases between runs")
	flags.BoolVar(&b.quick, "quick", false, "few short rounds and a small list: to see that everything runs")
	flags.IntVar(&b.users, "users", 0, "`number` of users in the list (default 1,000,000; with -quick 20,000)")
	if err := flags.Parse(args); err != nil {
		return nil, nil, err
	}
	b.rounds, b.roundTime, b.samples = 7, 2*time.Second, 200
	users := 1_000_000
	if b.quick {
		b.rounds, b.roundTime, b.samples, users = 2, 500*time.Millisecond, 20, 20_000
	}
	if b.users == 0 {
		b.users = users
	}
	databases := []string{sqliteName, postgresName}
	switch *db {
	case "":
	case "sqlite":
		databases = databases[:1]
	case "postgres":
		databases = databases[1:]
	default:
		return nil, nil, fmt.Errorf("-db %q is neither sqlite nor postgres", *db)
	}
	if *only != "" {
		b.only = strings.Split(*only, ",")
	}
	for _, name := range b.only {
		if !slices.Contains(caseNames(), name) {
			return nil, nil, fmt.Errorf("there is no case %q; there are %s", name, strings.Join(caseNames(), ", "))
		}
	}
	if b.portal == "" || b.floor == "" {
		return nil, nil, errors.New("-portal and -floor are required; scripts/bench builds both and starts the bench")
	}
	var err error
	for _, path := range []*string{&b.portal, &b.floor, &b.cache} {
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, nil, err
		}
	}
	return b, databases, nil
}

// cacheFolder is where big databases are kept. Root has its own outside its
// home, which PostgreSQL's user could not enter.
func cacheFolder() string {
	if os.Geteuid() == 0 {
		return "/var/cache/latchkey-bench"
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "latchkey-bench")
}

// say tells on standard error what is going on.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
