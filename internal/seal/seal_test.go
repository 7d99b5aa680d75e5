package seal

import (
	"bytes"
	"strings"
	"testing"
)

// TestKeys checks which values a sealer opens after its key was changed, and which of
// them have to be sealed again.
func TestKeys(t *testing.T) {
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	sealer := func(keys ...[]byte) Sealer {
		t.Helper()
		s, err := New(keys)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before, between, after := sealer(key(1)), sealer(key(2), key(1)), sealer(key(2))
	value := before.Seal([]byte("secret"), "app")
	for _, test := range []struct {
		name    string
		sealer  Sealer
		value   string
		purpose string
		old, ok bool
	}{
		{"the same key", before, value, "app", false, true},
		{"the previous key", between, value, "app", true, true},
		{"sealed again", between, between.Seal([]byte("secret"), "app"), "app", false, true},
		{"a key that was given up", after, value, "app", false, false},
		{"another purpose", between, value, "cookie", false, false},
		{"changed", between, strings.Replace(value, "v1:", "v1:A", 1), "app", false, false},
		{"another version", between, strings.Replace(value, "v1:", "v2:", 1), "app", false, false},
		{"nothing", between, "", "app", false, false},
	} {
		data, old, ok := test.sealer.OpenOld(test.value, test.purpose)
		if old != test.old || ok != test.ok || ok && string(data) != "secret" {
			t.Errorf("%s: got %q, old %t, ok %t; want old %t, ok %t", test.name, data, old, ok, test.old, test.ok)
		}
	}
	for _, keys := range [][][]byte{nil, {key(1)[:31]}, {key(1), nil}} {
		if _, err := New(keys); err == nil {
			t.Errorf("New accepts %d keys of the wrong length", len(keys))
		}
	}
}
