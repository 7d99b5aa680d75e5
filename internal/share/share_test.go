package share_test

import (
	"net/netip"
	"testing"

	"latchkey/internal/share"
)

func TestPlaces(t *testing.T) {
	a, b := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	p := share.New(8)
	for i, test := range []struct {
		network netip.Prefix
		want    bool
	}{
		{a, true},
		{a, true},
		{a, false},
		{b, true},
		{netip.Prefix{}, true},
		{netip.Prefix{}, true},
		{netip.Prefix{}, true},
		{netip.Prefix{}, true},
		{netip.Prefix{}, true},
		{netip.Prefix{}, false},
		{b, false},
	} {
		if got := p.Take(test.network); got != test.want {
			t.Errorf("%d: got a place for %v: %t, want %t", i, test.network, got, test.want)
		}
	}
	p.Free(a)
	if !p.Take(a) || p.Taken() != 8 {
		t.Errorf("a place that was given back is not free: %d taken", p.Taken())
	}
	if few := share.New(2); !few.Take(a) || few.Take(a) {
		t.Error("of less than four places, a network does not get exactly one")
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7":         "192.0.2.7/32",
		"::ffff:192.0.2.7":  "192.0.2.7/32",
		"2001:db8:1:2ff::1": "2001:db8:1:200::/56",
		"2001:db8:1:300::1": "2001:db8:1:300::/56",
		"fe80::1%eth0":      "fe80::/56",
		"127.0.0.1":         "invalid Prefix",
		"::1":               "invalid Prefix",
		"::ffff:127.0.0.1":  "invalid Prefix",
	} {
		if got := share.Network(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s: got %v, want %s", addr, got, want)
		}
	}
	if got := share.Network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: got %v", got)
	}
}
