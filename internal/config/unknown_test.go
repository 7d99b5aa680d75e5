package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownNames(t *testing.T) {
	const services = "LATCHKEY_… variables that Kubernetes sets for a service are ignored; set enableServiceLinks: false in the pod to leave them out"
	unknown := func(name, near string) string {
		return name + " is not a Latchkey variable and is ignored; the nearest known name is " + near
	}
	far := func(name string) string {
		return name + " is not a Latchkey variable and is ignored; docs/configuration.md lists all variables"
	}
	tests := []struct {
		name    string
		environ []string
		want    []string
	}{
		{"nothing", nil, nil},
		{"foreign names", []string{"PATH=/bin", "LATCH=1", "latchkey_addr=x", "=C:=C:\\", "MY_LATCHKEY_ADDR=x"}, nil},
		{"known names", []string{"LATCHKEY_ADDR=:80", "LATCHKEY_SECRET_FILE=/x", "LATCHKEY_SECRET_PREVIOUS_FILE=/x", "LATCHKEY_DATABASE_URL_FILE=/x"}, nil},
		{"nothing similar", []string{"LATCHKEY_QUOTA_BYTES=x"}, []string{far("LATCHKEY_QUOTA_BYTES")}},
		{"only half similar", []string{"LATCHKEY_BACKGROUND_URL=x", "LATCHKEY_STATIC_FOLDER=on"}, []string{far("LATCHKEY_BACKGROUND_URL"), far("LATCHKEY_STATIC_FOLDER")}},
		{"only the prefix", []string{"LATCHKEY_=x"}, []string{far("LATCHKEY_")}},
		{"typo", []string{"LATCHKEY_PUBLIC_ULR=hunter2"}, []string{unknown("LATCHKEY_PUBLIC_ULR", "LATCHKEY_PUBLIC_URL")}},
		{"plural", []string{"LATCHKEY_TRUSTED_PROXY=x"}, []string{unknown("LATCHKEY_TRUSTED_PROXY", "LATCHKEY_TRUSTED_PROXIES")}},
		{"shorter", []string{"LATCHKEY_DATABASE=x"}, []string{unknown("LATCHKEY_DATABASE", "LATCHKEY_DATABASE_URL")}},
		{"a file name of a secret", []string{"LATCHKEY_SECRET_FIL=x"}, []string{unknown("LATCHKEY_SECRET_FIL", "LATCHKEY_SECRET_FILE")}},
		{"a person's port", []string{"LATCHKEY_PORT=8080"}, []string{unknown("LATCHKEY_PORT", "LATCHKEY_ADDR")}},
		{"without an equals sign", []string{"LATCHKEY_ADD"}, []string{unknown("LATCHKEY_ADD", "LATCHKEY_ADDR")}},
		{"a file name of another variable", []string{"LATCHKEY_ADDR_FILE=/x"}, []string{"LATCHKEY_ADDR_FILE is not read, because only secrets can come from a file; the nearest known name is LATCHKEY_ADDR"}},
		{
			"in order, each once",
			[]string{"LATCHKEY_SINGUP=open", "LATCHKEY_LIMIT=on", "LATCHKEY_SINGUP=closed"},
			[]string{unknown("LATCHKEY_LIMIT", "LATCHKEY_LIMITS"), unknown("LATCHKEY_SINGUP", "LATCHKEY_SIGNUP")},
		},
		{
			"Kubernetes service",
			[]string{
				"LATCHKEY_SERVICE_HOST=10.0.0.1", "LATCHKEY_SERVICE_PORT=8080", "LATCHKEY_SERVICE_PORT_HTTP=8080", "LATCHKEY_PORT=tcp://10.0.0.1:8080",
				"LATCHKEY_PORT_8080_TCP=tcp://10.0.0.1:8080", "LATCHKEY_PORT_8080_TCP_PROTO=tcp", "LATCHKEY_PORT_8080_TCP_PORT=8080", "LATCHKEY_PORT_8080_TCP_ADDR=10.0.0.1",
				"LATCHKEY_DB_SERVICE_HOST=10.0.0.2", "LATCHKEY_DB_PORT=tcp://10.0.0.2:5432", "LATCHKEY_DB_PORT_5432_TCP=tcp://10.0.0.2:5432",
			},
			[]string{services},
		},
		{
			"both",
			[]string{"LATCHKEY_PORT=tcp://10.0.0.1:8080", "LATCHKEY_LIMIT=on"},
			[]string{unknown("LATCHKEY_LIMIT", "LATCHKEY_LIMITS"), services},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, unknownNames(test.environ)); diff != "" {
				t.Errorf("unknownNames (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownNamesOnlyWarn(t *testing.T) {
	_, warnings, err := load(t, map[string]string{"LATCHKEY_SMTP": "x"})
	if err != nil {
		t.Errorf("Load: %v, want a warning only", err)
	}
	wantWarning(t, warnings, "LATCHKEY_SMTP is not a Latchkey variable")
}

func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"kitten", "sitting", 3},
		{"URL", "ULR", 2},
		{"flaw", "lawn", 2},
	}
	for _, test := range tests {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
