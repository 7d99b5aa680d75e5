package site

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

// TestSafeNext checks which values of next are accepted: none that could lead to
// another site.
func TestSafeNext(t *testing.T) {
	for _, test := range []struct{ next, want string }{
		{"/", "/"},
		{"/profile", "/profile"},
		{"/profile/", "/profile"},
		{"/admin/users?q=a%20b&after=x#frag", "/admin/users?q=a%20b&after=x"},
		{"/a/../profile", "/profile"},
		{"/profile?next=//evil.example", "/profile?next=//evil.example"},
		{"/caf%C3%A9", "/caf%C3%A9"},
		{"/café", "/caf%C3%A9"},
		{"/admin/users?q=ü&sort=-id", "/admin/users?q=%C3%BC&sort=-id"},
		{"/admin/users?q=%C3%BC+x", "/admin/users?q=%C3%BC+x"},
		{"/admin/users?q=\xff", "/admin/users?q=%FF"},
		{"/loginx", "/loginx"},
		{"/tokens", "/tokens"},
		{"", ""},
		{"profile", ""},
		{"//evil.example", ""},
		{"///evil.example", ""},
		{"////evil.example", ""},
		{`/\evil.example`, ""},
		{`\\evil.example`, ""},
		{`/\/evil.example`, ""},
		{"/%5cevil.example", ""},
		{"/%2fevil.example", ""},
		{"/%2F%2Fevil.example", ""},
		{"/./%2fevil.example", "/evil.example"},
		{"https://evil.example", ""},
		{"https:evil.example", ""},
		{"https:///evil.example", ""},
		{"javascript:alert(1)", ""},
		{"data:text/html,x", ""},
		{"http://localhost:8080/profile", ""},
		{"/\t/evil.example", ""},
		{"/%09/evil.example", ""},
		{"/\n/evil.example", ""},
		{"/%0a/evil.example", ""},
		{"/%0d%0aSet-Cookie:x=y", ""},
		{"/ /evil.example", ""},
		{" /profile", ""},
		{"/\x00", ""},
		{"/\x7f", ""},
		{"/profile\r\nLocation: https://evil.example", ""},
		{"/..//evil.example", "/evil.example"},
		{"/.//evil.example", "/evil.example"},
		{"/login", ""},
		{"/login/", ""},
		{"/login?next=/x", ""},
		{"/a/../login", ""},
		{"/%6cogin", ""},
		{"/logout", ""},
		{"/token", ""},
		{"/api/users", ""},
		{"/@evil.example", "/@evil.example"},
		{"/%zz", ""},
		{`/profile?x=\evil`, ""},
		{"/" + strings.Repeat("a", 511), "/" + strings.Repeat("a", 511)},
		{"/" + strings.Repeat("a", 512), ""},
	} {
		if got := SafeNext(test.next); got != test.want {
			t.Errorf("SafeNext(%q): got %q, want %q", test.next, got, test.want)
		}
	}
}

// FuzzSafeNext looks for a next that leads to another site. Every accepted value
// must stay on this origin when a browser reads it as a Location (WHATWG URL).
func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{
		"/", "/profile?x=1", "//evil", `/\evil`, "/%2f%2fevil", "/%09/evil", "https://evil", "/a/..//evil", "/login/..", "/%5c/evil", "/;@evil", "/?//", "/é",
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://id.example.org/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := SafeNext(next)
		if got == "" {
			return
		}
		if got[0] != '/' || strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) || strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("SafeNext(%q) is %q", next, got)
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil {
			t.Fatalf("SafeNext(%q) is %q, which leads to %v (%v)", next, got, u, err)
		}
		if clean := path.Clean(u.Path); clean == "/login" || clean == "/logout" || strings.HasPrefix(clean, "/api/") {
			t.Fatalf("SafeNext(%q) is %q, a page that makes no sense after signing in", next, got)
		}
		if again := SafeNext(got); len(got) <= maxNext && again != got {
			t.Fatalf("SafeNext(%q) is %q, but SafeNext of that is %q", next, got, again)
		}
	})
}
