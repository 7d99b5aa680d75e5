package password

import (
	_ "embed"
	"strings"
)

// common holds known passwords, folded, one per line and in the order of their
// bytes. Where they come from is in common.LICENSE. It stays in the program's
// read-only data: looking one up allocates nothing and starting costs nothing.
//
//go:embed common.txt
var common string

// isCommon reports whether folded is a line of common.
func isCommon(folded string) bool {
	low, high := 0, len(common) // both are starts of lines
	for low < high {
		middle := low + (high-low)/2
		start := low + strings.LastIndexByte(common[low:middle], '\n') + 1
		end := start + strings.IndexByte(common[start:], '\n')
		switch strings.Compare(common[start:end], folded) {
		case 0:
			return true
		case -1:
			low = end + 1
		default:
			high = start
		}
	}
	return false
}
