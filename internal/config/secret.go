package config

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands for a secret wherever one is printed.
const redacted = "[redacted]"

// Secret holds bytes that must never be shown. It prints as [redacted] through
// package fmt (whatever the verb), encoding/json, encoding.TextMarshaler and
// log/slog; only [Secret.Bytes] gives the value.
type Secret struct {
	// Where fmt calls no method (%p, or a Secret in an unexported field of
	// another struct) it prints this field by reflection. Of a pointer to a
	// string it shows the address only; one to a slice it would follow.
	value *string
}

// NewSecret returns a Secret with a copy of value.
func NewSecret(value []byte) Secret {
	if len(value) == 0 {
		return Secret{}
	}
	own := string(value)
	return Secret{value: &own}
}

// Bytes returns a copy of the value, nil when there is none.
func (s Secret) Bytes() []byte {
	if s.value == nil {
		return nil
	}
	return []byte(*s.value)
}

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether both hold the same value, in a time that depends on
// their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.Bytes(), other.Bytes()) == 1
}

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]".
func (Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb and flag.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redacted) // fmt.State keeps no error to report
}

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[redacted]" as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
