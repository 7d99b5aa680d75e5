package site

import (
	"fmt"
	"time"
)

// Roughly writes a duration in words, rounded up: "4 minutes".
func Roughly(d time.Duration) string {
	switch {
	case d <= 90*time.Second:
		return Count(int((d+time.Second-1)/time.Second), "second")
	case d <= 90*time.Minute:
		return Count(int((d+time.Minute-1)/time.Minute), "minute")
	}
	return Count(int((d+time.Hour-1)/time.Hour), "hour")
}

// VerifiedWords says whether an address is verified.
func VerifiedWords(verified bool) string {
	if verified {
		return "Verified"
	}
	return "Not verified"
}

// Count writes a number with its noun: "1 session", "2 sessions".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// CountAny is Count, but "" for none.
func CountAny(n int, noun string) string {
	if n == 0 {
		return ""
	}
	return Count(n, noun)
}
