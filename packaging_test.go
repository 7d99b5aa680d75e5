package latchkey_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const unitFile = "packaging/systemd/latchkey.service"

// TestUnit checks the systemd unit with systemd's own programs: that it is valid, and
// that its exposure is at most 2.5 of 10.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: systemd-analyze is not installed: scripts/bring systemd")
	}
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// Verifying needs a program that exists.
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "latchkey.service")
	text := strings.Replace(string(unit), "/usr/local/bin/latchkey", self, 1)
	if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", copied}, {"security", "--offline=true", "--threshold=25", copied}} {
		out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for _, line := range []string{"Type=notify", "WatchdogSec=30", "TimeoutStopSec=20"} {
		if !strings.Contains(string(unit), "\n"+line+"\n") {
			t.Errorf("the unit does not say %s", line)
		}
	}
}

// TestCompose checks what each service of compose.yaml needs, by its text.
func TestCompose(t *testing.T) {
	content, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	services := regexp.MustCompile(`(?ms)^services:\n(.*?)^\S`).FindStringSubmatch(string(content))
	if services == nil {
		t.Fatal("there are no services")
	}
	latchkey, postgres, found := strings.Cut(services[1], "\n  postgres:\n")
	if !found {
		t.Fatal("there is no service postgres")
	}
	for name, service := range map[string]string{"latchkey": latchkey, "postgres": postgres} {
		for _, line := range []string{"logging: *logging", "mem_limit: ", "stop_grace_period: ", "restart: unless-stopped"} {
			if !strings.Contains(service, "\n    "+line) {
				t.Errorf("the service %s has no line %q", name, line)
			}
		}
	}
	for text, service := range map[string]string{"LATCHKEY_TRUSTED_PROXIES: ": latchkey, "read_only: true": latchkey, "- backup:/backup": postgres} {
		if !strings.Contains(service, text) {
			t.Errorf("compose.yaml has no %q where it belongs", text)
		}
	}
	if !strings.Contains(string(content), "max-size: ") || strings.Contains(string(content), "\t") {
		t.Error("compose.yaml does not rotate logs, or holds a tab")
	}
}
