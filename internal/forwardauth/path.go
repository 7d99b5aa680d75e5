package forwardauth

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// plainPath decodes the path of a request target. It reports false when two
// programs could read the path differently, so that a request could evade a rule
// in one of them. Such a path has
//
//   - an encoded slash, question mark or number sign, or a backslash in either
//     form;
//   - dot segments, also encoded, and segments that end in a dot or a space,
//     which some systems drop;
//   - empty segments, which some merge;
//   - parameters after a semicolon, which some cut off;
//   - text that is still percent-encoded after decoding once;
//   - control characters, invisible ones, which some drop, a fragment, broken
//     percent-encoding and text that is not UTF-8;
//   - characters that some replace by one of those above, such as a slash of
//     full width (Unicode NFKC).
func plainPath(raw string) (string, bool) {
	if !strings.HasPrefix(raw, "/") || strings.ContainsAny(raw, "?#") {
		return "", false
	}
	path := raw
	if strings.Contains(raw, "%") {
		if hasEscape(raw, "2f") || hasEscape(raw, "2F") {
			return "", false
		}
		var err error
		if path, err = url.PathUnescape(raw); err != nil || stillEscaped(path) {
			return "", false
		}
	}
	if !utf8.ValidString(path) || !plainText(path) {
		return "", false
	}
	if isASCII(path) {
		return path, true
	}
	compatible := norm.NFKC.String(path)
	return path, strings.Count(compatible, "/") == strings.Count(path, "/") && plainText(compatible) && !stillEscaped(compatible)
}

// plainText is plainPath for a path that is decoded.
func plainText(path string) bool {
	if strings.ContainsAny(path, `\;?#`) || strings.ContainsFunc(path, invisible) {
		return false
	}
	for rest := path[1:]; ; {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" && more || strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
			return false
		}
		if !more {
			return true
		}
		rest = after
	}
}

// invisible reports control characters and those that show nothing, which file
// systems and Unicode comparisons ignore.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
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

// coverage says whether a rule covers a request.
type coverage int

const (
	not coverage = iota
	exactly
	ambiguously // only for a program that ignores case or normalizes Unicode
)

// below reports whether path is the path of the rule, or below it.
func below(rule, path string) bool {
	rest, ok := strings.CutPrefix(path, rule)
	return ok && (rest == "" || rest[0] == '/' || rule == "/")
}

// covers tells whether path is the path of the rule, or below it.
func covers(rule, path string) coverage {
	switch {
	case below(rule, path):
		return exactly
	case below(folded(rule), folded(path)):
		return ambiguously
	}
	return not
}

// folded returns text in the form in which programs compare it that ignore case
// and the composition of characters (Unicode NFKC and case folding).
func folded(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	text = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	// Two Turkish letters become I or i in upper or lower case, but case folding
	// leaves them as they are.
	return strings.ReplaceAll(strings.ReplaceAll(text, "ı", "i"), "i\u0307", "i")
}
