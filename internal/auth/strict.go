package auth

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxMembers bounds the names in a token's header or payload; ours have 11.
const maxMembers = 16

// strictObject decodes a segment that holds a JSON object, and counts its
// members. It returns 0 for one that two parsers could read in two ways: names
// that are repeated or differ in case alone (encoding/json takes the last, and
// matches without case), text that is not UTF-8, base64 that is not canonical.
func strictObject(segment string) (data []byte, members int) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(segment)
	if err != nil || !utf8.Valid(data) {
		return nil, 0
	}
	w := walker{text: data}
	var names [maxMembers][]byte
	if !w.take('{') {
		return nil, 0
	}
	for {
		name, ok := w.name()
		if !ok || members == maxMembers {
			return nil, 0
		}
		for _, earlier := range names[:members] {
			if string(earlier) == string(name) {
				return nil, 0
			}
		}
		names[members] = name
		members++
		if !w.take(':') || !w.skipValue() {
			return nil, 0
		}
		if w.take(',') {
			continue
		}
		if w.take('}') && w.atEnd() {
			return data, members
		}
		return nil, 0
	}
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

// skipValue passes over one value, up to the comma or brace behind it.
func (w *walker) skipValue() bool {
	depth, quoted := 0, false
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
			return true
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
