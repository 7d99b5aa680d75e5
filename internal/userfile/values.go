package userfile

import (
	"strings"
	"time"
)

// flag reads yes or no; an empty value is no.
func (a *Account) flag(field, value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "t", "1", "yes", "y":
		return true
	case "", "false", "f", "0", "no", "n":
		return false
	}
	a.wrong(field, "Use true or false.")
	return false
}

// instants are the forms of an instant: RFC 3339, with a space in place of the T as
// databases write it, and each of them without a zone, which is UTC then.
var instants = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly,
}

// time reads an instant; an empty value is the zero time.
func (a *Account) time(field, value string) time.Time {
	value = strings.TrimSpace(value)
	if value == "" {
		return time.Time{}
	}
	for _, form := range instants {
		if t, err := time.Parse(form, value); err == nil {
			return t.UTC()
		}
	}
	a.wrong(field, "Use a time like 2024-05-31T14:20:00Z.")
	return time.Time{}
}
