package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// terminalLine is a line on a terminal that shows how far a command is.
type terminalLine struct {
	w     io.Writer // nil: not a terminal, and nothing is shown
	shown time.Time // zero: there is no line
}

func newTerminalLine(w io.Writer) *terminalLine {
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
			return &terminalLine{w: w}
		}
	}
	return &terminalLine{}
}

// show replaces the line, unless it was replaced less than pause ago.
func (l *terminalLine) show(text string, pause time.Duration) {
	if l.w == nil || time.Since(l.shown) < pause {
		return
	}
	l.shown = time.Now()
	_, _ = fmt.Fprintf(l.w, "\r\x1b[K%s", text) // a terminal that is gone needs no progress
}

// clear removes the line.
func (l *terminalLine) clear() {
	if !l.shown.IsZero() {
		_, _ = fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = time.Time{}
	}
}
