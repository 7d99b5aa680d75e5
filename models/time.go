package models

import "time"

// Time is an instant as the database keeps it on both engines: microseconds
// since 1970 UTC in a BIGINT, 0 for never. Numbers compare and sort alike
// everywhere and need no parsing in each request.
type Time int64

// At converts t, cutting it to microseconds.
func At(t time.Time) Time {
	if t.IsZero() {
		return 0
	}
	return Time(t.UnixMicro())
}

// Time converts back, in UTC; never becomes the zero time.
func (t Time) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(t)).UTC()
}

// IsZero reports whether t means never.
func (t Time) IsZero() bool { return t == 0 }

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Microseconds()) }

// Sub returns how long u is before t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Microsecond }
