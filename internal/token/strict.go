package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxMembers bounds the names in a token's header or payload; ours have 11.
const maxMembers = 16

// member is a name of a JSON object with its value as it was written.
type member struct{ name, value []byte }

// strictObject decodes a segment that holds a JSON object and returns its
// members; none for one that two parsers could read in two ways: names that
// are repeated or differ in case alone (encoding/json takes the last, and
// matches without case), text that is not UTF-8, base64 that is not canonical.
// Whether the values are JSON is found out by who reads them.
func strictObject(segment string, into *[maxMembers]member) []member {
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil || !utf8.Valid(data) {
		return nil
	}
	w := walker{text: data}
	members := into[:0]
	if !w.take('{') {
		return nil
	}
	for {
		name, ok := w.name()
		if !ok || len(members) == maxMembers || slices.ContainsFunc(members, func(m member) bool { return bytes.Equal(m.name, name) }) {
			return nil
		}
		if !w.take(':') {
			return nil
		}
		value, ok := w.value()
		if !ok {
			return nil
		}
		members = append(members, member{name, value})
		if w.take(',') {
			continue
		}
		if w.take('}') && w.atEnd() {
			return members
		}
		return nil
	}
}

// readString reads a JSON string. Ours have no escapes.
func readString(value []byte, into *string) error {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' && plain(value[1:n-1]) {
		*into = string(value[1 : n-1])
		return nil
	}
	return json.Unmarshal(value, into)
}

func plain(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// readWhole reads a JSON number that is written as ours are, in at most 15
// digits, which a float64 holds too; ok is false for any other.
func readWhole(value []byte) (n int64, ok bool) {
	if len(value) == 0 || len(value) > 15 || value[0] == '0' {
		return 0, false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// walker steps through JSON just as far as the names of the outermost object
// need.
type walker struct {
	text []byte
	at   int
}

func (w *walker) space() {
	for w.at < len(w.text) && strings.IndexByte(" \t\r\n", w.text[w.at]) >= 0 {
		w.at++
	}
}

func (w *walker) take(c byte) bool {
	w.space()
	if w.at == len(w.text) || w.text[w.at] != c {
		return false
	}
	w.at++
	return true
}

func (w *walker) atEnd() bool {
	w.space()
	return w.at == len(w.text)
}

// name reads a member's name. Ours are of a-z, 0-9 and _: others, and escapes,
// could be matched to one of them in more than one way.
func (w *walker) name() ([]byte, bool) {
	if !w.take('"') {
		return nil, false
	}
	start := w.at
	for ; w.at < len(w.text); w.at++ {
		c := w.text[w.at]
		if c == '"' {
			w.at++
			return w.text[start : w.at-1], true
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return nil, false
		}
	}
	return nil, false
}

// value reads one value, up to the comma or brace behind it.
func (w *walker) value() ([]byte, bool) {
	w.space()
	start, depth, quoted := w.at, 0, false
	for ; w.at < len(w.text); w.at++ {
		switch c := w.text[w.at]; {
		case quoted:
			if c == '\\' {
				w.at++
			} else if c == '"' {
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == '}'):
			return bytes.TrimRight(w.text[start:w.at], " \t\r\n"), true
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil, false
}
