package cookie_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/cookie"
)

var pair = cookie.TokenCookies{
	Access: "a.b.c", AccessExpires: epoch.Add(5 * time.Minute),
	Refresh: "d.e.f", RefreshExpires: epoch.Add(7 * 24 * time.Hour), Remember: true,
}

// changed returns a changed copy of pair.
func changed(change func(*cookie.TokenCookies)) cookie.TokenCookies {
	tokens := pair
	change(&tokens)
	return tokens
}

var written = []struct {
	name string
	set  func(j *cookie.Jar, h http.Header)
	want []string // N stands for the prefix of names, S for Secure
}{
	{"tokens", func(j *cookie.Jar, h http.Header) { j.SetTokens(h, pair) }, []string{
		"Naccess=a.b.c; Path=/; Max-Age=300; HttpOnly; S; SameSite=Lax",
		"Nrefresh=d.e.f; Path=/; Max-Age=604800; HttpOnly; S; SameSite=Lax",
	}},
	{"tokens of a browser session", func(j *cookie.Jar, h http.Header) {
		j.SetTokens(h, changed(func(c *cookie.TokenCookies) { c.Remember = false }))
	}, []string{
		"Naccess=a.b.c; Path=/; Max-Age=300; HttpOnly; S; SameSite=Lax",
		"Nrefresh=d.e.f; Path=/; HttpOnly; S; SameSite=Lax",
	}},
	{"expired tokens", func(j *cookie.Jar, h http.Header) {
		j.SetTokens(h, changed(func(c *cookie.TokenCookies) { c.AccessExpires, c.RefreshExpires = epoch, epoch.Add(-time.Hour) }))
	}, []string{
		"Naccess=a.b.c; Path=/; Max-Age=1; HttpOnly; S; SameSite=Lax",
		"Nrefresh=d.e.f; Path=/; Max-Age=1; HttpOnly; S; SameSite=Lax",
	}},
	{"part of a second", func(j *cookie.Jar, h http.Header) {
		j.SetTokens(h, changed(func(c *cookie.TokenCookies) { c.AccessExpires = epoch.Add(90*time.Second + time.Millisecond) }))
	}, []string{
		"Naccess=a.b.c; Path=/; Max-Age=91; HttpOnly; S; SameSite=Lax",
		"Nrefresh=d.e.f; Path=/; Max-Age=604800; HttpOnly; S; SameSite=Lax",
	}},
	{"clear", func(j *cookie.Jar, h http.Header) { j.ClearTokens(h) }, []string{
		"Naccess=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
		"Nrefresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
	}},
	{"set, then clear", func(j *cookie.Jar, h http.Header) { j.SetTokens(h, pair); j.ClearTokens(h) }, []string{
		"Naccess=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
		"Nrefresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
	}},
	{"clear, then set", func(j *cookie.Jar, h http.Header) {
		j.SetDevice(h, "dev")
		j.ClearTokens(h)
		j.SetTokens(h, pair)
	}, []string{
		"Ndevice=dev; Path=/; Max-Age=34560000; HttpOnly; S; SameSite=Lax",
		"Naccess=a.b.c; Path=/; Max-Age=300; HttpOnly; S; SameSite=Lax",
		"Nrefresh=d.e.f; Path=/; Max-Age=604800; HttpOnly; S; SameSite=Lax",
	}},
	{"theme", func(j *cookie.Jar, h http.Header) { j.SetTheme(h, "system"); j.SetTheme(h, "dark") }, []string{
		"Ntheme=dark; Path=/; Max-Age=34560000; HttpOnly; S; SameSite=Lax",
	}},
	{"theme of the system", func(j *cookie.Jar, h http.Header) { j.SetTheme(h, "light"); j.SetTheme(h, "system") }, []string{
		"Ntheme=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
	}},
	{"unknown theme", func(j *cookie.Jar, h http.Header) { j.SetTheme(h, `"><script>`) }, []string{
		"Ntheme=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; S; SameSite=Lax",
	}},
}

