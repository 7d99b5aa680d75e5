package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// SessionsEnded says how many for the audit log, and "" for none.
func SessionsEnded(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 session ended"
	}
	return fmt.Sprintf("%d sessions ended", n)
}

// TokensEnded is as SessionsEnded.
func TokensEnded(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 access token ended"
	}
	return fmt.Sprintf("%d access tokens ended", n)
}

// Joined returns the parts that are not empty, with sep between them.
func Joined(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), sep)
}

// FromTo says what became of a value that may have been empty.
func FromTo(before, after string) string {
	return cmp.Or(before, "(none)") + " → " + cmp.Or(after, "(none)")
}
