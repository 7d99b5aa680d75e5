package models

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The forms of names and addresses. Sign-up, sign-in, the API and the shell all
// use these functions, so that all spellings of a name find the same account.

// pasted are the invisible characters that copied text may contain: zero-width
// spaces, direction marks, soft hyphens.
const pasted = "\u00ad\u200b\u200e\u200f\u2060\ufeff"

// Tidy returns a name or an address without space around it and without
// invisible characters of copied text.
func Tidy(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune(pasted, r) {
			return -1
		}
		return r
	}, text))
}

// Pasted returns the invisible characters that Tidy removes from text, each
// once, in order.
func Pasted(text string) (found []rune) {
	for _, r := range text {
		if strings.ContainsRune(pasted, r) && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	return found
}

// TidyName returns a full name or an address as it is stored: tidy, with
// letters and their accents composed (NFC).
func TidyName(text string) string { return norm.NFC.String(Tidy(text)) }

// FoldEmail returns the form of an address that is compared: tidy, composed,
// compatibility forms such as ligatures and full-width letters resolved (NFKC),
// without case.
func FoldEmail(email string) string {
	return Tidy(norm.NFKC.String(strings.Map(foldCase, norm.NFKD.String(Tidy(email)))))
}

// foldCase returns the lower-case letter that stands for all cases of r
// (Unicode's simple case folding). It leaves letters that have no other case in
// every language, such as İ and ı.
func foldCase(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if least == r && unicode.SimpleFold(r) == r {
		return r
	}
	return unicode.ToLower(least)
}

// FoldUsername returns the form of a username that is stored and compared:
// tidy, compatibility forms such as full-width letters resolved (NFKC), A to Z
// in lower case. Other letters stay, because no username has them.
func FoldUsername(username string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, Tidy(norm.NFKC.String(Tidy(username))))
}

// FoldName returns the form in which ByName compares name.
func FoldName(name string) string {
	if isAddress(name) {
		return FoldEmail(name)
	}
	return FoldUsername(name)
}

// isAddress reports whether name has an @, which FoldEmail makes of two others.
func isAddress(name string) bool { return strings.ContainsAny(name, "@\uff20\ufe6b") }

// between separates the parts of a searched text. It cannot be typed: forms and
// searches drop control characters.
const between = "\x1f"

// SearchText returns the text that searches read: username, address and the
// words of the full name as foldSearch writes them. Two separators stand in
// front of each, so that the beginning of a word makes a trigram even when it
// is one letter long.
func SearchText(username, email, fullName string) string {
	var text strings.Builder
	for _, part := range append([]string{username, email}, strings.Fields(fullName)...) {
		text.WriteString(between + between + foldSearch(part))
	}
	return text.String() + between
}

// foldSearch returns text as searches compare it: in lower case, without
// accents and invisible characters, with the nearest plain letters and marks.
func foldSearch(text string) string {
	return nearest.Replace(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Cc) {
			return -1
		}
		return unicode.ToLower(foldCase(r))
	}, norm.NFKD.String(text)))
}

// nearest has the plain letters for those that have no accent to drop, and the
// plain marks for typographic ones.
var nearest = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "þ", "th", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "ħ", "h", "ı", "i", "ŧ", "t",
	"ŋ", "n", "ĸ", "k", "‘", "'", "’", "'", "ʼ", "'", "ʻ", "'", "‐", "-", "‒", "-", "–", "-", "—", "-")
