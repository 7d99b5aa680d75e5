package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// holder has a Secret in an unexported field, which package fmt prints by
// reflection.
type holder struct{ hidden Secret }

// TestSecretNeverShows prints a Secret in every way and looks for its value in
// plain text, hex, decimal bytes and base64.
func TestSecretNeverShows(t *testing.T) {
	const value = "hunter2hunter2"
	s := NewSecret([]byte(value))
	c := Config{Secret: s, Database: Database{URL: s}}
	leaks := []string{value, fmt.Sprintf("%x", value), fmt.Sprintf("%X", value), fmt.Sprint([]byte(value)), fmt.Sprintf("% x", value), fmt.Sprintf("%#x", value), "104 117 110", "aHVudGVy"}

	printed := map[string]string{"String": s.String(), "GoString": s.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%+q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%10.3s", "%-20v", "%T", "%p", "%w", "%!"} {
		// The formats are not constants, so that vet does not reject the unusual ones.
		printed[verb] = fmt.Sprintf(verb, s)
		printed["pointer "+verb] = fmt.Sprintf(verb, &s)
		printed["slice "+verb] = fmt.Sprintf(verb, []Secret{s})
		printed["config "+verb] = fmt.Sprintf(verb, &c)
		printed["hidden "+verb] = fmt.Sprintf(verb, holder{hidden: s})
		printed["error "+verb] = fmt.Errorf(verb, s).Error()
	}
	printed["Println"] = fmt.Sprintln(s, &s, c)
	printed["json"] = encode(t, json.Marshal, c)
	printed["json key"] = encode(t, json.Marshal, map[string]Secret{"a": s})
	printed["xml"] = encode(t, xml.Marshal, s)
	printed["errors"] = errors.Join(fmt.Errorf("secret %v", s)).Error()
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("secret", "plain", s, "pointer", &s, "config", c, slog.Group("g", "secret", s))
		printed[name] = b.String()
	}

	for name, got := range printed {
		for _, leak := range leaks {
			if strings.Contains(got, leak) {
				t.Errorf("%s prints the value: %s", name, got)
			}
		}
	}
	for _, name := range []string{"String", "GoString", "%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		if got := printed[name]; got != "[redacted]" {
			t.Errorf("%s = %q, want [redacted]", name, got)
		}
	}
	for _, name := range []string{"json", "xml", "slog text", "slog json", "config %+v", "config %#v"} {
		if got := printed[name]; !strings.Contains(got, "[redacted]") {
			t.Errorf("%s = %q, want [redacted] in it", name, got)
		}
	}
}

func encode(t *testing.T, marshal func(any) ([]byte, error), v any) string {
	t.Helper()
	data, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSecretValue(t *testing.T) {
	own := []byte("value")
	s := NewSecret(own)
	own[0] = 'X'
	s.Bytes()[1] = 'X'
	if got := string(s.Bytes()); got != "value" {
		t.Errorf("Bytes = %q after the copies changed, want %q", got, "value")
	}
	tests := []struct {
		name  string
		a, b  Secret
		equal bool
	}{
		{"same", s, NewSecret([]byte("value")), true},
		{"other", s, NewSecret([]byte("other")), false},
		{"longer", s, NewSecret([]byte("values")), false},
		{"empty", s, Secret{}, false},
		{"both empty", NewSecret(nil), Secret{}, true},
	}
	for _, test := range tests {
		if got := test.a.Equal(test.b); got != test.equal {
			t.Errorf("%s: Equal = %t, want %t", test.name, got, test.equal)
		}
	}
	if s.IsZero() || !NewSecret([]byte{}).IsZero() || (Secret{}).Bytes() != nil {
		t.Error("IsZero or Bytes is wrong for an empty Secret")
	}
}
