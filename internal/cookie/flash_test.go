package cookie_test

import (
	"encoding/base64"
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
	jar := jarAt(true, &now)
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
		t.Errorf("there and back (-want +got):\n%s", diff)
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
	jar := newJar(false)
	h := http.Header{}
	jar.SetFlash(h, cookie.Flash{Key: "signed-out"})
	genuine := strings.TrimPrefix(back(t, h), "flash=")
	text, signature, _ := strings.Cut(genuine, ".")
	other := base64.RawURLEncoding.EncodeToString([]byte(`{"k":"pay-here","e":9999999999}`))
	now := epoch
	foreign := http.Header{}
	cookie.New(cookie.Options{FlashKey: []byte("another key of thirty-two bytes!"), Now: func() time.Time { return now }}).
		SetFlash(foreign, cookie.Flash{Key: "signed-out"})
	for name, value := range map[string]string{
		"another text":         other + "." + signature,
		"no signature":         text,
		"empty signature":      text + ".",
		"empty text":           "." + signature,
		"empty":                "",
		"cut signature":        genuine[:len(genuine)-1],
		"more behind it":       genuine + "A",
		"another spelling":     genuine[:len(genuine)-1] + next(genuine[len(genuine)-1]),
		"swapped":              signature + "." + text,
		"another key's":        strings.TrimPrefix(back(t, foreign), "flash="),
		"twice":                genuine + "; flash=" + genuine,
		"too long":             genuine + strings.Repeat("A", 3000),
		"not base64":           "%%%." + signature,
		"three parts":          genuine + "." + signature,
		"text without a frame": "hello",
	} {
		h := http.Header{}
		if got := jar.TakeFlash(h, request("flash="+value)); got.Key != "" || got.Args != nil {
			t.Errorf("%s: %+v, want none", name, got)
		}
		if len(h.Values("Set-Cookie")) != 1 {
			t.Errorf("%s: the cookie is not cleared", name)
		}
	}
	if got := jar.TakeFlash(http.Header{}, request("flash="+genuine)); got.Key != "signed-out" {
		t.Errorf("the genuine one: %+v", got)
	}
}

// next is another letter that stands for the same bits at the end.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, c)
	return string(alphabet[i&^3|(i+1)&3])
}

// TestFlashLong: whatever a message names, its cookie can be stored and read.
func TestFlashLong(t *testing.T) {
	jar := newJar(true)
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

// TestLeaveFlash: a message that was taken and not shown stays with the
// browser, whatever else the response says.
func TestLeaveFlash(t *testing.T) {
	for _, secure := range []bool{false, true} {
		jar := newJar(secure)
		h := http.Header{}
		jar.LeaveFlash(h)
		if len(h) != 0 {
			t.Errorf("secure %v: nothing was said, and now the headers are %v", secure, h)
		}
		jar.SetFlash(h, cookie.Flash{Key: "signed-out"})
		carried := request(back(t, h))

		h = http.Header{}
		jar.TakeFlash(h, carried)
		if jar.LeaveFlash(h); len(h) != 0 {
			t.Errorf("secure %v: got headers %v, want none", secure, h)
		}
		jar.SetTheme(h, "dark")
		want := h.Values("Set-Cookie")
		jar.TakeFlash(h, carried)
		if jar.LeaveFlash(h); !cmp.Equal(h.Values("Set-Cookie"), want) {
			t.Errorf("secure %v: got %v, want the other cookie alone: %v", secure, h.Values("Set-Cookie"), want)
		}
	}
}
