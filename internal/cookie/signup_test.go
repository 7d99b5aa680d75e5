package cookie_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/internal/cookie"
)

// TestSignup checks that a sign-up survives for a day in its own browser, with the
// longest values, and that its length does not tell more than what was typed.
func TestSignup(t *testing.T) {
	now := epoch
	jar := jarAt(t, true, &now)
	long := cookie.Signup{ID: strings.Repeat("a", 26), Email: strings.Repeat("é", 127), Next: "/continue?rd=" + strings.Repeat("%", 1011)}
	var lengths []int
	for _, id := range []string{strings.Repeat("b", 26), strings.Repeat("c", 26)} {
		want := long
		want.ID = id
		h := http.Header{}
		jar.SetSignup(h, want)
		line := h.Get("Set-Cookie")
		if !strings.HasPrefix(line, "__Host-signup=") || !strings.Contains(line, "; Max-Age=86400; HttpOnly; Secure; SameSite=Lax") {
			t.Errorf("got %q", line)
		}
		lengths = append(lengths, len(line))
		if got := jar.Signup(request(back(t, h))); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		now = epoch.Add(24 * time.Hour)
		if got := jar.Signup(request(back(t, h))); got != want {
			t.Errorf("after a day: got %+v", got)
		}
		now = epoch.Add(24*time.Hour + time.Second)
		if got := jar.Signup(request(back(t, h))); got != (cookie.Signup{}) {
			t.Errorf("after more: got %+v", got)
		}
		now = epoch
	}
	if lengths[0] != lengths[1] {
		t.Errorf("got lengths %v", lengths)
	}
	// A sealed value of another purpose is no sign-up.
	h := http.Header{}
	jar.SetFlash(h, cookie.Flash{Key: "x"})
	if got := jar.Signup(request(strings.Replace(back(t, h), "flash", "signup", 1))); got != (cookie.Signup{}) {
		t.Errorf("a message counts as a sign-up: %+v", got)
	}
	h = http.Header{}
	jar.ClearSignup(h, request())
	if len(h) != 0 {
		t.Errorf("clears a cookie that the browser does not have: %v", h)
	}
	jar.ClearSignup(h, request("__Host-signup=x"))
	if got := h.Get("Set-Cookie"); !strings.Contains(got, "Max-Age=0") {
		t.Errorf("got %q", got)
	}
}
