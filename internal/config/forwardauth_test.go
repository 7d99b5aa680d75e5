package config

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/forwardauth"
)

// TestRulesFile reads a file with every key.
func TestRulesFile(t *testing.T) {
	file := writeFile(t, `# Who may open what.
[[origin]]
url = "https://APP.example.org:443/"
name = " Photos & Films "

[[origin.rule]]
path = "/assets/"
allow = ["public"]

[[origin.rule]]
path = "/admin"
allow = ["admins", "user:Ana", "user:bo.chen", "user:id:abcdefghijklmnopqrstuvwx23"]

[[origin.rule]]
path = "/dav"
methods = ["GET", "PROPFIND", "OPTIONS"]
allow = ["users", "preflights"]

[[origin]]
url = "https://wiki.example.org:8443"
`, 0o600)
	got := mustLoad(t, map[string]string{
		"LATCHKEY_PUBLIC_URL": "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": ".Example.ORG",
		"LATCHKEY_TRUSTED_PROXIES": "10.0.0.1", "LATCHKEY_FORWARD_AUTH_FILE": file,
	})
	want := []forwardauth.Origin{
		{URL: "https://app.example.org", Name: "Photos & Films", Rules: []forwardauth.Rule{
			{Path: "/assets", Allow: forwardauth.Allow{Public: true}},
			{Path: "/admin", Allow: forwardauth.Allow{Admins: true, Usernames: []string{"ana", "bo.chen"}, UserIDs: []string{"abcdefghijklmnopqrstuvwx23"}}},
			{Path: "/dav", Methods: []string{"GET", "PROPFIND", "OPTIONS"}, Allow: forwardauth.Allow{Users: true, Preflight: true}},
		}},
		{URL: "https://wiki.example.org:8443"},
	}
	if diff := cmp.Diff(want, got.ForwardAuth); diff != "" {
		t.Errorf("ForwardAuth (-want +got):\n%s", diff)
	}
	if got.CookieDomain != "example.org" {
		t.Errorf("CookieDomain: got %q", got.CookieDomain)
	}
}

// TestRulesExample checks that the example in the documentation is valid.
func TestRulesExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/forward-auth/forward-auth.toml")
	if err != nil {
		t.Fatal(err)
	}
	if origins, faults := parseRules(string(text)); len(origins) == 0 || len(faults) > 0 {
		t.Errorf("got %v, faults %q", origins, faults)
	}
}

