package limit_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/limit"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func TestNetwork(t *testing.T) {
	for _, test := range []struct{ address, want string }{
		{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	} {
		if got := limit.Network(netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.address, got, test.want)
		}
	}
	if got := limit.Network(netip.Addr{}); got != "unknown" {
		t.Errorf("no address: got %q", got)
	}
}

func TestRefused(t *testing.T) {
	for _, kind := range apperr.Kinds() {
		want := kind == apperr.TooMany || kind == apperr.Locked
		if got := limit.Refused(fmt.Errorf("wrapped: %w", apperr.New(kind, "", nil))); got != want {
			t.Errorf("%s: got %t, want %t", kind, got, want)
		}
	}
	if limit.Refused(nil) || limit.Refused(errors.New("of another kind")) {
		t.Error("what is no refusal counts as one")
	}
}

// TestTake checks that a refusal has its duration and a message for the visitor,
// and that a limiter that is off refuses nothing.
func TestTake(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		now := time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
		for _, off := range []bool{false, true} {
			limiter, err := limit.New(limit.Options{Store: store, Now: func() time.Time { return now }, Secret: []byte("a secret that is long enough for tests"), Off: off})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				if err := limiter.Take(t.Context(), limit.Signups, "192.0.2.7"); err != nil {
					t.Errorf("attempt %d: %v", i+1, err)
				}
			}
			err = limiter.Take(t.Context(), limit.Signups, "192.0.2.7")
			if off {
				if err != nil {
					t.Errorf("a limiter that is off: %v", err)
				}
				continue
			}
			got := apperr.Details(err)
			if got.Kind != apperr.TooMany || got.RetryAfter != time.Hour || got.Message != "Too many accounts were created from your network." {
				t.Errorf("got %v, wait %v, words %q", got, got.RetryAfter, got.Message)
			}
			if err := limiter.Take(t.Context(), limit.Signups, "192.0.2.8"); err != nil {
				t.Errorf("another network: %v", err)
			}
		}
	})
}
