package config

import (
	"strings"
	"testing"
	"time"
)

// TestDrain checks the default, which depends on the public URL, and the bounds.
func TestDrain(t *testing.T) {
	for _, test := range []struct {
		url, drain string
		want       time.Duration
		problem    string
	}{
		{"http://localhost:8080", "", 0, ""},
		{"https://id.example.org", "", 5 * time.Second, ""},
		{"https://id.example.org", "0", 0, ""},
		{"http://localhost:8080", "2s", 2 * time.Second, ""},
		{"https://id.example.org", "5m", 5 * time.Minute, ""},
		{"https://id.example.org", "6m", 0, "LATCHKEY_DRAIN"},
		{"https://id.example.org", "-1s", 0, "LATCHKEY_DRAIN"},
		{"https://id.example.org", "soon", 0, "LATCHKEY_DRAIN"},
	} {
		environ := map[string]string{namePublicURL: test.url, nameDrain: test.drain}
		cfg, _, err := Load(func(name string) string { return environ[name] }, nil)
		if test.problem != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.problem) {
				t.Errorf("drain %q at %s: got %v, want a problem of %s", test.drain, test.url, err, test.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("drain %q at %s: %v", test.drain, test.url, err)
		} else if cfg.Drain != test.want {
			t.Errorf("drain %q at %s: got %s, want %s", test.drain, test.url, cfg.Drain, test.want)
		}
	}
}

// TestOperationsValues checks what is refused and what only causes a warning.
func TestOperationsValues(t *testing.T) {
	for _, test := range []struct{ name, value, problem, warning string }{
		{nameMetricsAddr, "localhost", nameMetricsAddr, ""},
		{nameMetricsAddr, "localhost:8080", nameMetricsAddr, ""},
		{nameMetricsAddr, "localhost:9090", "", ""},
		{nameMetricsAddr, ":9090", "", nameMetricsAddr},
		{nameDatabasePool, "1", nameDatabasePool, ""},
		{nameDatabasePool, "1001", nameDatabasePool, ""},
		{nameBackupEvery, "59s", nameBackupEvery, nameBackupEvery},
		{nameBackupEvery, "1h", "", nameBackupEvery},
		{nameBackupKeep, "0", nameBackupKeep, nameBackupKeep},
		{nameBackupKeep, "3", "", nameBackupKeep},
		{nameBackupDir, "backups", "", ""},
	} {
		_, warnings, err := Load(func(name string) string {
			if name == test.name {
				return test.value
			}
			return ""
		}, nil)
		if problem := err != nil && strings.HasPrefix(err.Error(), test.problem); problem != (test.problem != "") || err != nil && !problem {
			t.Errorf("%s=%s: got the error %v, want one of %q", test.name, test.value, err, test.problem)
		}
		if got := strings.Join(warnings, "\n"); strings.HasPrefix(got, prefix) != (test.warning != "") || !strings.HasPrefix(got, test.warning) {
			t.Errorf("%s=%s: got the warnings %q, want one of %q", test.name, test.value, got, test.warning)
		}
	}
}