// TestRulesFaults checks that every problem is named, with its line.
func TestRulesFaults(t *testing.T) {
	const app = "[[origin]]\nurl = \"https://app.example.org\"\n"
	rule := func(body string) string { return app + "[[origin.rule]]\n" + body }
	for _, test := range []struct {
		name, text string
		want       []string // pieces of each fault
	}{
		{"not TOML", "[[origin]]\nurl = \n", []string{"line 2: "}},
		{"empty", "", []string{"no [[origin]]"}},
		{"an unknown key", app + "rules = 1\n", []string{"line 3: the key origin.rules is not known"}},
		{"an unknown key twice", "[[origin]]\nurl = \"https://a.example.org\"\nx = 1\n[[origin]]\nurl = \"https://b.example.org\"\nx = 1\n", []string{"line 3: ", "line 6: "}},
		{"an unknown table", app + "[server]\nport = 1\n", []string{"line 3: the key server ", "line 4: the key server.port"}},
		{"no list", rule("path = \"/\"\nallow = \"users\"\n"), []string{"line 3: allow is not a list of texts; write it in brackets and quotes"}},
		{"no texts", rule("path = \"/\"\nallow = [\"users\", 1]\n"), []string{"line 3: allow is not a list of texts"}},
		{"a path of another type", rule("path = 1\nallow = [\"users\"]\n"), []string{"line 3: path is not text; write it in quotes"}},
		{"the second of two", rule("path = \"/a\"\nallow = [\"users\"]\n[[origin.rule]]\npath = [\"/b\"]\nallow = [\"users\"]\n"), []string{"line 6: path is not text"}},
		{"a url of another type", "[[origin]]\nurl = true\n", []string{"line 1: url is not text; write it in quotes"}},
		{"one origin", "# ours\n[origin]\nurl = \"https://app.example.org\"\n", []string{"line 2: origins are written as [[origin]]"}},
		{"one rule", app + "[origin.rule]\npath = \"/\"\n", []string{"line 3: origins are written as [[origin]] and their rules as [[origin.rule]]"}},
		{"origin as text", "origin = \"https://app.example.org\"\n", []string{"line 1: origins are written as [[origin]]"}},
		{"rule as text", app + "rule = \"users\"\n", []string{"line 3: origins are written as [[origin]] and their rules as"}},
		{"rules in one line", "origin = [\"https://app.example.org\"]", []string{"line 1: origins are written as [[origin]]"}},
		{"no url", "[[origin]]\n", []string{"line 1: url is \"\", which does not begin with http:// or https://"}},
		{"a url with a path", "\n[[ origin ]] # the app\nurl = \"https://a.example.org/x\"", []string{"line 2: url is \"https://a.example.org/x\", which has a path"}},
		{"a wildcard", "[[origin]]\nurl = \"https://*.example.org\"", []string{"line 1: url is \"https://*.example.org\", which does not name a host"}},
		{"twice", app + app, []string{"line 3: https://app.example.org occurs twice"}},
		{"no allow", rule("path = \"/a\""), []string{"line 3: allow is missing"}},
		{"an unknown group", rule("path = \"/a\"\nallow = [\"everyone\"]"), []string{`line 3: allow has "everyone"`}},
		{"letters that no username has", rule("path = \"/a\"\nallow = [\"user:\u212aate\"]"), []string{"line 3: allow has \"user:\u212aate\""}},
		{"no name", rule("path = \"/a\"\nallow = [\"user:\"]"), []string{`line 3: allow has "user:"`}},
		{"no id", rule("path = \"/a\"\nallow = [\"user:id:ana\"]"), []string{`line 3: allow has "user:id:ana"`}},
		{"no path", rule("allow = [\"users\"]"), []string{`line 3: path is ""`}},
		{"a pattern", rule("path = \"/a/*\"\nallow = [\"users\"]"), []string{`line 3: path is "/a/*"`}},
		{"encoded", rule("path = \"/%61\"\nallow = [\"users\"]"), []string{`line 3: path is "/%61"`}},
		{"dots", rule("path = \"/a/../b\"\nallow = [\"users\"]"), []string{`line 3: path is "/a/../b"`}},
		{"a name of another type", app + "name = 1\n", []string{"line 1: name is not text"}},
		{"an empty name", app + "name = \" \"\n", []string{"line 1: name is not text"}},
		{"a name of two lines", app + "name = \"a\\nb\"\n", []string{"line 1: name is \"a\\nb\"; write one line"}},
		{"methods as text", rule("path = \"/\"\nmethods = \"GET\"\nallow = [\"users\"]\n"), []string{"line 3: methods is not a list of texts"}},
		{"no methods", rule("path = \"/\"\nmethods = []\nallow = [\"users\"]\n"), []string{"line 3: methods is not a list of texts"}},
		{"a method in lower case", rule("path = \"/\"\nmethods = [\"get\"]\nallow = [\"users\"]\n"), []string{"line 3: methods has \"get\"; write a method in upper case"}},
		{"preflights without OPTIONS", rule("path = \"/\"\nmethods = [\"GET\"]\nallow = [\"preflights\"]\n"), []string{"line 3: allow has \"preflights\", which are OPTIONS"}},
		{
			"methods never reached", rule("path = \"/\"\nmethods = [\"GET\", \"PUT\"]\nallow = [\"users\"]\n[[origin.rule]]\npath = \"/a\"\nmethods = [\"HEAD\"]\nallow = [\"admins\"]"),
			[]string{"line 7: the rule for /a never applies"},
		},
		{
			"never reached", rule("path = \"/\"\nallow = [\"users\"]\n[[origin.rule]]\npath = \"/admin\"\nallow = [\"admins\"]"),
			[]string{"line 6: the rule for /admin never applies, because the earlier rule for / covers it"},
		},
		{
			"twice the same", rule("path = \"/a\"\nallow = [\"users\"]\n[[origin.rule]]\npath = \"/a/\"\nallow = [\"admins\"]"),
			[]string{"line 6: the rule for /a never applies"},
		},
		{"in one line", `origin = [{url = "ftp://a.example.org", rule = [{path = "x", allow = []}]}]`, []string{"url is \"ftp://a.example.org\"", `path is "x"`}},
		{
			"several at once", "[[origin]]\nurl = \"x\"\n[[origin.rule]]\npath = \"y\"\n[[origin]]\nurl = \"z\"\n",
			[]string{"line 1: url", "line 3: path", "line 5: url"},
		},
	} {
		_, got := parseRules(test.text)
		if len(got) != len(test.want) {
			t.Errorf("%s: got %d faults, want %d: %q", test.name, len(got), len(test.want), got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: got %q, want %q in it", test.name, got[i], want)
			}
		}
	}
}

