package components

import "time"

// The formats of instants. All are in UTC, as is the day of a date.
const (
	timeFormat = "2 Jan 2006, 15:04 UTC"
	dateFormat = "2 Jan 2006"
	hourFormat = "15:04 UTC"

	secondFormat = "15:04:05 UTC"
)

// FullTime writes an instant as "2 Nov 2026, 14:32 UTC".
func FullTime(t time.Time) string {
	return t.UTC().Format(timeFormat)
}

// FullDate writes the day of an instant as "2 Nov 2026".
func FullDate(t time.Time) string {
	return t.UTC().Format(dateFormat)
}

// Timed is a text with the time of day at which something ends, shown as the next
// whole minute.
type Timed struct {
	Before string
	At     time.Time
	After  string
}

// String is the text with the time in UTC.
func (t Timed) String() string {
	return t.Before + NextMinute(t.At).UTC().Format(hourFormat) + t.After
}

// Problem is the text as a problem of a form.
func (t Timed) Problem() FieldError {
	return FieldError{Text: t.String(), Timed: &t}
}

// NextMinute returns the first whole minute that is not before an instant.
func NextMinute(t time.Time) time.Time {
	if minute := t.Truncate(time.Minute); !minute.Equal(t) {
		return minute.Add(time.Minute)
	}
	return t
}

func machineTime(t time.Time) string {
	return t.UTC().Format(time.RFC3339)
}
