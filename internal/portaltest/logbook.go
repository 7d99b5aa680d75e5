package portaltest

import (
	"bytes"
	"strings"
	"sync"
)

// LogBook keeps the lines of a log. It is safe for concurrent use.
type LogBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps lines.
func (l *LogBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns every line.
func (l *LogBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Line returns the first line that contains every part, or "".
func (l *LogBook) Line(parts ...string) string {
	for line := range strings.Lines(l.String()) {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return line
		}
	}
	return ""
}
