package auth

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxMembers bounds the names in a token's header or payload; ours have 11.
const maxMembers = 16

// strictForm refuses a token that two parsers could read in two ways: a header
// or payload whose names are repeated or differ in case alone (encoding/json
// takes the last and matches without case), a time that is a string or an
// audience that is a list (the JWT library takes both), text that is not UTF-8,
// or line ends (base64.Encoding passes over them, even when strict). The
// library parses it afterwards, and refuses what is no JSON at all.
func strictForm(token string) bool {
	header, rest, found := strings.Cut(token, ".")
	payload, _, foundToo := strings.Cut(rest, ".")
	return found && foundToo && !strings.ContainsAny(token, "\r\n") && distinctNames(header) && distinctNames(payload)
}

// distinctNames decodes a segment and walks the names of its JSON object.
func distinctNames(segment string) bool {
	var buffer [maxToken]byte
	n, err := base64.RawURLEncoding.Strict().Decode(buffer[:], []byte(segment))
	if err != nil || !utf8.Valid(buffer[:n]) {
		return false
	}
	w := walker{text: buffer[:n]}
	var names [maxMembers][]byte
	count := 0
	if !w.take('{') {
		return false
	}
	for {
		name, ok := w.name()
		if !ok || count == maxMembers {
			return false
		}
		for _, earlier := range names[:count] {
			if string(earlier) == string(name) {
				return false
			}
		}
		names[count] = name
		count++
		if !w.take(':') || !w.fits(name) || !w.skipValue() {
			return false
		}
		if !w.take(',') {
			return w.take('}') && w.atEnd()
		}
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

// fits looks at the first byte of a value: times are numbers, the audience is
// one string.
func (w *walker) fits(name []byte) bool {
	w.space()
	if w.at == len(w.text) {
		return false
	}
	first := w.text[w.at]
	switch string(name) {
	case "exp", "nbf", "iat":
		return first >= '0' && first <= '9'
	case "aud":
		return first == '"'
	}
	return true
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
