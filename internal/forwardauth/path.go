package forwardauth

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plainPath decodes the path of a request target. It reports false when two
// programs could read the path differently, and so one of them past a rule
// that the other applies:
//
//   - an encoded slash, or a backslash in either form;
//   - dot segments, also encoded, and segments that end in a dot or a space,
//     which some systems drop;
//   - empty segments, which some merge;
//   - parameters after a semicolon, which some cut off;
//   - what is still percent-encoded after decoding once;
//   - control characters, a fragment, and what is not percent-encoding or not
//     UTF-8.
func plainPath(raw string) (string, bool) {
	if !strings.HasPrefix(raw, "/") || strings.ContainsAny(raw, `\;#`) {
		return "", false
	}
	path := raw
	if strings.Contains(raw, "%") {
		if hasEscape(raw, "2f") || hasEscape(raw, "2F") {
			return "", false
		}
		var err error
		if path, err = url.PathUnescape(raw); err != nil || stillEscaped(path) || strings.ContainsAny(path, `\;`) {
			return "", false
		}
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return "", false
	}
	for rest := path[1:]; ; {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" && more || strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
			return "", false
		}
		if !more {
			return path, true
		}
		rest = after
	}
}

func hasEscape(text, digits string) bool { return strings.Contains(text, "%"+digits) }

// stillEscaped reports whether decoding text once more would change it.
func stillEscaped(text string) bool {
	for {
		_, after, found := strings.Cut(text, "%")
		if !found {
			return false
		}
		if len(after) >= 2 && isHex(after[0]) && isHex(after[1]) {
			return true
		}
		text = after
	}
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// coverage is how the path of a rule stands to a path.
type coverage int

const (
	not coverage = iota
	exactly
	inOtherCase // as exactly, but for upper and lower case
)

// covers tells whether path is that of the rule, or below it.
func covers(rule, path string) coverage {
	if rule == "/" {
		return exactly
	}
	if len(path) > len(rule) && path[len(rule)] != '/' || len(path) < len(rule) {
		return not
	}
	switch head := path[:len(rule)]; {
	case head == rule:
		return exactly
	case strings.EqualFold(head, rule):
		return inOtherCase
	}
	return not
}
