package cookie_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/cookie"
)

// here is the page that shows the secret of the tests.
var here = cookie.Place{SessionID: "session", Path: "/there"}

// TestOnce checks that a secret reaches its page within a minute, is shown once and
// is encrypted with a new nonce each time.
func TestOnce(t *testing.T) {
	now := epoch
	jar := jarAt(t, true, &now)
	want := cookie.Flash{Key: "token", Args: []string{"lk_" + strings.Repeat("a", 400)}}
	h := http.Header{}
	jar.SetOnce(h, here, want)
	line := h.Get("Set-Cookie")
	if !strings.HasPrefix(line, "__Host-once=v1:") || !strings.HasSuffix(line, "; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("Set-Cookie: %s", line)
	}
	again := http.Header{}
	jar.SetOnce(again, here, want)
	if again.Get("Set-Cookie") == line {
		t.Error("the same secret has the same sealed value twice")
	}
	carried := back(t, h)
	if len(carried) >= 4096 {
		t.Errorf("the cookie has %d bytes", len(carried))
	}
	now = now.Add(time.Minute)
	h = http.Header{}
	if diff := cmp.Diff(want, jar.TakeOnce(h, request(carried), here)); diff != "" {
		t.Errorf("set and taken (-want +got):\n%s", diff)
	}
	if got, want := h.Values("Set-Cookie"), []string{
		"__Host-once=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
	}; !cmp.Equal(got, want) {
		t.Errorf("it is not cleared: %v", got)
	}
	now = now.Add(time.Second)
	if got := jar.TakeOnce(http.Header{}, request(carried), here); got.Key != "" || got.Args != nil {
		t.Errorf("a minute later: %+v, want none", got)
	}
	h = http.Header{}
	if got := jar.TakeOnce(h, request(), here); got.Key != "" || len(h) != 0 {
		t.Errorf("without a cookie: %+v, headers %v; want none", got, h)
	}
}

// TestOnceElsewhere checks that a secret for another page or session, or a forged
// one, is ignored and cleared.
func TestOnceElsewhere(t *testing.T) {
	jar := newJar(t, false)
	h := http.Header{}
	jar.SetOnce(h, here, cookie.Flash{Key: "token"})
	genuine := strings.TrimPrefix(back(t, h), "once=")
	check := func(name, value string, at cookie.Place) {
		t.Helper()
		h := http.Header{}
		if got := jar.TakeOnce(h, request("once="+value), at); got.Key != "" || got.Args != nil {
			t.Errorf("%s: %+v, want none", name, got)
		}
		if len(h.Values("Set-Cookie")) != 1 {
			t.Errorf("%s: the cookie is not cleared", name)
		}
	}
	check("another session", genuine, cookie.Place{SessionID: "another", Path: here.Path})
	check("another page", genuine, cookie.Place{SessionID: here.SessionID, Path: "/elsewhere"})
	check("no session", genuine, cookie.Place{Path: here.Path})
	check("moved", genuine, cookie.Place{SessionID: "session/", Path: "there"})
	jar.SetFlash(h, cookie.Flash{Key: "token"})
	_, message, _ := strings.Cut(back(t, h), "flash=")
	check("a message", message, here)
	check("twice", genuine+"; once="+genuine, here)
	for name, value := range forged(genuine) {
		check(name, value, here)
	}
	if got := jar.TakeOnce(http.Header{}, request("once="+genuine), here); got.Key != "token" {
		t.Errorf("the genuine one: %+v", got)
	}
}

// TestHeadKeepsFlash checks that a HEAD request, which shows nothing, clears neither
// the message nor the secret.
func TestHeadKeepsFlash(t *testing.T) {
	jar := newJar(t, false)
	h := http.Header{}
	jar.SetFlash(h, cookie.Flash{Key: "welcome"})
	jar.SetOnce(h, here, cookie.Flash{Key: "token"})
	r := request(back(t, h))
	r.Method = http.MethodHead
	h = http.Header{}
	if message, secret := jar.TakeFlash(h, r), jar.TakeOnce(h, r, here); message.Key != "welcome" || secret.Key != "token" {
		t.Errorf("got %+v and %+v", message, secret)
	}
	if len(h) != 0 {
		t.Errorf("got headers %v, want none", h)
	}
}

// TestKeys checks that the first key seals, that the others only open, and that New
// refuses missing and short keys.
func TestKeys(t *testing.T) {
	older := []byte("another key of thirty-two bytes!")
	with := func(keys ...[]byte) *cookie.Jar {
		return open(t, cookie.Options{Keys: keys, Now: func() time.Time { return epoch }})
	}
	for _, test := range []struct {
		name       string
		from, to   *cookie.Jar
		wantOpened bool
	}{
		{"before the secret changed", with(older), with(sealKey, older), true},
		{"after it changed", with(sealKey, older), with(sealKey), true},
		{"older key removed", with(older), with(sealKey), false},
		{"sealed with the newer key", with(sealKey, older), with(older), false},
	} {
		h := http.Header{}
		test.from.SetOnce(h, here, cookie.Flash{Key: "token"})
		if got := test.to.TakeOnce(http.Header{}, request(back(t, h)), here).Key == "token"; got != test.wantOpened {
			t.Errorf("%s: opened %v, want %v", test.name, got, test.wantOpened)
		}
	}
	for _, keys := range [][][]byte{nil, {}, {nil}, {sealKey[:31]}, {sealKey, sealKey[:16]}} {
		if _, err := cookie.New(cookie.Options{Keys: keys}); err == nil {
			t.Errorf("keys %q: got no error", keys)
		}
	}
}
