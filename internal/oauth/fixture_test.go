package oauth_test

import (
	"testing"
	"time"

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
	grace        = servicetest.RefreshGrace
	// accessDead is long enough for an access token to expire, with leeway.
	accessDead = accessTTL + 10*time.Second
)

type object = map[string]any

// portal has the services of a portal.
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