// TestSetCookie compares the exact text of every cookie.
func TestSetCookie(t *testing.T) {
	for _, test := range written {
		for _, secure := range []bool{true, false} {
			prefix, attribute := "__Host-", "; Secure"
			if !secure {
				prefix, attribute = "", ""
			}
			var want []string
			for _, line := range test.want {
				want = append(want, prefix+strings.Replace(line[1:], "; S;", attribute+";", 1))
			}
			h := http.Header{}
			test.set(newJar(t, secure), h)
			if diff := cmp.Diff(want, h.Values("Set-Cookie")); diff != "" {
				t.Errorf("%s, secure %v (-want +got):\n%s", test.name, secure, diff)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	long := strings.Repeat("x", 2049)
	tests := []struct {
		name            string
		headers         []string
		access, refresh string
		present         bool
	}{
		{"none", nil, "", "", false},
		{"others", []string{"theme=dark; access2=x; __Host-access=y"}, "", "", false},
		{"both", []string{"access=a; refresh=r"}, "a", "r", true},
		{"in two headers", []string{"access=a", "refresh=r"}, "a", "r", true},
		{"only access", []string{"access=a"}, "a", "", true},
		{"only refresh", []string{"refresh=r"}, "", "r", true},
		{"access twice", []string{"access=a; refresh=r; access=b"}, "", "r", true},
		{"access twice, the same", []string{"access=a; access=a"}, "", "", true},
		{"twice in two headers", []string{"refresh=a", "refresh=b"}, "", "", true},
		{"too long", []string{"access=" + long + "; refresh=r"}, "", "r", true},
		{"empty", []string{"access=; refresh="}, "", "", true},
		{"another case", []string{"Access=a; REFRESH=r"}, "", "", false},
	}
	for _, test := range tests {
		access, refresh, present := newJar(t, false).Tokens(request(test.headers...))
		if access != test.access || refresh != test.refresh || present != test.present {
			t.Errorf("%s: %q, %q, %v; want %q, %q, %v", test.name, access, refresh, present, test.access, test.refresh, test.present)
		}
		if got := newJar(t, false).Access(request(test.headers...)); got != test.access {
			t.Errorf("%s: access %q, want %q", test.name, got, test.access)
		}
		var prefixed []string
		for _, header := range test.headers {
			prefixed = append(prefixed, strings.NewReplacer("access=", "__Host-access=", "refresh=", "__Host-refresh=", "__Host-access=y", "access=y").Replace(header))
		}
		access, refresh, present = newJar(t, true).Tokens(request(prefixed...))
		if access != test.access || refresh != test.refresh || present != test.present {
			t.Errorf("%s, https: %q, %q, %v; want %q, %q, %v", test.name, access, refresh, present, test.access, test.refresh, test.present)
		}
	}
	// On https, cookies without prefix are not trusted: any subdomain can set them.
	if access, refresh, present := newJar(t, true).Tokens(request("access=a; refresh=r")); access+refresh != "" || present {
		t.Errorf("plain names on https: %q, %q, %v", access, refresh, present)
	}
}

func TestEveryToken(t *testing.T) {
	access, refresh := newJar(t, false).EveryToken(request("access=a; refresh=r", "access=b; theme=dark; refresh=s"))
	if diff := cmp.Diff([][]string{{"a", "b"}, {"r", "s"}}, [][]string{access, refresh}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDevice(t *testing.T) {
	jar := newJar(t, true)
	for header, want := range map[string]string{
		"__Host-device=d": "d", "device=d": "", "": "", "__Host-device=d; __Host-device=e": "", "__Host-device=" + strings.Repeat("d", 2049): "",
	} {
		if got := jar.Device(request(header)); got != want {
			t.Errorf("%.40q: %q, want %q", header, got, want)
		}
	}
	h := http.Header{}
	jar.SetDevice(h, "abc")
	if got := jar.Device(request(back(t, h))); got != "abc" {
		t.Errorf("set and read again: %q", got)
	}
}

func TestTheme(t *testing.T) {
	jar := newJar(t, false)
	for header, want := range map[string]string{
		"theme=dark": "dark", "theme=light": "light", "theme=system": "", "theme=DARK": "", "theme=x": "", "": "", "theme=dark; theme=light": "",
	} {
		if got := jar.Theme(request(header)); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
