package cookie_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/cookie"
	"latchkey/models"
)

// TestDraft checks that a form comes back at its place within 15 minutes, that any other
// place leaves it alone, and that a forged or planted one counts as none.
func TestDraft(t *testing.T) {
	now := epoch
	jar := jarAt(t, true, &now)
	fields := url.Values{"reason": {"left & <gone>"}, "id": {"a", "b"}}
	h := http.Header{}
	jar.SetDraft(h, here, fields)
	if line := h.Get("Set-Cookie"); !strings.HasPrefix(line, "__Host-draft=v1:") || !strings.HasSuffix(line, "; Path=/; Max-Age=900; HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("Set-Cookie: %s", line)
	}
	sent := back(t, h)
	_, genuine, _ := strings.Cut(sent, "=")
	none := func(name string, r *http.Request, at cookie.Place) {
		t.Helper()
		h := http.Header{}
		if got, ok := jar.TakeDraft(h, r, at); ok || got.Fields != nil || len(h) != 0 {
			t.Errorf("%s: got %+v %t, headers %v; want none", name, got, ok, h)
		}
	}
	none("another page", request(sent), cookie.Place{SessionID: here.SessionID, Path: "/elsewhere"})
	none("another session", request(sent), cookie.Place{SessionID: "another", Path: here.Path})
	none("no cookie", request(), here)
	none("twice", request(sent+"; "+sent), here)
	once := http.Header{}
	jar.SetOnce(once, here, cookie.Flash{Key: "token"})
	none("a secret that is shown once", request(strings.Replace(back(t, once), "once", "draft", 1)), here)
	for name, value := range forged(genuine) {
		none(name, request("__Host-draft="+value), here)
	}
	head := request(sent)
	head.Method = http.MethodHead
	h = http.Header{}
	if _, ok := jar.TakeDraft(h, head, here); !ok || len(h) != 0 {
		t.Errorf("HEAD: got %t, headers %v", ok, h)
	}
	now = now.Add(15 * time.Minute)
	h = http.Header{}
	got, ok := jar.TakeDraft(h, request(sent), here)
	if diff := cmp.Diff(cookie.Draft{Fields: fields}, got); !ok || diff != "" {
		t.Errorf("got %t (-want +got):\n%s", ok, diff)
	}
	if len(h.Values("Set-Cookie")) != 1 || !strings.Contains(h.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("it is not cleared: %v", h)
	}
	jar.LeaveFlash(h)
	if len(h) != 0 {
		t.Errorf("an error page clears it: %v", h)
	}
	now = now.Add(time.Second)
	none("a second later", request(sent), here)
}

// TestDraftLength checks that a hundred ids with a long reason fit, and that a form that
// does not is replaced by a note that it was lost.
func TestDraftLength(t *testing.T) {
	jar := newJar(t, false)
	fields := url.Values{"reason": {strings.Repeat("left the team, ", 20)}, "act": {"disable"}, "list": {"/admin/users?status=active"}}
	for range 100 {
		fields.Add("id", models.NewID())
	}
	for _, test := range []struct {
		name     string
		fields   url.Values
		wantLost bool
	}{
		{"a hundred ids", fields, false},
		{"too long", url.Values{"reason": {noise(5000)}}, true},
		{"nothing", url.Values{}, false},
	} {
		h := http.Header{}
		jar.SetDraft(h, here, test.fields)
		sent := back(t, h)
		if len(sent) > 2800+len("draft=") {
			t.Errorf("%s: the cookie has %d bytes", test.name, len(sent))
		}
		got, ok := jar.TakeDraft(http.Header{}, request(sent), here)
		want := test.fields
		if test.wantLost {
			want = url.Values{}
		}
		if diff := cmp.Diff(cookie.Draft{Fields: want, Lost: test.wantLost}, got); !ok || diff != "" {
			t.Errorf("%s: got %t (-want +got):\n%s", test.name, ok, diff)
		}
	}
}

// noise returns a text that cannot be compressed to much less than 5/8 of n bytes.
func noise(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(models.NewID())
	}
	return b.String()
}
