package handlers_test

import (
	"net/http"
	"net/netip"
	"testing"

	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func behindProxy(s *portaltest.Options) {
	s.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
}

// TestClientAddress checks that X-Forwarded-For is accepted only from trusted
// proxies, and read from the right.
func TestClientAddress(t *testing.T) {
	for _, test := range []struct {
		name      string
		peer      string
		forwarded []string
		want      string // "": not known
	}{
		{"no proxy", "203.0.113.7:1", nil, "203.0.113.7"},
		{"a stranger's claim", "203.0.113.7:1", []string{"198.51.100.1"}, "203.0.113.7"},
		{"loopback is no proxy", "127.0.0.1:1", []string{"198.51.100.1"}, "127.0.0.1"},
		{"a private address is no proxy", "192.168.0.1:1", []string{"198.51.100.1"}, "192.168.0.1"},
		{"through the proxy", "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"through two proxies", "10.0.0.1:1", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"with a claim of the client's", "10.0.0.1:1", []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		{"in two lines", "10.0.0.1:1", []string{"192.0.2.66", "198.51.100.1"}, "198.51.100.1"},
		{"IPv6", "[2001:db8:1::1]:1", []string{"2001:db8:2::5"}, "2001:db8:2::5"},
		{"a proxy that hides its client", "10.0.0.1:1", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testdb.SQLite(t), behindProxy)
			user := s.Person("ana", models.RoleUser)
			b := s.browser()
			b.address = test.peer
			r := b.request(http.MethodPost, "/login", "username=ana&password=violet+harbour+42+lanterns")
			r.Header["X-Forwarded-For"] = test.forwarded
			b.do(r).redirects("/profile")
			if got := s.LiveSessions(user.ID)[0].IP; got != test.want {
				t.Errorf("got address %q, want %q", got, test.want)
			}
			if test.want == "" {
				b.get("/profile/sessions").says("Address not known")
			}
		})
	}
}

// TestRequestName checks that a trusted proxy may choose the id of a request, and
// any other client may not.
func TestRequestName(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), behindProxy)
	for _, test := range []struct {
		peer, given string
		kept        bool
	}{
		{"10.0.0.1:1", "req-123", true},
		{"10.0.0.1:1", "<script>", false},
		{"10.0.0.1:1", "a\r\nX-Evil: 1", false},
		{"203.0.113.7:1", "req-123", false},
	} {
		b := s.browser()
		b.address = test.peer
		r := b.request(http.MethodGet, "/nowhere", "")
		r.Header.Set("X-Request-Id", test.given)
		got := b.do(r).status(404).header.Get("X-Request-Id")
		if (got == test.given) != test.kept || got == "" {
			t.Errorf("%s names it %q: got %q", test.peer, test.given, got)
		}
	}
}
