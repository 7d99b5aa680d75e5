package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPublicURL(t *testing.T) {
	tests := []struct {
		value, origin    string
		secure, loopback bool
	}{
		{"https://id.example.org", "https://id.example.org", true, false},
		{"https://id.example.org/", "https://id.example.org", true, false},
		{"HTTPS://ID.Example.ORG:443", "https://id.example.org", true, false},
		{"https://id.example.org:8443", "https://id.example.org:8443", true, false},
		{"https://xn--kse-qla.example", "https://xn--kse-qla.example", true, false},
		{"https://3dprinter", "https://3dprinter", true, false},
		{"https://[2001:DB8::1]", "https://[2001:db8::1]", true, false},
		{"https://localhost", "https://localhost", true, true},
		{"http://localhost:80", "http://localhost", false, true},
		{"http://localhost:8080/", "http://localhost:8080", false, true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080", false, true},
		{"http://127.3.2.1", "http://127.3.2.1", false, true},
		{"http://[::1]:8080", "http://[::1]:8080", false, true},
		{"http://[0:0:0:0:0:0:0:1]", "http://[::1]", false, true},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c := mustLoad(t, map[string]string{"LATCHKEY_PUBLIC_URL": test.value})
			if c.PublicURL != test.origin {
				t.Errorf("PublicURL = %q, want %q", c.PublicURL, test.origin)
			}
			if got := c.Secure(); got != test.secure {
				t.Errorf("Secure = %t, want %t", got, test.secure)
			}
			if got := c.Loopback(); got != test.loopback {
				t.Errorf("Loopback = %t, want %t", got, test.loopback)
			}
		})
	}
}

func TestPublicURLFollowsAddr(t *testing.T) {
	tests := []struct{ addr, want string }{
		{":9000", "http://localhost:9000"},
		{"0.0.0.0:80", "http://localhost"},
		{"[::1]:8081", "http://localhost:8081"},
	}
	for _, test := range tests {
		t.Run(test.addr, func(t *testing.T) {
			if got := mustLoad(t, map[string]string{"LATCHKEY_ADDR": test.addr}).PublicURL; got != test.want {
				t.Errorf("PublicURL = %q, want %q", got, test.want)
			}
		})
	}
}

func TestPublicURLProblems(t *testing.T) {
	tests := []struct{ value, want string }{
		{"id.example.org", "http:// or https://"},
		{"ftp://id.example.org", "http:// or https://"},
		{"https:id.example.org", "is not a URL"},
		{"https://", "does not name a host"},
		{"https://:8443", "does not name a host"},
		{"https://id.example.org/portal", "has a path"},
		{"https://id.example.org//", "has a path"},
		{"https://id.example.org?x=1", "has a query"},
		{"https://id.example.org/?", "has a query"},
		{"https://id.example.org#top", "has a query or a fragment"},
		{"https://ana:hunter2@id.example.org", "user name"},
		{"https://id.example.org:", "has no port"},
		{"https://id.example.org:0", "has no port"},
		{"https://id.example.org:65536", "has no port"},
		{"https://id.example.org:0443", "has no port"},
		{"https://id.example.org:80:80", "is not a URL"},
		{"https://käse.example", "does not name a host"},
		{"https://id..example.org", "does not name a host"},
		{"https://id.example.org.", "does not name a host"},
		{"https://-id.example.org", "does not name a host"},
		{"https://id example.org", "is not a URL"},
		{"https://127.1", "does not name a host"},
		{"https://10.0.0.0x7f", "does not name a host"},
		{"https://[fe80::1%25eth0]", "does not name a host"},
		{"https://[::ffff:127.0.0.1]", "does not name a host"},
		{"http://id.example.org", "LATCHKEY_INSECURE_HTTP=1"},
		{"http://10.0.0.7:8080", "LATCHKEY_INSECURE_HTTP=1"},
		{"http://localhost.example.org", "LATCHKEY_INSECURE_HTTP=1"},
		{"http://0.0.0.0:8080", "LATCHKEY_INSECURE_HTTP=1"},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			wantProblem(t, map[string]string{"LATCHKEY_PUBLIC_URL": test.value}, "LATCHKEY_PUBLIC_URL", test.want)
		})
	}
}

func TestInsecureHTTP(t *testing.T) {
	c, warnings, err := load(t, map[string]string{
		"LATCHKEY_PUBLIC_URL":    "http://portal.internal",
		"LATCHKEY_INSECURE_HTTP": "1",
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if c.Secure() || c.Loopback() || !c.InsecureHTTP {
		t.Errorf("Secure %t, Loopback %t, InsecureHTTP %t; want only the last", c.Secure(), c.Loopback(), c.InsecureHTTP)
	}
	wantWarning(t, warnings, "LATCHKEY_INSECURE_HTTP is on: passwords and sessions cross the network")
}

func TestLimitsOffNeedsLoopback(t *testing.T) {
	if mustLoad(t, map[string]string{"LATCHKEY_LIMITS": "off"}).Limits {
		t.Error("Limits are on, want off")
	}
	wantProblem(t, map[string]string{
		"LATCHKEY_LIMITS":     "off",
		"LATCHKEY_PUBLIC_URL": "https://id.example.org",
	}, "LATCHKEY_LIMITS", "LATCHKEY_PUBLIC_URL to a loopback address")
	// A faulty public URL without a known host is the only problem.
	wantProblem(t, map[string]string{
		"LATCHKEY_LIMITS":     "off",
		"LATCHKEY_PUBLIC_URL": "id.example.org",
	}, "LATCHKEY_PUBLIC_URL", "http:// or https://")
}

func TestTrustingEveryoneWarns(t *testing.T) {
	for _, value := range []string{"0.0.0.0/0", "::/0"} {
		_, warnings, err := load(t, map[string]string{"LATCHKEY_TRUSTED_PROXIES": value})
		if err != nil {
			t.Fatalf("Load: %v", err)
		}
		wantWarning(t, warnings, "every client is trusted")
	}
}

func TestAPIOrigins(t *testing.T) {
	tests := []struct {
		value string
		want  []string
		wrong string // a part of the problem
	}{
		{"https://app.example.org", []string{"https://app.example.org"}, ""},
		{"https://App.example.org:443/,http://localhost:3000", []string{"https://app.example.org", "http://localhost:3000"}, ""},
		{" https://a.example , https://b.example ", []string{"https://a.example", "https://b.example"}, ""},
		{"*", nil, "number 1"},
		{"null", nil, "number 1"},
		{"app.example.org", nil, "does not begin with http"},
		{"https://a.example,https://b.example/path", nil, "number 2) that has a path"},
		{"https://*.example.org", nil, "does not name a host"},
		{"https://user:hunter2@a.example", nil, "holds a user name"},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			c, _, err := load(t, map[string]string{"LATCHKEY_API_CORS_ORIGINS": test.value})
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want a problem with %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, c.APIOrigins); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
