package password

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The messages of a [Policy] that contain no number.
const (
	msgEmpty     = "Enter a password."
	msgCharacter = "Password contains a character that cannot be used. Choose another."
	msgCommon    = "This password is on a list of known passwords. Choose another."
	msgEasy      = "This password is too easy to guess: it repeats or follows a simple pattern. Choose another."
	msgAbout     = "Password must not contain your username or email address. Choose another."
	msgContext   = "Password must not contain the name of this site. Choose another."
)

const (
	minWord      = 4 // code points; shorter words turn up in passwords by chance
	maxAppended  = 6 // digits and punctuation after a known password that make it no safer
	minDifferent = 5 // different code points a password must have
	minTurns     = 3 // places where it must leave the alphabet's or keyboard's order
)

// PolicyOptions configure a [Policy]. A zero number takes its default.
type PolicyOptions struct {
	Min     int      // code points a password must have; default 12
	Max     int      // code points it may have; default 256, which is [MaxBytes] at most
	Context []string // the names of this site: product, brand, host of the public URL
}

// Policy decides which passwords may be chosen: long enough, not known, not
// about the site or the person. There are no composition rules (NIST SP
// 800-63B-4 §3.1.1.2).
type Policy struct {
	min, max int
	context  []string // folded
}

// NewPolicy returns a Policy.
func NewPolicy(o PolicyOptions) *Policy {
	if o.Min <= 0 {
		o.Min = 12
	}
	if o.Max <= 0 {
		o.Max = MaxBytes / utf8.UTFMax
	}
	p := &Policy{min: o.Min, max: o.Max}
	for _, word := range o.Context {
		p.context = append(p.context, fold(word))
	}
	return p
}

// Min returns the minimum number of code points, for a field's minlength.
func (p *Policy) Min() int { return p.min }

// Check returns a sentence that says why password may not be chosen, or "" when
// it may. The words in about are the person's own: username and email address,
// of which the part before the "@" counts. Comparisons ignore case and
// compatibility forms (NFKC); lengths are those of the password as typed.
func (p *Policy) Check(password string, about ...string) string {
	if msg := p.checkText(password); msg != "" {
		return msg
	}
	folded := fold(password)
	switch {
	case contains(folded, p.context):
		return msgContext
	case contains(folded, ownWords(about)):
		return msgAbout
	case isCommon(folded), isCommon(withoutAppended(folded)):
		return msgCommon
	case isEasy(folded):
		return msgEasy
	}
	return ""
}

// checkText applies the rules that need only the text as typed.
func (p *Policy) checkText(password string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case password == "":
		return msgEmpty
	case n > p.max, len(password) > MaxBytes:
		return fmt.Sprintf("Password must be at most %d characters. Yours has %d.", p.max, n)
	case !utf8.ValidString(password), strings.ContainsRune(password, 0):
		return msgCharacter
	case n < p.min:
		return fmt.Sprintf("Password must be at least %d characters. Yours has %d.", p.min, n)
	}
	return ""
}

// fold returns the form in which passwords and words are compared.
func fold(s string) string {
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))
}

// ownWords folds the words about a person; of an address it takes the local
// part.
func ownWords(about []string) []string {
	words := make([]string, 0, len(about))
	for _, word := range about {
		if at := strings.LastIndexByte(word, '@'); at >= 0 {
			word = word[:at]
		}
		words = append(words, fold(word))
	}
	return words
}

// contains reports whether folded is one of words or holds one of the longer.
func contains(folded string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return folded == word || utf8.RuneCountInString(word) >= minWord && strings.Contains(folded, word)
	})
}

// withoutAppended drops the few digits and marks that people append to a known
// password to make it long enough, such as a year.
func withoutAppended(folded string) string {
	trimmed := strings.TrimRight(folded, "0123456789!?.")
	if len(folded)-len(trimmed) > maxAppended {
		return folded
	}
	return trimmed
}

// isEasy reports whether folded is made of very few code points, or of runs
// such as "abcdef", "9876" or "qwerty" and little else.
func isEasy(folded string) bool {
	different := make(map[rune]bool)
	turns, last := 0, rune(-1)
	for _, r := range folded {
		different[r] = true
		if last >= 0 && !follows(last, r) {
			turns++
		}
		last = r
	}
	return len(different) < minDifferent || turns < minTurns
}

// follows reports whether two code points are the same, or neighbours in code
// point order or in a row of the keyboard.
func follows(a, b rune) bool {
	const rows = "1234567890\x00qwertyuiop\x00asdfghjkl\x00zxcvbnm"
	if d := a - b; -1 <= d && d <= 1 {
		return true
	}
	return strings.Contains(rows, string([]rune{a, b})) || strings.Contains(rows, string([]rune{b, a}))
}
