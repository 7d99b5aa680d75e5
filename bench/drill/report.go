package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// result is what one drill on one database found.
type result struct {
	drill, database string
	took            time.Duration
	skipped         string // why it did not run
	tally           *tally
	facts           []string // figures beside those of the tally
	faults          []string // the promises that were broken
}

// report is the results of a run.
type report struct {
	mu      sync.Mutex
	results []*result
}

func (r *report) add(one *result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, one)
	say("%s on %s: %s", one.drill, one.database, one.verdict())
	for _, fault := range one.faults {
		say("  %s", fault)
	}
}

func (r *report) failures() (n int) {
	for _, one := range r.results {
		if len(one.faults) > 0 {
			n++
		}
	}
	return n
}

func (one *result) verdict() string {
	switch {
	case len(one.faults) > 0:
		return "FAILED"
	case one.skipped != "":
		return "NOT RUN"
	}
	return "passed"
}

// print writes a table of all drills, and the figures of each.
func (r *report) print(w io.Writer) {
	order := drillNames()
	slices.SortStableFunc(r.results, func(a, b *result) int {
		return cmp.Or(slices.Index(order, a.drill)-slices.Index(order, b.drill), strings.Compare(b.database, a.database))
	})
	fmt.Fprintf(w, "%s, %d cores, %s/%s\n\n", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintln(w, "| drill | database | requests | lost | signed out wrongly | came back | 503 | no answer | other 5xx | longest outage | result |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, one := range r.results {
		figures := "– | – | – | – | – | – | – | –"
		if t := one.tally; t != nil && one.skipped == "" {
			t.mu.Lock() // a request from before the failure may still be on its way
			figures = fmt.Sprintf("%d | %d | %d | %d | %d | %d | %d | %s",
				t.requests, t.lost, t.signedOut, t.cameBack, t.unavailable, t.unanswered, t.wrong, seconds(t.outage))
			t.mu.Unlock()
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", one.drill, one.database, figures, one.verdict())
	}
	fmt.Fprintln(w)
	for _, one := range r.results {
		lines := one.facts
		if one.tally != nil && one.skipped == "" {
			lines = append(lines, one.tally.changes())
			if n := one.tally.busy; n > 0 {
				lines = append(lines, fmt.Sprintf("%d times 503 because many people signed in at once", n))
			}
		}
		if one.skipped != "" {
			lines = []string{"it cannot run here: " + one.skipped}
		}
		fmt.Fprintf(w, "- %s, %s: %s.\n", one.drill, one.database, strings.Join(lines, "; "))
		for _, fault := range one.faults {
			fmt.Fprintf(w, "  - BROKEN: %s\n", fault)
		}
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Fprintf(w, "\nLoad average at the end: %s\n", strings.Join(strings.Fields(string(text))[:3], " "))
	}
}

// seconds writes a duration for a table.
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