func TestForwardAuthProblems(t *testing.T) {
	const public = "LATCHKEY_PUBLIC_URL"
	good := writeFile(t, "[[origin]]\nurl = \"https://app.example.org\"\n", 0o600)
	bad := writeFile(t, "[[origin]]\nurl = \"app\"\n", 0o600)
	for _, test := range []struct {
		name string
		vars map[string]string
		want string // a piece of the problem
	}{
		{"no file", map[string]string{"LATCHKEY_FORWARD_AUTH_FILE": "/nowhere/rules.toml"}, "LATCHKEY_FORWARD_AUTH_FILE names a file that cannot be read"},
		{"a folder", map[string]string{"LATCHKEY_FORWARD_AUTH_FILE": t.TempDir()}, "LATCHKEY_FORWARD_AUTH_FILE names a file"},
		{"a bad file", map[string]string{"LATCHKEY_FORWARD_AUTH_FILE": bad}, "LATCHKEY_FORWARD_AUTH_FILE " + bad + ": line 1: url"},
		{"a domain without https", map[string]string{"LATCHKEY_COOKIE_DOMAIN": "localhost"}, "LATCHKEY_COOKIE_DOMAIN needs an https LATCHKEY_PUBLIC_URL"},
		{"a foreign domain", map[string]string{public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "example.com"}, "neither the host of LATCHKEY_PUBLIC_URL"},
		{"only the end of a name", map[string]string{public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "ample.org"}, "neither the host of LATCHKEY_PUBLIC_URL"},
		{"below the portal", map[string]string{public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "a.id.example.org"}, "neither the host of LATCHKEY_PUBLIC_URL"},
		{"a public suffix", map[string]string{public: "https://id.example.co.uk", "LATCHKEY_COOKIE_DOMAIN": "co.uk"}, "name your own domain"},
		{"a public suffix for hosts", map[string]string{public: "https://id.github.io", "LATCHKEY_COOKIE_DOMAIN": "github.io"}, "name your own domain"},
		{"a top", map[string]string{public: "https://id.lan", "LATCHKEY_COOKIE_DOMAIN": "lan"}, "name your own domain"},
		{"an address", map[string]string{public: "https://192.0.2.1", "LATCHKEY_COOKIE_DOMAIN": "192.0.2.1"}, "set it to a domain"},
		{"the portal itself", map[string]string{public: "https://app.example.org", "LATCHKEY_FORWARD_AUTH_FILE": good}, "protects https://app.example.org, which is the portal itself"},
		{"no name", map[string]string{public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "*.example.org"}, "set it to a domain"},
	} {
		_, _, err := load(t, test.vars)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	for _, test := range []struct {
		name string
		vars map[string]string
		want []string // pieces of each warning
	}{
		{"no proxy, no domain", map[string]string{public: "https://id.example.org"}, []string{"LATCHKEY_TRUSTED_PROXIES is not set", "to which browsers do not send the cookies"}},
		{"another domain", map[string]string{
			public: "https://id.sub.example.org", "LATCHKEY_COOKIE_DOMAIN": "sub.example.org", "LATCHKEY_TRUSTED_PROXIES": "10.0.0.1",
		}, []string{"to which browsers do not send the cookies"}},
		{"http beside https", map[string]string{
			public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "example.org", "LATCHKEY_TRUSTED_PROXIES": "10.0.0.1",
			"LATCHKEY_FORWARD_AUTH_FILE": writeFile(t, "[[origin]]\nurl = \"http://app.example.org\"\n", 0o600),
		}, []string{"protects http://app.example.org, to which browsers do not send the cookies of https://id.example.org"}},
		{"complete", map[string]string{
			public: "https://id.example.org", "LATCHKEY_COOKIE_DOMAIN": "example.org", "LATCHKEY_TRUSTED_PROXIES": "10.0.0.1",
		}, nil},
		{"the same host", map[string]string{public: "https://app.example.org:8443", "LATCHKEY_TRUSTED_PROXIES": "10.0.0.1"}, nil},
	} {
		if test.vars["LATCHKEY_FORWARD_AUTH_FILE"] == "" {
			test.vars["LATCHKEY_FORWARD_AUTH_FILE"] = good
		}
		_, got, err := load(t, test.vars)
		if err != nil || len(got) != len(test.want) {
			t.Errorf("%s: got %q, %v; want %q", test.name, got, err, test.want)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: got %q, want %q in it", test.name, got[i], want)
			}
		}
	}
}
