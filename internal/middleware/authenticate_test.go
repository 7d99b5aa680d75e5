package middleware_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/middleware"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func mustCIDR(t *testing.T, text string) *net.IPNet {
	t.Helper()
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

func TestRequire(t *testing.T) {
	user, admin := &auth.Identity{UserID: "u"}, &auth.Identity{UserID: "a", Admin: true}
	tests := []struct {
		name string
		gate echo.MiddlewareFunc
		who  *auth.Identity
		want int
	}{
		{"user, signed out", middleware.RequireUser, nil, http.StatusUnauthorized},
		{"user, user", middleware.RequireUser, user, http.StatusOK},
		{"user, admin", middleware.RequireUser, admin, http.StatusOK},
		{"admin, signed out", middleware.RequireAdmin, nil, http.StatusUnauthorized},
		{"admin, user", middleware.RequireAdmin, user, http.StatusForbidden},
		{"admin, admin", middleware.RequireAdmin, admin, http.StatusOK},
	}
	for _, test := range tests {
		reached := false
		s := newSite(func(c echo.Context) error { reached = true; return ok(c) }, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error { middleware.Of(c).Identity = test.who; return next(c) }
		}, test.gate)
		if w := s.ask(http.MethodGet, "/"); w.Code != test.want || reached != (test.want == http.StatusOK) {
			t.Errorf("%s: status %d, reached %v; want %d", test.name, w.Code, reached, test.want)
		}
	}
}

// browser sends requests to the site with the cookies that it received.
type browser struct {
	*site
	t     *testing.T
	state middleware.State // the state of the last request; zero if it did not reach the handler
}

func newBrowser(t *testing.T, authenticate echo.MiddlewareFunc) *browser {
	b := &browser{t: t}
	b.site = newSite(func(c echo.Context) error { b.state = *middleware.Of(c); return ok(c) }, authenticate)
	return b
}

// visit sends one request and returns its status and the cookies that it set.
func (b *browser) visit(method string, cookies ...string) (int, []*http.Cookie) {
	b.t.Helper()
	b.state = middleware.State{}
	r := httptest.NewRequest(method, "/profile", nil)
	r.Header.Set("Cookie", strings.Join(cookies, "; "))
	result := b.serve(r).Result()
	return result.StatusCode, result.Cookies()
}

// TestAuthenticate follows one browser through a session.
func TestAuthenticate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		now := time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		services := servicetest.New(t, servicetest.Options{Store: store, Now: clock})
		jar, err := cookie.New(cookie.Options{Secure: true, Keys: [][]byte{make([]byte, 32)}, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, middleware.Authenticate(services.Auth, jar))
		in, err := services.Accounts.SignUp(t.Context(), account.Signup{
			Account: account.Profile{Username: "ada", Email: "ada@example.org"}, Password: "violet-harbour-mosaic-71",
		})
		if err != nil {
			t.Fatal(err)
		}
		access, refresh := "__Host-access="+in.Tokens.Access, "__Host-refresh="+in.Tokens.Refresh
		if _, set := b.visit(http.MethodGet); b.state.Identity != nil || b.state.Stale || len(set) != 0 {
			t.Errorf("no cookies: %+v, set %v", b.state, set)
		}
		if _, set := b.visit(http.MethodGet, access, refresh); b.state.Identity == nil || len(set) != 0 {
			t.Errorf("a live access token: %+v, set %v; want ada and no cookie touched", b.state, set)
		}
		if b.visit(http.MethodGet, "access="+in.Tokens.Access); b.state.Identity != nil {
			t.Error("a cookie without its prefix is believed")
		}
		if _, set := b.visit(http.MethodGet, access, access); b.state.Identity != nil || b.state.Stale || len(set) != 0 {
			t.Errorf("the cookie twice: %+v, set %v; want no one and no cookie changed", b.state, set)
		}
		if _, set := b.visit(http.MethodGet, "__Host-access=x.y.z", "__Host-refresh=foreign"); b.state.Identity != nil || b.state.Stale || len(set) != 0 {
			t.Errorf("foreign cookies: %+v, set %v; want no one and no cookie changed", b.state, set)
		}
		now = now.Add(-2 * time.Minute)
		if _, set := b.visit(http.MethodGet, access, refresh); b.state.Identity != nil || b.state.Stale || len(set) != 0 {
			t.Errorf("two minutes before the tokens were made: %+v, set %v; want no one and no cookie changed", b.state, set)
		}
		now = now.Add(2 * time.Minute)

		now = now.Add(6 * time.Minute)
		_, set := b.visit(http.MethodPost, access, refresh)
		if b.state.Identity == nil || b.state.Identity.Username != "ada" || len(set) != 2 {
			t.Fatalf("an expired access token: %+v, set %v; want ada and new cookies", b.state, set)
		}
		if set[0].Name != "__Host-access" || set[0].MaxAge != 300 || set[1].Name != "__Host-refresh" || set[1].MaxAge != 30*24*3600-6*60 {
			t.Errorf("new cookies: %v", set)
		}
		renewed := []string{"__Host-access=" + set[0].Value, "__Host-refresh=" + set[1].Value}
		if _, set := b.visit(http.MethodGet, renewed...); b.state.Identity == nil || len(set) != 0 {
			t.Errorf("the new cookies: %+v, set %v", b.state, set)
		}
		endings(t, b, store, services.Accounts, renewed)
	})
}

// endings continues with a disabled account and with a closed database.
func endings(t *testing.T, b *browser, store *models.Store, accounts *account.Service, cookies []string) {
	t.Helper()
	if _, _, err := accounts.Disable(t.Context(), auth.Shell(), b.state.Identity.UserID, ""); err != nil {
		t.Fatal(err)
	}
	code, set := b.visit(http.MethodGet, cookies...)
	if b.state.Identity != nil || b.state.Ended != models.ReasonDisabled || !b.state.Stale || !cleared(set) || code != http.StatusOK {
		t.Errorf("disabled: status %d, %+v, set %v; want no one, the reason, and the cookies cleared", code, b.state, set)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	code, set = b.visit(http.MethodGet, cookies...)
	if code != http.StatusServiceUnavailable || len(set) != 0 || b.state.ID != "" {
		t.Errorf("the database gone: status %d, set %v; want 503, the handler not reached and no cookie touched", code, set)
	}
}

// cleared reports whether both token cookies are cleared.
func cleared(cookies []*http.Cookie) bool {
	return len(cookies) == 2 && cookies[0].Name == "__Host-access" && cookies[0].MaxAge < 0 &&
		cookies[1].Name == "__Host-refresh" && cookies[1].MaxAge < 0
}
