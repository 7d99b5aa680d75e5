package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	issuer       = "https://portal.example"
	goodPassword = servicetest.Password
	accessTTL    = servicetest.AccessTTL
	refreshTTL   = servicetest.RefreshTTL
	sessionTTL   = servicetest.SessionTTL
	grace        = servicetest.RefreshGrace
)

var secret = []byte(servicetest.Secret)

// portal has the services of a portal, with helpers for the tests of this package.
type portal struct{ *servicetest.Portal }

func each(t *testing.T, change func(*servicetest.Options), f func(p *portal)) {
	t.Helper()
	servicetest.Each(t, change, func(p *servicetest.Portal) { f(&portal{p}) })
}

func newPortal(t *testing.T, store *models.Store, clock *servicetest.Clock, change func(*servicetest.Options)) *portal {
	t.Helper()
	return &portal{servicetest.NewPortal(t, store, clock, change)}
}

func limited(o *servicetest.Options) { o.Limits = true }

func profile(name string) account.Profile { return servicetest.Profile(name) }

func from(address string) auth.Client { return servicetest.From(address) }

func wantKind(t *testing.T, what string, err error, want apperr.Kind) {
	t.Helper()
	servicetest.WantKind(t, what, err, want)
}

func wantWait(t *testing.T, what string, err error, want time.Duration) {
	t.Helper()
	servicetest.WantWait(t, what, err, want)
}

func parallel(n int, f func(i int)) { servicetest.Parallel(n, f) }

func decoded(t *testing.T, token string) (header, claims object) {
	t.Helper()
	return servicetest.Decoded(t, token)
}

// recorder keeps the lines of the log.
type recorder struct {
	mu     sync.Mutex
	events []string
	text   strings.Builder
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *recorder) WithGroup(string) slog.Handler            { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "event" {
			r.events = append(r.events, a.Value.String())
		}
		fmt.Fprintf(&r.text, "%s=%v ", a.Key, a.Value)
		return true
	})
	return nil
}

// check compares the events and looks for secrets in the log.
func (r *recorder) check(t *testing.T, want []string, secrets ...string) {
	t.Helper()
	if !slices.Equal(r.events, want) {
		t.Errorf("logged %v, want %v", r.events, want)
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(r.text.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, r.text.String())
		}
	}
}
