package config

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Two valid secrets and a PostgreSQL URL.
const (
	goodHex    = "8f1c5e0d3ab94762f05d1e88c3b7a9642dfe6071b85a93cc14e7d2096fb83a5e"
	otherHex   = "c07a41e95b2d86f31e64a8097dcb52f03f19be84d6720ca5518e37fb90d46c2a"
	postgresIn = "postgres://latchkey:hunter2@localhost/latchkey"
)

// load runs Load with only vars set.
func load(t *testing.T, vars map[string]string) (*Config, []string, error) {
	t.Helper()
	var environ []string
	for name, value := range vars {
		environ = append(environ, name+"="+value)
	}
	return Load(func(name string) string { return vars[name] }, environ)
}

// mustLoad fails the test on a problem or a warning.
func mustLoad(t *testing.T, vars map[string]string) *Config {
	t.Helper()
	c, warnings, err := load(t, vars)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if len(warnings) > 0 {
		t.Errorf("warnings: %q, want none", warnings)
	}
	return c
}

// writeFile creates a file with the given mode, regardless of the umask.
func writeFile(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := writeAs(t, "file", content)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeAs creates a file with the given name in a new folder.
func writeAs(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	got := mustLoad(t, nil)
	want := &Config{
		Addr:                  "localhost:8080",
		PublicURL:             "http://localhost:8080",
		HSTSIncludeSubdomains: true,
		Database:              Database{Dialect: SQLite, Path: "data/latchkey.db"},
		DatabasePool:          10,
		Backup:                Backup{Every: 24 * time.Hour, Keep: 7},
		AccessTTL:             5 * time.Minute,
		RefreshTTL:            7 * 24 * time.Hour,
		SessionTTL:            30 * 24 * time.Hour,
		RefreshGrace:          10 * time.Second,
		Mail:                  Mail{Folder: "data/mail", From: `"Latchkey" <no-reply@localhost>`},
		VerifyEmail:           VerifyOff,
		RequireTwoStep:        TwoStepOff,
		Signup:                SignupOpen,
		PasswordMin:           12,
		PasswordGrant:         true,
		TokenRenewal:          true,
		Limits:                true,
		LogFormat:             LogText,
		LogLevel:              slog.LevelInfo,
		Brand:                 Brand{Name: "Latchkey"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	if got, want := got.SecretPath(), filepath.Join("data", "secret"); got != want {
		t.Errorf("SecretPath = %q, want %q", got, want)
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Errorf("Load left %v behind (%v), want nothing", files, err)
	}
}

func TestLoadEverything(t *testing.T) {
	const logo = "<svg></svg>"
	got := mustLoad(t, map[string]string{
		"LATCHKEY_ADDR":                    ":9000",
		"LATCHKEY_PUBLIC_URL":              "https://ID.Example.org:443/",
		"LATCHKEY_INSECURE_HTTP":           "1",
		"LATCHKEY_HSTS_INCLUDE_SUBDOMAINS": "false",
		"LATCHKEY_DATABASE_URL":            postgresIn,
		"LATCHKEY_DATABASE_POOL":           "25",
		"LATCHKEY_BACKUP_DIR":              "/backup/",
		"LATCHKEY_BACKUP_EVERY":            "1h",
		"LATCHKEY_BACKUP_KEEP":             "48",
		"LATCHKEY_DRAIN":                   "20s",
		"LATCHKEY_METRICS_ADDR":            "10.0.0.5:9090",
		"LATCHKEY_SECRET":                  goodHex,
		"LATCHKEY_SECRET_PREVIOUS":         otherHex,
		"LATCHKEY_ACCESS_TTL":              "1s",
		"LATCHKEY_REFRESH_TTL":             "2s",
		"LATCHKEY_SESSION_TTL":             "3s",
		"LATCHKEY_REFRESH_GRACE":           "0",
		"LATCHKEY_SMTP_URL":                "smtps://portal:p%40ss@Mail.example.org",
		"LATCHKEY_MAIL_FROM":               "Käse <accounts@example.org>",
		"LATCHKEY_VERIFY_EMAIL":            "required",
		"LATCHKEY_SIGNUP":                  "invite",
		"LATCHKEY_PASSWORD_MIN":            "15",
		"LATCHKEY_PASSWORD_GRANT":          "off",
		"LATCHKEY_TOKEN_RENEWAL":           "off",
		"LATCHKEY_API_CORS_ORIGINS":        "https://App.example.org:443/, http://localhost:3000",
		"LATCHKEY_TRUSTED_PROXIES":         "10.1.2.3/8, 192.0.2.7,2001:db8::/32 ::1",
		"LATCHKEY_LIMITS":                  "on",
		"LATCHKEY_LOG_FORMAT":              "json",
		"LATCHKEY_LOG_LEVEL":               "debug",
		"LATCHKEY_BRAND_NAME":              "Käse & Söhne 🧀",
		"LATCHKEY_BRAND_ACCENT":            "#AbCdEf",
		"LATCHKEY_BRAND_LOGO":              writeFile(t, logo, 0o600),
		"LATCHKEY_SUPPORT_EMAIL":           "help@example.org",
	})
	want := &Config{
		Addr:           ":9000",
		PublicURL:      "https://id.example.org",
		InsecureHTTP:   true,
		Drain:          20 * time.Second,
		MetricsAddr:    "10.0.0.5:9090",
		Database:       Database{Dialect: Postgres, URL: NewSecret([]byte(postgresIn))},
		DatabasePool:   25,
		Backup:         Backup{Dir: "/backup", Every: time.Hour, Keep: 48},
		Secret:         NewSecret(unhex(t, goodHex)),
		SecretPrevious: NewSecret(unhex(t, otherHex)),
		AccessTTL:      time.Second,
		RefreshTTL:     2 * time.Second,
		SessionTTL:     3 * time.Second,
		Mail: Mail{
			Host: "Mail.example.org", Port: 465, ImplicitTLS: true, Username: "portal", Password: NewSecret([]byte("p@ss")),
			From: "=?utf-8?q?K=C3=A4se?= <accounts@example.org>",
		},
		VerifyEmail: VerifyRequired, RequireTwoStep: TwoStepOff,
		Signup:      SignupInvite,
		PasswordMin: 15,
		APIOrigins:  []string{"https://app.example.org", "http://localhost:3000"},
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"),
			netip.MustParsePrefix("192.0.2.7/32"),
			netip.MustParsePrefix("2001:db8::/32"),
			netip.MustParsePrefix("::1/128"),
		},
		Limits:    true,
		LogFormat: LogJSON,
		LogLevel:  slog.LevelDebug,
		Brand:     Brand{Name: "Käse & Söhne 🧀", Accent: "#abcdef", Logo: []byte(logo), SupportEmail: "help@example.org"},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	if path := got.SecretPath(); path != "" {
		t.Errorf("SecretPath = %q on PostgreSQL, want none", path)
	}
}

// TestLoadProblems sets one wrong value at a time and expects one sentence that
// begins with the name of the variable.
func TestLoadProblems(t *testing.T) {
	folder := t.TempDir()
	big := writeFile(t, strings.Repeat("x", maxLogo+1), 0o600)
	empty := writeFile(t, "", 0o600)
	tests := []struct{ name, value, want string }{
		{"LATCHKEY_ADDR", "8080", "host:port"},
		{"LATCHKEY_ADDR", "localhost:http", "host:port"},
		{"LATCHKEY_ADDR", "localhost:0", "from 1 to 65535"},
		{"LATCHKEY_ADDR", "localhost:65536", "from 1 to 65535"},
		{"LATCHKEY_ADDR", "http://localhost:8080", "host:port"},

		{"LATCHKEY_INSECURE_HTTP", "perhaps", "set it to 1 or 0"},
		{"LATCHKEY_HSTS_INCLUDE_SUBDOMAINS", "perhaps", "set it to true or false"},
		{"LATCHKEY_LIMITS", "perhaps", "set it to on or off"},

		{"LATCHKEY_ACCESS_TTL", "0s", "1s or more"},
		{"LATCHKEY_ACCESS_TTL", "999ms", "1s or more"},
		{"LATCHKEY_ACCESS_TTL", "-5m", "1s or more"},
		{"LATCHKEY_ACCESS_TTL", "1000000000h", "at most 2562047h"},
		{"LATCHKEY_ACCESS_TTL", "2562048h", "at most 2562047h"},
		{"LATCHKEY_REFRESH_TTL", "7d", "168h"},
		{"LATCHKEY_SESSION_TTL", "3600", "units"},
		{"LATCHKEY_REFRESH_GRACE", "-1s", "0s or more"},
		{"LATCHKEY_REFRESH_GRACE", "61", "0s or more"},

		{"LATCHKEY_VERIFY_EMAIL", "yes", "set it to on, off or required"},
		{"LATCHKEY_SIGNUP", "Open", "set it to open, invite or closed"},
		{"LATCHKEY_PASSWORD_MIN", "7", "from 8 to 64"},
		{"LATCHKEY_PASSWORD_MIN", "65", "from 8 to 64"},
		{"LATCHKEY_PASSWORD_MIN", "twelve", "from 8 to 64"},
		{"LATCHKEY_TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/33"},
		{"LATCHKEY_TRUSTED_PROXIES", "127.0.0.1,proxy.example.org", "proxy.example.org"},
		{"LATCHKEY_TRUSTED_PROXIES", "::ffff:10.0.0.1", "10.0.0.1"},
		{"LATCHKEY_TRUSTED_PROXIES", "fe80::1%eth0", "fe80"},
		{"LATCHKEY_LOG_FORMAT", "xml", "set it to text or json"},
		{"LATCHKEY_LOG_LEVEL", "info+2", "set it to debug, info, warn or error"},

		{"LATCHKEY_BRAND_NAME", strings.Repeat("ü", 41), "is 41 characters long"},
		{"LATCHKEY_BRAND_NAME", "a\nb", "control characters"},
		{"LATCHKEY_BRAND_NAME", "a\u202eb", "control characters"},
		{"LATCHKEY_BRAND_NAME", "a\xffb", "UTF-8"},
		{"LATCHKEY_BRAND_NAME", "   ", "blank"},
		{"LATCHKEY_BRAND_ACCENT", "3d4fd1", "#rrggbb"},
		{"LATCHKEY_BRAND_ACCENT", "#abc", "#rrggbb"},
		{"LATCHKEY_BRAND_ACCENT", "indigo", "#rrggbb"},
		{"LATCHKEY_BRAND_LOGO", filepath.Join(folder, "none.svg"), "cannot be read"},
		{"LATCHKEY_BRAND_LOGO", folder, "not a file"},
		{"LATCHKEY_BRAND_LOGO", big, "512 KB or less"},
		{"LATCHKEY_BRAND_LOGO", empty, "empty file"},
		{"LATCHKEY_BRAND_LOGO", writeFile(t, "\xff\xd8\xff", 0o600), "cannot be the logo: the file is neither SVG nor PNG"},
		{"LATCHKEY_BRAND_LOGO", writeFile(t, "<svg><script/></svg>", 0o600), "contains <script>; save it without"},
		{"LATCHKEY_SUPPORT_EMAIL", "help", "one plain address"},
		{"LATCHKEY_SUPPORT_EMAIL", "Help <help@example.org>", "one plain address"},
		{"LATCHKEY_SUPPORT_EMAIL", "a@example.org, b@example.org", "one plain address"},
		{"LATCHKEY_SUPPORT_EMAIL", strings.Repeat("a", 250) + "@b.org", "one plain address"},
	}
	for _, test := range tests {
		t.Run(test.name+"="+short(test.value), func(t *testing.T) {
			wantProblem(t, map[string]string{test.name: test.value}, test.name, test.want)
		})
	}
}

// wantProblem checks that vars cause exactly one problem, about the variable name,
// that contains want.
func wantProblem(t *testing.T, vars map[string]string, name, want string) {
	t.Helper()
	c, _, err := load(t, vars)
	if err == nil {
		t.Fatalf("Load accepted %q, want a problem that says %q", vars, want)
	}
	if c != nil {
		t.Errorf("Load returned a Config with the problem %v", err)
	}
	if got := err.Error(); !strings.HasPrefix(got, name+" ") || !strings.Contains(got, want) || strings.Contains(got, "\n") {
		t.Errorf("problem %q, want one line about %s that says %q", got, name, want)
	}
}

func TestLoadReportsEveryProblemAtOnce(t *testing.T) {
	_, warnings, err := load(t, map[string]string{
		"LATCHKEY_ADDR":           "nowhere",
		"LATCHKEY_PUBLIC_URL":     "http://id.example.org",
		"LATCHKEY_DATABASE_URL":   "mysql://root:hunter2@localhost/x",
		"LATCHKEY_SECRET":         "hunter2",
		"LATCHKEY_ACCESS_TTL":     "soon",
		"LATCHKEY_SIGNUP":         "nobody",
		"LATCHKEY_PASSWORD_MIN":   "4",
		"LATCHKEY_BRAND_ACCENT":   "red",
		"LATCHKEY_SUPPORT_ADRESS": "x",
	})
	if err == nil {
		t.Fatal("Load returned no error")
	}
	got := map[string]int{}
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, " ")
		got[name]++
	}
	want := map[string]int{
		"LATCHKEY_ADDR": 1, "LATCHKEY_PUBLIC_URL": 1, "LATCHKEY_DATABASE_URL": 1, "LATCHKEY_SECRET": 1,
		"LATCHKEY_ACCESS_TTL": 1, "LATCHKEY_SIGNUP": 1, "LATCHKEY_PASSWORD_MIN": 1, "LATCHKEY_BRAND_ACCENT": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems by variable (-want +got):\n%s\n%v", diff, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is in the problems: %v", err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "LATCHKEY_SUPPORT_EMAIL") {
		t.Errorf("warnings %q, want the one about LATCHKEY_SUPPORT_ADRESS beside the problems", warnings)
	}
}

// TestLoadReportsBoth checks pairs of faults of which neither may hide the other.
func TestLoadReportsBoth(t *testing.T) {
	const public, domain, database = "LATCHKEY_PUBLIC_URL", "LATCHKEY_COOKIE_DOMAIN", "LATCHKEY_DATABASE_URL"
	damaged := filepath.Dir(writeAs(t, "secret", "not whole"))
	tests := []struct {
		name  string
		vars  map[string]string
		wants []string
	}{
		{"PostgreSQL, not a URL", map[string]string{database: "postgres://u:p%zz@h/db"}, []string{database + " is not a URL", "LATCHKEY_SECRET is required"}},
		{"PostgreSQL, parameters", map[string]string{database: "postgres://h/db?a=%zz"}, []string{database + " has parameters", "LATCHKEY_SECRET is required"}},
		{"PostgreSQL, sslmode", map[string]string{database: "postgres://h/db?sslmode=bogus"}, []string{database + " has an sslmode", "LATCHKEY_SECRET is required"}},
		{"limits, in the clear", map[string]string{public: "http://x.org", "LATCHKEY_LIMITS": "off"}, []string{public + " is ", "LATCHKEY_LIMITS is off"}},
		{"limits, path", map[string]string{public: "https://x.org/y", "LATCHKEY_LIMITS": "off"}, []string{public + " has a path", "LATCHKEY_LIMITS is off"}},
		{"domain, scheme", map[string]string{public: "ftp://x", domain: "*.x"}, []string{public + " does not begin", domain + ` is "*.x"; set it to a domain`}},
		{"public suffix, scheme", map[string]string{public: "ftp://x", domain: "co.uk"}, []string{public + " does not begin", domain + ` is "co.uk", below which`}},
		{"domain, no https", map[string]string{domain: "*.x"}, []string{domain + ` is "*.x"; set it to a domain`, domain + " needs an https"}},
		{"foreign domain, path", map[string]string{public: "https://x.org/y", domain: "x.com"}, []string{public + " has a path", domain + ` is "x.com", which is neither`}},
		{"path, in the clear", map[string]string{public: "http://example.org/x"}, []string{public + " has a path", public + ` is "http://example.org", which sends passwords in the clear`}},
		{"query, in the clear", map[string]string{public: "http://example.org?x"}, []string{public + " has a query", public + ` is "http://example.org", which sends passwords in the clear`}},
		{"made secret, logo", map[string]string{database: "sqlite:" + damaged + "/x.db", "LATCHKEY_BRAND_LOGO": writeFile(t, "GIF89a", 0o600)}, []string{
			"LATCHKEY_BRAND_LOGO names ", "LATCHKEY_SECRET is not set, and the secret in " + damaged,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := load(t, test.vars)
			if err == nil {
				t.Fatalf("Load accepted %q", test.vars)
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(test.wants) {
				t.Fatalf("problems %q, want %q", got, test.wants)
			}
			for i, want := range test.wants {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("problem %q, want one that begins with %q", got[i], want)
				}
			}
		})
	}
}

func TestLifetimeWarnings(t *testing.T) {
	tests := []struct {
		name                     string
		access, refresh, session string
		want                     string
	}{
		{"each shorter than the next", "1s", "2s", "3s", ""},
		{"idle limit equal to the absolute one", "1s", "3s", "3s", ""},
		{"idle limit longer than the absolute one", "1s", "4s", "3s", "LATCHKEY_REFRESH_TTL (4s) is longer than LATCHKEY_SESSION_TTL (3s)"},
		{"access equal to the idle limit", "2s", "2s", "3s", "LATCHKEY_ACCESS_TTL (2s) is not shorter than LATCHKEY_REFRESH_TTL (2s)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, got, err := load(t, map[string]string{
				"LATCHKEY_ACCESS_TTL":  test.access,
				"LATCHKEY_REFRESH_TTL": test.refresh,
				"LATCHKEY_SESSION_TTL": test.session,
			})
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			wantWarning(t, got, test.want)
		})
	}
}

