package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/config"
)

// TestSettings checks that the settings page has every variable once, with the
// value that is configured.
func TestSettings(t *testing.T) {
	cfg := loadSettings(t, map[string]string{
		"LATCHKEY_BRAND_NAME": "Harbour", "LATCHKEY_BRAND_ACCENT": "#aa3300", "LATCHKEY_SUPPORT_EMAIL": "help@example.org",
		"LATCHKEY_PUBLIC_URL": "https://id.example.org", "LATCHKEY_TRUSTED_PROXIES": "10.0.0.0/8,192.0.2.7", "LATCHKEY_SIGNUP": "closed",
		"LATCHKEY_PASSWORD_MIN": "15", "LATCHKEY_ACCESS_TTL": "90s", "LATCHKEY_REFRESH_GRACE": "0s", "LATCHKEY_PASSWORD_GRANT": "off",
		"LATCHKEY_SMTP_URL": "smtp://portal:hunter2@mail.example.org", "LATCHKEY_MAIL_FROM": `"Käse, Inc." <id@example.org>`,
	})
	got := map[string]string{}
	var variables []string
	for _, group := range settings(cfg) {
		for _, s := range group.Settings {
			if got[s.Label] = s.Value; s.Variable != "" {
				variables = append(variables, s.Variable)
			}
		}
	}
	var known []string
	for _, v := range config.Variables() {
		known = append(known, v.Name)
	}
	slices.Sort(variables)
	slices.Sort(known)
	if diff := cmp.Diff(known, variables); diff != "" {
		t.Errorf("variables (-known +shown):\n%s", diff)
	}
	want := map[string]string{
		"Name": "Harbour", "Accent": "#aa3300", "Logo": "Built-in mark", "Address for help": "help@example.org",
		"Public URL": "https://id.example.org", "Listens on": "localhost:8080", "Public URL without https": "Only on this machine",
		"Subdomains must use https": "Yes", "Session cookies go to": "The host of the public URL", "Apps behind forward-auth": "None",
		"Trusted proxies": "10.0.0.0/8, 192.0.2.7/32", "Second step required": "Of nobody", "Sign-up": "Closed: admins add users", "Shortest password": "15 characters",
		"Limits on attempts": "On", "End when unused for": "7 days", "Last at most": "30 days", "Access tokens last": "90 seconds",
		"Mail server": "mail.example.org:587, STARTTLS", "Sender": "Käse, Inc. <id@example.org>", "Addresses are verified": "Yes",
		"Old token works for another": "0 seconds", "Passwords at /token": "Refused", "Access tokens renew themselves": "Yes",
		"Other origins with scripts": "None", "Version": version, "Database": "SQLite, data/latchkey.db",
		"Master secret": "Generated, in the file secret beside the database", "Previous master secret": "None",
		"Connections to PostgreSQL": "10 at most", "Folder of backups": "None: the server makes no backups", "Time between backups": "1 day",
		"Backups kept": "7", "Serves after SIGTERM for": "5 seconds", "Metrics at": "No address: off",
		"Log format": "text", "Log level": "info",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestSettingsHideSecrets checks that no part of a secret is on the settings
// page.
func TestSettingsHideSecrets(t *testing.T) {
	secret, previous := "9f0c4be1d7a2583660e1f9b8c7d24a135f8e02bb916cd3a74e50f6817d29ca3b", "3b92ce07f461d85aa2907be6c3518df40e7c64b1f82a09d5637ce1fb48a20d97"
	cfg := loadSettings(t, map[string]string{
		"LATCHKEY_SECRET": secret, "LATCHKEY_SECRET_PREVIOUS": previous,
		"LATCHKEY_DATABASE_URL": "postgres://portal:hunter2@db.example.org:5433/accounts?sslpassword=hunter3",
		"LATCHKEY_SMTP_URL":     "smtps://portal:hunter4@mail.example.org",
	})
	text := ""
	for _, group := range settings(cfg) {
		for _, s := range group.Settings {
			text += s.Label + ": " + s.Value + "\n"
		}
	}
	for _, hidden := range []string{secret, previous, "hunter2", "hunter3", "hunter4", "portal"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q is in:\n%s", hidden, text)
		}
	}
	for _, shown := range []string{"Database: PostgreSQL, db.example.org:5433/accounts\n", "Master secret: Set\n", "Previous master secret: Set\n"} {
		if !strings.Contains(text, shown) {
			t.Errorf("no %q in:\n%s", shown, text)
		}
	}
}

func TestMailWords(t *testing.T) {
	for want, m := range map[string]config.Mail{
		"None": {}, "Files in data/mail": {Folder: "data/mail"},
		"[::1]:25, STARTTLS": {Host: "::1", Port: 25}, "mail.example.org:465, TLS": {Host: "mail.example.org", Port: 465, ImplicitTLS: true},
	} {
		if got := mailWords(m); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func loadSettings(t *testing.T, env map[string]string) *config.Config {
	t.Helper()
	cfg, _, err := config.Load(func(name string) string { return env[name] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "1 day", 36 * time.Hour: "36 hours", 5 * time.Minute: "5 minutes", 90 * time.Second: "90 seconds",
		0: "0 seconds", 1500 * time.Millisecond: "1.5s",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
