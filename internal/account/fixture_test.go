package account_test

import (
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	goodPassword = servicetest.Password
	accessDead   = servicetest.AccessTTL + 10*time.Second // after the end of an access token, with leeway
)

// portal has the services of a portal, with helpers for the tests of this package.
type portal struct{ *servicetest.Portal }

func each(t *testing.T, change func(*servicetest.Options), f func(p *portal)) {
	t.Helper()
	servicetest.Each(t, change, func(p *servicetest.Portal) { f(&portal{p}) })
}

func limited(o *servicetest.Options) { o.Limits = true }

func profile(name string) account.Profile { return servicetest.Profile(name) }

func from(address string) auth.Client { return servicetest.From(address) }

func wantKind(t *testing.T, what string, err error, want apperr.Kind) {
	t.Helper()
	servicetest.WantKind(t, what, err, want)
}

func parallel(n int, f func(i int)) { servicetest.Parallel(n, f) }

func fieldsOf(err error) []string { return servicetest.FieldsOf(err) }

func wantWait(t *testing.T, what string, err error, want time.Duration) {
	t.Helper()
	servicetest.WantWait(t, what, err, want)
}

// rename changes a person's names, with the correct password.
func (p *portal) rename(identity *auth.Identity, username, fullName string) error {
	return p.Accounts.UpdateProfile(p.T.Context(), account.ProfileChange{
		Identity: identity, Username: username, FullName: fullName, Current: goodPassword, Client: p.Client,
	})
}
