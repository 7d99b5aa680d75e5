package cookie_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/cookie"
)

func TestFlash(t *testing.T) {
	now := epoch
	jar := jarAt(t, true, &now)
	want := cookie.Flash{Key: "session-ended", Args: []string{`Ünï <b>"`, "2"}}
	h := http.Header{}
	jar.SetFlash(h, want)
	if line := h.Get("Set-Cookie"); !strings.HasPrefix(line, "__Host-flash=") || !strings.HasSuffix(line, "; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("Set-Cookie: %s", line)
	}
	carried := back(t, h)
	now = now.Add(time.Minute)
	h = http.Header{}
	if diff := cmp.Diff(want, jar.TakeFlash(h, request(carried))); diff != "" {
		t.Errorf("set and taken (-want +got):\n%s", diff)
	}
	if got, want := h.Values("Set-Cookie"), []string{
		"__Host-flash=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
	}; !cmp.Equal(got, want) {
		t.Errorf("it is not cleared: %v", got)
	}
	now = now.Add(time.Second)
	if got := jar.TakeFlash(http.Header{}, request(carried)); got.Key != "" {
		t.Errorf("a minute later: %+v, want none", got)
	}
	h = http.Header{}
	if got := jar.TakeFlash(h, request()); got.Key != "" || len(h) != 0 {
		t.Errorf("without a cookie: %+v, headers %v; want none", got, h)
	}
}

func TestFlashTampered(t *testing.T) {
	jar := newJar(t, false)
	h := http.Header{}
	jar.SetFlash(h, cookie.Flash{Key: "signed-out"})
	genuine := strings.TrimPrefix(back(t, h), "flash=")
	if !strings.HasPrefix(genuine, "v1:") {
		t.Errorf("got %s, want the version in front", genuine)
	}
	jar.SetOnce(h, cookie.Place{}, cookie.Flash{Key: "signed-out"})
	_, secret, _ := strings.Cut(back(t, h), "once=")
	foreign := http.Header{}
	open(t, cookie.Options{Keys: [][]byte{[]byte("another key of thirty-two bytes!")}, Now: func() time.Time { return epoch }}).
		SetFlash(foreign, cookie.Flash{Key: "signed-out"})
	for name, value := range forged(genuine) {
		checkRefused(t, jar, name, value)
	}
	checkRefused(t, jar, "another key's", strings.TrimPrefix(back(t, foreign), "flash="))
	checkRefused(t, jar, "a shown-once cookie", secret)
	checkRefused(t, jar, "twice", genuine+"; flash="+genuine)
	checkRefused(t, jar, "too long", genuine+strings.Repeat("A", 3000))
	checkRefused(t, jar, "in the signed form of earlier releases", "eyJrIjoic2lnbmVkLW91dCIsImUiOjk5OTk5OTk5OTl9.AAAA")
	if got := jar.TakeFlash(http.Header{}, request("flash="+genuine)); got.Key != "signed-out" {
		t.Errorf("the genuine one: %+v", got)
	}
}

func checkRefused(t *testing.T, jar *cookie.Jar, name, value string) {
	t.Helper()
	h := http.Header{}
	if got := jar.TakeFlash(h, request("flash="+value)); got.Key != "" || got.Args != nil {
		t.Errorf("%s: %+v, want none", name, got)
	}
	if len(h.Values("Set-Cookie")) != 1 {
		t.Errorf("%s: the cookie is not cleared", name)
	}
}

// forged returns values that look like a sealed value but were not sealed.
func forged(genuine string) map[string]string {
	last := genuine[len(genuine)-1]
	list := map[string]string{
		"empty": "", "no text": "v1:", "short": "v1:AAAA", "no version": genuine[3:], "another version": "v2:" + genuine[3:],
		"cut": genuine[:len(genuine)-1], "more behind it": genuine + "A", "another spelling": genuine[:len(genuine)-1] + next(last, 1),
		"not base64": "v1:%%%", "text": "hello",
	}
	for i := len("v1:"); i < len(genuine)-1; i++ {
		list[fmt.Sprintf("changed at %d", i)] = genuine[:i] + next(genuine[i], 4) + genuine[i+1:]
	}
	return list
}

// next returns another base64 letter. By 1, the letter stands for the same bits
// at the end of a value; by 4, it stands for others.
func next(c byte, by int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, c)
	if by == 1 {
		return string(alphabet[i&^3|(i+1)&3])
	}
	return string(alphabet[(i+by)%len(alphabet)])
}

// TestFlashLong checks that messages with long arguments can be stored and read.
func TestFlashLong(t *testing.T) {
	jar := newJar(t, true)
	for name, arg := range map[string]string{
		"long": strings.Repeat("x", 5000), "long, of two bytes": strings.Repeat("é", 5000), "escaped": strings.Repeat("<", 5000),
	} {
		h := http.Header{}
		args := []string{arg, arg}
		jar.SetFlash(h, cookie.Flash{Key: "k", Args: args})
		if args[0] != arg {
			t.Errorf("%s: the caller's arguments changed", name)
		}
		got := jar.TakeFlash(http.Header{}, request(back(t, h)))
		if got.Key != "k" || len(got.Args) != 2 {
			t.Errorf("%s: the message is lost: %+v", name, got)
			continue
		}
		for _, arg := range got.Args {
			if len(arg) == 0 || len(arg) > 300 || !utf8.ValidString(arg) {
				t.Errorf("%s: the argument has %d bytes", name, len(arg))
			}
		}
	}
}

// TestLeaveFlash checks that the browser keeps a message and a secret that were
// taken but not shown, and that other cookies of the response stay.
func TestLeaveFlash(t *testing.T) {
	for _, secure := range []bool{false, true} {
		jar := newJar(t, secure)
		h := http.Header{}
		jar.LeaveFlash(h)
		if len(h) != 0 {
			t.Errorf("secure %v: got headers %v, want none", secure, h)
		}
		jar.SetFlash(h, cookie.Flash{Key: "signed-out"})
		jar.SetOnce(h, here, cookie.Flash{Key: "link"})
		carried := request(back(t, h))

		h = http.Header{}
		jar.TakeFlash(h, carried)
		jar.TakeOnce(h, carried, here)
		if jar.LeaveFlash(h); len(h) != 0 {
			t.Errorf("secure %v: got headers %v, want none", secure, h)
		}
		jar.SetTheme(h, "dark")
		want := h.Values("Set-Cookie")
		jar.TakeFlash(h, carried)
		jar.TakeOnce(h, carried, here)
		if jar.LeaveFlash(h); !cmp.Equal(h.Values("Set-Cookie"), want) {
			t.Errorf("secure %v: got %v, want only the other cookie: %v", secure, h.Values("Set-Cookie"), want)
		}
	}
}
