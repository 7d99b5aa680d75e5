package config

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxSecretFile is the maximum size of the file of a secret in bytes.
const maxSecretFile = 64 << 10

// loader reads variables and collects problems and warnings.
type loader struct {
	getenv   func(string) string
	defaults map[string]string
	problems []error
	warnings []string
	exposed  []string // those of the warnings that are about the portal's own files
}

func newLoader(getenv func(string) string) *loader {
	l := &loader{getenv: getenv, defaults: make(map[string]string)}
	for _, v := range Variables() {
		l.defaults[v.Name] = v.Default
	}
	return l
}

// problem records a reason not to start, as "NAME sentence".
func (l *loader) problem(name, format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

// warn records a warning for the operator, as "NAME sentence".
func (l *loader) warn(name, format string, args ...any) {
	l.warnings = append(l.warnings, name+" "+fmt.Sprintf(format, args...))
}

// expose records a warning about a file of the portal's own that every user of the
// machine can read.
func (l *loader) expose(name, format string, args ...any) {
	l.warn(name, format, args...)
	l.exposed = append(l.exposed, l.warnings[len(l.warnings)-1])
}

// value returns the value of a variable that is not secret, or its default.
func (l *loader) value(name string) string {
	if v := l.getenv(name); v != "" {
		return v
	}
	return l.defaults[name]
}

// secretValue returns the value of a secret from the environment or from the
// file that NAME_FILE names, or its default. It reports false if there is a
// problem with the file or if both are set.
func (l *loader) secretValue(name string) (string, bool) {
	value, path := l.getenv(name), l.getenv(name+fileSuffix)
	switch {
	case value != "" && path != "":
		l.problem(name, "and %s are both set; keep one of them", name+fileSuffix)
		return "", false
	case path != "":
		return l.secretFromFile(name+fileSuffix, path)
	case value != "":
		return value, true
	}
	return l.defaults[name], true
}

// secretFromFile reads a secret from path, less one trailing newline.
func (l *loader) secretFromFile(name, path string) (string, bool) {
	data, mode, err := readSecretFile(path)
	switch {
	case err != nil:
		l.problem(name, "names a file that cannot be read (%v); name a file that exists and that this user may read", err)
		return "", false
	case len(data) > maxSecretFile:
		l.problem(name, "names a file larger than %d KB; name the file that holds the secret and nothing else", maxSecretFile>>10)
		return "", false
	}
	if worldReadable(mode) {
		l.warn(name, "names a file that every user of this machine can read (%s, mode %04o); chmod it to 0600 and treat the secret as known", path, mode.Perm())
	}
	value := trimNewline(string(data))
	if value == "" {
		l.problem(name, "names an empty file (%s); write the secret into it, or unset the variable", path)
		return "", false
	}
	return value, true
}

// readSecretFile returns at most maxSecretFile+1 bytes of a file, and its mode.
func readSecretFile(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() // read only, so the error does not matter
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	return data, info.Mode(), err
}

// worldReadable reports whether a regular file of this mode can be read by
// users other than its owner and group.
func worldReadable(mode fs.FileMode) bool {
	return mode.IsRegular() && mode.Perm()&0o004 != 0
}

// trimNewline removes one trailing newline, LF or CRLF.
func trimNewline(s string) string {
	rest, ok := strings.CutSuffix(s, "\n")
	if !ok {
		return s
	}
	return strings.TrimSuffix(rest, "\r")
}

// toggle reads a switch. If there is a problem it returns the default, so that
// other checks do not report the same mistake again. The functions below do the
// same with some usable value.
func (l *loader) toggle(name string) bool {
	on, ok := parseToggle(l.value(name))
	if !ok {
		yes, no := "on", "off"
		switch l.defaults[name] {
		case "true", "false":
			yes, no = "true", "false"
		case "1", "0":
			yes, no = "1", "0"
		}
		l.problem(name, "is %s; set it to %s or %s", quote(l.value(name)), yes, no)
		on, _ = parseToggle(l.defaults[name])
	}
	return on
}

func parseToggle(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "on", "true", "yes", "1":
		return true, true
	case "off", "false", "no", "0":
		return false, true
	}
	return false, false
}

// choice reads a variable that takes one of a few words.
func (l *loader) choice(name string, words ...string) string {
	value := l.value(name)
	if !slices.Contains(words, value) {
		l.problem(name, "is %s; set it to %s", quote(value), either(words))
	}
	return value
}

// level reads a log level.
func (l *loader) level(name string) slog.Level {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug,
		"info":  slog.LevelInfo,
		"warn":  slog.LevelWarn,
		"error": slog.LevelError,
	}
	return levels[l.choice(name, "debug", "info", "warn", "error")]
}

// integer reads a whole number between least and most.
func (l *loader) integer(name string, least, most int) int {
	n, err := strconv.Atoi(l.value(name))
	if err != nil || n < least || n > most {
		l.problem(name, "is %s; set it to a whole number from %d to %d", quote(l.value(name)), least, most)
		return 0
	}
	return n
}

// longestDuration is the longest time.Duration in whole hours: 292 years.
const longestDuration = "2562047h"

// duration reads a duration of at least least.
func (l *loader) duration(name string, least time.Duration) time.Duration {
	value := l.value(name)
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		l.problem(name, "is %s; set it to a duration of %gs or more, at most %s, written with units such as 10s, 5m or 168h", quote(value), least.Seconds(), longestDuration)
		d, _ = time.ParseDuration(l.defaults[name])
	}
	return d
}

// quote quotes a value that is not secret for a message and shortens it, so that
// the message stays readable.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

// either joins words as "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
