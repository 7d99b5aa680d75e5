package cookie_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/cookie"
)

func newDomainJar(t *testing.T) *cookie.Jar {
	t.Helper()
	return open(t, cookie.Options{
		Secure: true, Domain: "example.org", Keys: [][]byte{sealKey}, Now: func() time.Time { return epoch },
	})
}

const (
	hostGone = "__Host-access=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	hostOver = "__Host-refresh=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
)

// TestDomainSetCookie checks the cookies that are set if a domain is configured.
func TestDomainSetCookie(t *testing.T) {
	j := newDomainJar(t)
	tests := []struct {
		name string
		set  func(h http.Header)
		want []string
	}{
		{"tokens", func(h http.Header) { j.SetTokens(h, pair) }, []string{
			hostGone, hostOver,
			"__Secure-access=a.b.c; Path=/; Domain=example.org; Max-Age=300; HttpOnly; Secure; SameSite=Lax",
			"__Secure-refresh=d.e.f; Path=/; Domain=example.org; Max-Age=604800; HttpOnly; Secure; SameSite=Lax",
		}},
		{"clear", func(h http.Header) { j.SetTokens(h, pair); j.ClearTokens(h) }, []string{
			hostGone, hostOver,
			"__Secure-access=; Path=/; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
			"__Secure-refresh=; Path=/; Domain=example.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		}},
		{"device", func(h http.Header) { j.SetDevice(h, "dev") }, []string{
			"__Host-device=dev; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax",
		}},
	}
	for _, test := range tests {
		h := http.Header{}
		test.set(h)
		if diff := cmp.Diff(test.want, h.Values("Set-Cookie")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestDomainReads checks which cookies are trusted, and that a refresh token from
// before the domain was configured is accepted.
func TestDomainReads(t *testing.T) {
	tests := []struct {
		name            string
		cookies         string
		access, refresh string
		present         bool
	}{
		{"none", "other=1", "", "", false},
		{"ours", "__Secure-access=a; __Secure-refresh=r", "a", "r", true},
		{"ours and older ones", "__Host-access=x; __Host-refresh=y; __Secure-access=a; __Secure-refresh=r", "a", "r", true},
		{"older ones", "__Host-access=x; __Host-refresh=y", "", "y", true},
		{"an older one twice", "__Host-refresh=y; __Host-refresh=z", "", "", true},
		{"an older access token", "__Host-access=x", "", "", false},
		{"without a prefix", "access=x; refresh=y", "", "", false},
		{"twice", "__Secure-access=a; __Secure-access=b; __Secure-refresh=r", "", "r", true},
	}
	j := newDomainJar(t)
	for _, test := range tests {
		access, refresh, present := j.Tokens(request(test.cookies))
		if access != test.access || refresh != test.refresh || present != test.present {
			t.Errorf("%s: got %q, %q, %v; want %q, %q, %v", test.name, access, refresh, present, test.access, test.refresh, test.present)
		}
	}
	access, refresh := j.EveryToken(request("__Host-access=x; __Host-refresh=y; __Secure-access=a; __Secure-access=b; __Secure-refresh=r"))
	if diff := cmp.Diff([][]string{{"a", "b", "x"}, {"r", "y"}}, [][]string{access, refresh}); diff != "" {
		t.Errorf("EveryToken (-want +got):\n%s", diff)
	}
	// Cookies of a domain that is no longer configured are not trusted. Signing out
	// ends their sessions too.
	access, refresh = newJar(t, true).EveryToken(request("__Host-access=x; __Secure-access=a; __Secure-refresh=r"))
	if diff := cmp.Diff([][]string{{"x", "a"}, {"r"}}, [][]string{access, refresh}); diff != "" {
		t.Errorf("EveryToken without a domain (-want +got):\n%s", diff)
	}
	if _, _, present := newJar(t, true).Tokens(request("__Secure-access=a; __Secure-refresh=r")); present {
		t.Error("cookies for a domain are read although none is configured")
	}
}

// TestBounce checks how a browser's redirects are counted.
func TestBounce(t *testing.T) {
	now := epoch
	j := jarAt(t, true, &now)
	h := http.Header{}
	count := func(cookies, target string) int {
		h = http.Header{}
		return j.Bounce(h, request(cookies), target)
	}
	for want := 1; want <= 3; want++ {
		if got := count(back(t, h), "https://app.example.org/"); got != want {
			t.Errorf("round %d: got %d", want, got)
		}
		now = now.Add(time.Second)
	}
	third := back(t, h)
	if got := count(third, "https://app.example.org/other"); got != 1 {
		t.Errorf("another target: got %d, want 1", got)
	}
	for _, value := range []string{"x", "-5.0.x", "9999999999999999999.1.x", "..", third + "x"} {
		if got := count("__Host-bounce="+value, "https://app.example.org/"); got != 1 {
			t.Errorf("%q: got %d, want 1", value, got)
		}
	}
	now = now.Add(8 * time.Second)
	if got := count(third, "https://app.example.org/"); got != 1 {
		t.Errorf("more than ten seconds after the first: got %d, want 1", got)
	}
}

// TestWithoutTokens checks that the other cookies stay well formed (RFC 6265
// §4.2.1) and that no token is among them.
func TestWithoutTokens(t *testing.T) {
	j := newDomainJar(t)
	for _, test := range []struct {
		sent []string
		want string
	}{
		{nil, ""},
		{[]string{"a=1; b=2"}, "a=1; b=2"},
		{[]string{"__Secure-access=x"}, ""},
		{[]string{"__Secure-access=x; a=1; __Secure-refresh=y;b=2;"}, "a=1;b=2;"},
		{[]string{"a=1; __Secure-access=x; __Secure-access=y"}, "a=1"},
		{[]string{"a=1; not__Secure-access=x; __Secure-accessory=x; __Secure-refresh=y"}, "a=1; not__Secure-access=x; __Secure-accessory=x"},
		{[]string{"a=__Secure-access=x; __Secure-access = x"}, "a=__Secure-access=x"},
		{[]string{"a=1", "__Secure-access=x; b=2"}, "a=1; b=2"},
		{[]string{"a=1; b=2,3; c=4, __Secure-access=x; d=5"}, "a=1; b=2,3; d=5"},
	} {
		r := &http.Request{Header: http.Header{"Cookie": test.sent}}
		if got := j.WithoutTokens(r); got != test.want {
			t.Errorf("%q: got %q, want %q", test.sent, got, test.want)
		}
	}
}