func TestRefreshGrace(t *testing.T) {
	tests := []struct {
		value   string
		want    time.Duration
		warning string
	}{
		{"0s", 0, ""},
		{"60s", time.Minute, ""},
		{"61s", 61 * time.Second, "LATCHKEY_REFRESH_GRACE (1m1s) is longer than 1m0s"},
		{"24h", 24 * time.Hour, "LATCHKEY_REFRESH_GRACE (24h0m0s) is longer than 1m0s"},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c, warnings, err := load(t, map[string]string{"LATCHKEY_REFRESH_GRACE": test.value})
			if err != nil {
				t.Fatalf("Load: %v", err)
			}
			if c.RefreshGrace != test.want {
				t.Errorf("RefreshGrace = %s, want %s", c.RefreshGrace, test.want)
			}
			wantWarning(t, warnings, test.warning)
		})
	}
}

// wantWarning checks that there is exactly one warning and that it contains want,
// or that there is none if want is empty.
func wantWarning(t *testing.T, got []string, want string) {
	t.Helper()
	if want == "" {
		if len(got) > 0 {
			t.Errorf("warnings %q, want none", got)
		}
		return
	}
	if len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("warnings %q, want one that says %q", got, want)
	}
}

// short shortens a value for the name of a subtest.
func short(s string) string {
	if len(s) > 30 {
		return s[:30]
	}
	return s
}
