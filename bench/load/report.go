package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type fact struct{ name, value string }

// verdict is a target and what came out.
type verdict struct {
	work, figure, got, want string
	met                     bool
}

// report collects what was measured and prints it as Markdown.
type report struct {
	facts    []fact
	pages    []comparison
	logins   []loginRow
	busy     []busyRow
	memory   []memoryRow
	starts   []startRow
	sizes    []sizeRow
	lists    []listRow
	verdicts []verdict
}

func (r *report) check(work, figure, got, want string, met bool) {
	r.verdicts = append(r.verdicts, verdict{work, figure, got, want, met})
}

func (r *report) print(w io.Writer) {
	t := table{w: w}
	t.head("Machine and settings", "", "")
	for _, f := range r.facts {
		t.row(f.name, f.value)
	}
	r.printPages(&t)
	r.printLogins(&t)
	t.head("Memory of the portal", "when", "database", "resident", "peak")
	for _, m := range r.memory {
		t.row(m.when, m.database, megabytes(m.resident), megabytes(m.peak))
	}
	t.head("Start", "database", "median", "min", "max")
	for _, s := range r.starts {
		t.row(s.database, milliseconds(s.median), milliseconds(s.min), milliseconds(s.max))
	}
	t.head("Bytes of the login page", "path", "header", "body")
	for _, s := range r.sizes {
		t.row("`"+s.path+"`", strconv.Itoa(s.header), strconv.Itoa(s.body))
	}
	t.head("User list", "page", "database", "users", "rows", "median", "p99")
	for _, l := range r.lists {
		t.row(l.name, l.database, strconv.Itoa(l.users), strconv.Itoa(l.rows), milliseconds(l.p50), milliseconds(l.p99))
	}
	t.head("Targets", "work", "figure", "measured", "target", "")
	for _, v := range r.verdicts {
		met := "**not met**"
		if v.met {
			met = "met"
		}
		t.row(v.work, v.figure, v.got, v.want, met)
	}
}

func (r *report) printPages(t *table) {
	t.head("Pages against the floor", "page", "database", "bytes", "server", "requests/s", "p50", "p99", "CPU s per 10,000", "share of the floor (worst to best pair)")
	for _, c := range r.pages {
		share := fmt.Sprintf("**%s** (%s–%s)", percent(c.Share), percent(c.Low), percent(c.High))
		t.row(c.Work, c.Database, strconv.Itoa(c.PageBytes), "portal", number(c.Portal.PerSecond), milliseconds(c.Portal.P50), milliseconds(c.Portal.P99), fmt.Sprintf("%.3f", c.Portal.CPU10k), share)
		t.row("", "", "", "floor", number(c.Floor.PerSecond), milliseconds(c.Floor.P50), milliseconds(c.Floor.P99), fmt.Sprintf("%.3f", c.Floor.CPU10k), "")
	}
}

func (r *report) printLogins(t *table) {
	t.head("Signing in", "database", "sign-ins/s", "bare hashes/s", "share", "p50", "p99", "503", "CPU s per 10,000")
	for _, l := range r.logins {
		t.row(l.database, fmt.Sprintf("%.1f", l.logins.PerSecond), fmt.Sprintf("%.1f", l.hashes), percent(l.share),
			milliseconds(l.logins.P50), milliseconds(l.logins.P99), strconv.FormatInt(l.refused, 10), fmt.Sprintf("%.0f", l.logins.CPU10k))
	}
	t.head("`GET /profile` while 8 connections sign in", "database", "requests", "p50", "p99", "max")
	for _, b := range r.busy {
		t.row(b.database, strconv.Itoa(b.requests), milliseconds(b.p50), milliseconds(b.p99), milliseconds(b.max))
	}
}

// table writes Markdown tables. One without rows is left out.
type table struct {
	w       io.Writer
	pending string
}

func (t *table) head(title string, columns ...string) {
	t.pending = "\n### " + title + "\n\n| " + strings.Join(columns, " | ") + " |\n|" + strings.Repeat(" --- |", len(columns)) + "\n"
}

func (t *table) row(cells ...string) {
	_, _ = fmt.Fprintf(t.w, "%s| %s |\n", t.pending, strings.Join(cells, " | "))
	t.pending = ""
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

func percent(share float64) string { return fmt.Sprintf("%.1f %%", share*100) }

func number(n float64) string { return fmt.Sprintf("%.0f", n) }

// machineFacts say where and how the figures came about.
func machineFacts(b *bench) []fact {
	facts := []fact{
		{"when", time.Now().UTC().Format("2006-01-02 15:04 UTC")},
		{"processor", fmt.Sprintf("%s, %d cores", procField("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", procField("/proc/meminfo", "MemTotal")},
		{"kernel", fileText("/proc/sys/kernel/osrelease")},
		{"Go", runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH},
		{"source", b.commit},
		{"load", fmt.Sprintf("%d keep-alive connections on the loopback interface, %d rounds of %v each in turn, the driver on the same cores", b.connections, b.rounds, b.roundTime)},
		{"Go runtime settings of both servers", runtimeSettings(b)},
		{"load average at the start", loadAverage()},
	}
	if b.postgres != nil {
		facts = append(facts, fact{"PostgreSQL", b.postgres.version + ", " + strings.Join(postgresSettings(), ", ")})
	}
	return facts
}

func runtimeSettings(b *bench) string {
	var set []string
	for _, variable := range b.processEnv() {
		if strings.HasPrefix(variable, "GO") {
			set = append(set, variable)
		}
	}
	if len(set) == 0 {
		return "the portal's own (cmd/web/serve.go), for the floor too"
	}
	return strings.Join(set, ", ")
}

// loadAverage tells how busy the machine is with everything that runs on it.
func loadAverage() string {
	fields := strings.Fields(fileText("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func fileText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// procField returns the first value of a name in a file of "name: value".
func procField(path, name string) string {
	for line := range strings.Lines(fileText(path)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
