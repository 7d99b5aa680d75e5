package config

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentation checks that docs/configuration.md lists exactly the
// variables that Load reads, with their defaults, meanings and order.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "| `"+prefix) {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	var want []string
	for _, v := range Variables() {
		want = append(want, documentationRow(v))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows of docs/configuration.md (-want +got):\n%s", diff)
	}
}

func documentationRow(v Variable) string {
	key, value := "", v.Unset
	if v.Secret {
		key = " 🔑"
	}
	if v.Default != "" {
		value = "`" + v.Default + "`"
	}
	return fmt.Sprintf("| `%s`%s | %s | %s |", v.Name, key, value, v.Meaning)
}

func TestVariablesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Variables() {
		if !strings.HasPrefix(v.Name, prefix) || seen[v.Name] {
			t.Errorf("%s is listed twice or without %s", v.Name, prefix)
		}
		seen[v.Name] = true
		if (v.Default == "") == (v.Unset == "") || v.Meaning == "" {
			t.Errorf("%s needs a Meaning and either a Default or Unset", v.Name)
		}
	}
}
