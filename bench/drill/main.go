// Command drill disturbs the built portal while people use it, and checks that the
// portal keeps its promises.
//
// Each drill starts real processes (the portal, PostgreSQL, HAProxy, nginx), lets
// people use the portal, disturbs it and then compares the database with what the
// portal had acknowledged. A drill fails if something acknowledged is lost, if
// someone is signed out for no reason, if a signed-out session works again, or if
// /readyz does not tell the truth in time. scripts/drill builds the programs and
// starts it; docs/operations.md has the figures of the last run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// limit bounds a whole run, whatever happens.
const limit = 2 * time.Hour

const (
	sqliteName   = "SQLite"
	postgresName = "PostgreSQL"
)

// options are the command line.
type options struct {
	portal    string // the program
	source    string // the folder of the source, for the program before this one
	short     bool
	strict    bool // a drill that cannot run here has failed
	people    int
	users     int   // in the database of the copy drill
	memory    []int // MiB of the memory drill, one after the other
	only      []string
	databases []string
	shared    sharedServer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "drill: %v\n", err)
		os.Exit(1)
	}
}

// run runs the drills one after the other and prints the results of all.
func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "latchkey-drill-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil { // the user of PostgreSQL must get in
		return err
	}
	defer o.shared.stop()
	var r report
	if o.short { // both databases at once, to save time
		var group sync.WaitGroup
		for _, name := range o.databases {
			group.Go(func() { o.all(ctx, &r, dir, name) })
		}
		group.Wait()
	} else {
		o.all(ctx, &r, dir, o.databases...)
	}
	r.print(os.Stdout)
	if n := r.failures(); n > 0 {
		return fmt.Errorf("%d of %d drills failed", n, len(r.results))
	}
	return ctx.Err()
}

// all runs the drills that the command line asks for on some databases.
func (o *options) all(ctx context.Context, r *report, dir string, databases ...string) {
	for _, d := range drills {
		for _, name := range databases {
			if ctx.Err() == nil && o.selects(d) && (len(d.databases) == 0 || slices.Contains(d.databases, name)) {
				r.add(o.one(ctx, d, name, dir))
			}
		}
	}
}

// selects reports whether the command line asks for a drill.
func (o *options) selects(d drill) bool {
	if len(o.only) > 0 {
		return slices.Contains(o.only, d.name)
	}
	return d.short || !o.short
}

// one runs a drill on a database.
func (o *options) one(ctx context.Context, d drill, database, dir string) *result {
	s := &stage{options: o, result: &result{drill: d.name, database: database}, database: database, secret: newSecret()}
	say("%s on %s", d.name, database)
	var err error
	if s.dir, err = os.MkdirTemp(dir, d.name+"-"); err == nil {
		err = os.Chmod(s.dir, 0o711)
	}
	if err != nil {
		s.broken("%v", err)
		return s.result
	}
	start := time.Now()
	if err := d.run(ctx, s); err != nil {
		var cannot cannotRun
		switch {
		case errors.As(err, &cannot) && !o.strict:
			s.result.skipped = cannot.why
		case errors.As(err, &cannot):
			s.broken("it cannot run here: %s", cannot.why)
		default:
			s.broken("%v", err)
		}
	}
	s.result.took = time.Since(start)
	s.close()
	return s.result
}

// cannotRun says that this machine lacks what a drill needs.
type cannotRun struct{ why string }

func (c cannotRun) Error() string { return c.why }

// parse reads the command line.
func parse(args []string) (*options, error) {
	o := &options{strict: os.Getenv("LATCHKEY_TEST_STRICT") == "1"}
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	only := flags.String("only", "", "run only these `drills`, separated by commas: "+strings.Join(drillNames(), ", "))
	db := flags.String("db", "", "run only on `sqlite` or `postgres`")
	flags.StringVar(&o.portal, "portal", "", "`path` of the portal's program")
	flags.StringVar(&o.source, "source", ".", "`folder` of the portal's source, a Git repository")
	flags.BoolVar(&o.short, "short", false, "the drills of scripts/test, shortened to seconds")
	flags.IntVar(&o.people, "people", 12, "`number` of people who use the portal at once (with -short 8)")
	flags.IntVar(&o.users, "users", 100_000, "`number` of accounts in the copy drill")
	mib := flags.String("memory", "96", "memory of the portal in the memory drill, in `MiB`; several values separated by commas")
	flags.Usage = func() {
		flags.PrintDefaults()
		_, _ = fmt.Fprintln(flags.Output(), "The drills:")
		for _, d := range drills {
			_, _ = fmt.Fprintf(flags.Output(), "  %-14s %s\n", d.name, d.about)
		}
	}
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.short {
		o.people = min(o.people, 8)
	}
	for _, name := range []string{sqliteName, postgresName} {
		if strings.HasPrefix(strings.ToLower(name), *db) {
			o.databases = append(o.databases, name)
		}
	}
	if o.databases == nil {
		return nil, fmt.Errorf("-db %q is neither sqlite nor postgres", *db)
	}
	for text := range strings.SplitSeq(*mib, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-memory %q is not a number of MiB", text)
		}
		o.memory = append(o.memory, n)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(drillNames(), name) {
			return nil, fmt.Errorf("there is no drill %q; there are %s", name, strings.Join(drillNames(), ", "))
		}
	}
	if o.portal == "" {
		return nil, errors.New("-portal is required; scripts/drill builds the portal and starts the drills")
	}
	for _, path := range []*string{&o.portal, &o.source} {
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// say reports progress on standard error.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
