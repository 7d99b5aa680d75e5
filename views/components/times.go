package components

import "time"

// The formats of instants. Both are in UTC, as is the day of a date.
const (
	timeFormat = "2 Jan 2006, 15:04 UTC"
	dateFormat = "2 Jan 2006"
)

// FullTime writes an instant as "2 Nov 2026, 14:32 UTC".
func FullTime(t time.Time) string {
	return t.UTC().Format(timeFormat)
}

// FullDate writes the day of an instant as "2 Nov 2026".
func FullDate(t time.Time) string {
	return t.UTC().Format(dateFormat)
}

func machineTime(t time.Time) string {
	return t.UTC().Format(time.RFC3339)
}
