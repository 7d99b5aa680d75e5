package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// report collects measurements and prints them as Markdown.
type report struct{ tables []*table }

// table is one table of a report.
type table struct {
	title   string
	columns string
	rows    []string
}

// share is a part of 1, printed in percent.
type share float64

// size is a number of bytes, printed in MB.
type size int64

// add adds a row to the table with a title, whose columns are separated by "|".
func (r *report) add(title, columns string, cells ...any) {
	var t *table
	for _, known := range r.tables {
		if known.title == title {
			t = known
		}
	}
	if t == nil {
		t = &table{title: title, columns: columns}
		r.tables = append(r.tables, t)
	}
	var row strings.Builder
	for _, cell := range cells {
		row.WriteString("| " + text(cell) + " ")
	}
	t.rows = append(t.rows, row.String()+"|")
}

// text writes a figure as people read it.
func text(figure any) string {
	switch figure := figure.(type) {
	case time.Duration:
		return fmt.Sprintf("%.2f ms", float64(figure.Microseconds())/1000)
	case share:
		return fmt.Sprintf("%.1f %%", figure*100)
	case size:
		return fmt.Sprintf("%.1f MB", float64(figure)/(1<<20))
	}
	return fmt.Sprint(figure)
}

const (
	least = "≥"
	most  = "≤"
)

// check records a target and whether it was met.
func check[T cmp.Ordered](r *report, work, figure string, got T, bound string, want T) {
	verdict := "met"
	if bound == least && got < want || bound == most && got > want {
		verdict = "**not met**"
	}
	r.add(targets, "work | figure | measured | target | ", work, figure, got, bound+" "+text(want), verdict)
}

const targets = "Targets"

// print writes the tables. The table of the targets is the last one.
func (r *report) print(w io.Writer) {
	for _, last := range []bool{false, true} {
		for _, t := range r.tables {
			if (t.title == targets) == last {
				_, _ = fmt.Fprintf(w, "\n### %s\n\n| %s |\n|%s\n%s\n", t.title, t.columns,
					strings.Repeat(" --- |", strings.Count(t.columns, "|")+1), strings.Join(t.rows, "\n"))
			}
		}
	}
}

// fact records a condition of the measurement, such as the machine.
func (b *bench) fact(name, value string) { b.report.add("Machine and settings", " | ", name, value) }

func (b *bench) machineFacts() {
	model := "unknown"
	for line := range strings.Lines(fileText("/proc/cpuinfo")) {
		if value, found := strings.CutPrefix(line, "model name\t: "); found {
			model = strings.TrimSpace(value)
		}
	}
	b.fact("when", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	b.fact("machine", fmt.Sprintf("%s, %d cores, Linux %s", model, runtime.NumCPU(), fileText("/proc/sys/kernel/osrelease")))
	b.fact("Go", strings.Join(append([]string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}, runtimeEnv()...), " "))
	b.fact("source", b.commit)
	b.fact("load", fmt.Sprintf("%d keep-alive connections on the loopback interface, %d rounds of %v each in turn, the driver on the same cores",
		b.connections, b.rounds, b.roundTime))
	if b.postgres != nil {
		b.fact("PostgreSQL", b.postgres.Version+", "+strings.Join(postgresSettings(), ", "))
	}
	b.fact("load average at the start", fileText("/proc/loadavg"))
}

func fileText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
