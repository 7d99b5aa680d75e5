package bench

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"latchkey/handlers"
	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/internal/token"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	publicURL  = "http://localhost:8080"
	secretWord = "correct horse battery staple 7"
)

// portal is everything behind the routes, with one person who is signed in.
type portal struct {
	store    *models.Store
	auth     *auth.Service
	accounts *account.Service
	keyring  *token.Keyring
	oauth    *oauth.Service
	pages    http.Handler
	tokens   *auth.Tokens
	access   *token.Claims
	refresh  *token.Claims
}

// eachPortal runs f on SQLite and on PostgreSQL.
func eachPortal(b *testing.B, f func(b *testing.B, p *portal)) {
	b.Run("sqlite", func(b *testing.B) { f(b, newPortal(b, testdb.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { f(b, newPortal(b, testdb.Postgres(b))) })
}

func newPortal(b *testing.B, store *models.Store) *portal {
	b.Helper()
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	keyring, err := token.NewKeyring(publicURL, secret, nil, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	services := servicetest.New(b, servicetest.Options{ // no limits: they would pause a session that rotates this often
		Store: store, Now: time.Now, PublicURL: publicURL, Secret: secret, AccessTTL: 24 * time.Hour,
	})
	jar, err := cookie.New(cookie.Options{Keys: [][]byte{secret[:32]}, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	pages, err := handlers.New(handlers.Options{
		Auth: services.Auth, OAuth: services.OAuth, Accounts: services.Accounts, Store: store, Logger: logger, Now: time.Now, PublicURL: publicURL, BrandName: "Latchkey",
		Cookies:        jar,
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		ForwardAuth:    forwardauth.New([]forwardauth.Origin{{URL: "https://app.example.org"}}),
	})
	if err != nil {
		b.Fatal(err)
	}
	handler, err := pages.Echo()
	if err != nil {
		b.Fatal(err)
	}
	p := &portal{store: store, auth: services.Auth, oauth: services.OAuth, accounts: services.Accounts, keyring: keyring, pages: handler}
	p.signUp(b)
	return p
}

// signUp creates the person and uses the tokens once: the first use of a
// generation writes.
func (p *portal) signUp(b *testing.B) {
	b.Helper()
	client := auth.Client{IP: netip.MustParseAddr("127.0.0.1"), UserAgent: userAgent}
	signedIn, err := p.accounts.SignUp(b.Context(), account.Signup{
		Account:  account.Profile{Username: "ada", Email: "ada@example.org", FullName: "Ada Lovelace"},
		Password: secretWord, Client: client,
	})
	if err != nil {
		b.Fatal(err)
	}
	p.tokens = signedIn.Tokens
	if p.access, err = p.keyring.Verify(token.WebAccess, p.tokens.Access); err != nil {
		b.Fatal(err)
	}
	if p.refresh, err = p.keyring.Verify(token.WebRefresh, p.tokens.Refresh); err != nil {
		b.Fatal(err)
	}
	if _, err := p.auth.Authenticate(b.Context(), auth.Presented{Access: p.tokens.Access}, client); err != nil {
		b.Fatal(err)
	}
}

const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// reportCPU adds the CPU time of this process to the figures of a benchmark:
// on a busy machine it is more meaningful than the clock. It does not include
// PostgreSQL's.
func reportCPU(b *testing.B) (stop func()) {
	start := cpuTime()
	return func() { b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op") }
}

// cpuTime returns the CPU time in nanoseconds that this process has used.
func cpuTime() int64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail for the own process
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// BenchmarkVerify measures the check of an access token's signature and claims.
func BenchmarkVerify(b *testing.B) {
	p := newPortal(b, testdb.SQLite(b))
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if _, err := p.keyring.Verify(token.WebAccess, p.tokens.Access); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdentify measures the one query of every signed-in request.
func BenchmarkIdentify(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			if _, err := p.store.Sessions.Identify(b.Context(), p.access.SessionID, p.access.ID, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRotate measures the statement that moves a session to its next
// generation, including the commit.
func BenchmarkRotate(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		r := models.Rotation{
			SessionID: p.refresh.SessionID, UserID: p.refresh.Subject, TokenID: p.refresh.ID,
			Generation: p.refresh.Generation, Now: time.Now(),
		}
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			if _, err := p.store.Sessions.Rotate(b.Context(), r); err != nil {
				b.Fatalf("generation %d: %v", r.Generation, err)
			}
			r.Generation++
		}
	})
}

// BenchmarkRotateParallel has 64 browsers rotate their sessions at once.
func BenchmarkRotateParallel(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		const browsers = 64
		var left atomic.Int64
		rotations := make([]models.Rotation, browsers)
		for i := range rotations {
			rotations[i] = p.newRotation(b)
		}
		left.Store(int64(b.N))
		b.ResetTimer()
		defer reportCPU(b)()
		var all sync.WaitGroup
		for _, r := range rotations {
			all.Go(func() {
				for left.Add(-1) >= 0 {
					if _, err := p.store.Sessions.Rotate(b.Context(), r); err != nil {
						b.Errorf("generation %d: %v", r.Generation, err)
						return
					}
					r.Generation++
				}
			})
		}
		all.Wait()
	})
}

// newRotation opens a session of the person that can rotate.
func (p *portal) newRotation(b *testing.B) models.Rotation {
	b.Helper()
	now := models.At(time.Now())
	s := &models.Session{
		ID: models.NewID(), UserID: p.access.Subject, Kind: models.KindWeb, Generation: 1, DeliveredAt: now,
		IdleTTL: time.Hour.Microseconds(), CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour),
	}
	if err := p.store.Sessions.Create(b.Context(), s); err != nil {
		b.Fatal(err)
	}
	return models.Rotation{SessionID: s.ID, UserID: s.UserID, TokenID: "jti", Generation: 1, Now: time.Now()}
}

// BenchmarkLogin measures a sign-in with a password hash of minimal cost.
func BenchmarkLogin(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		login := auth.Login{Identifier: "ada", Password: secretWord, Client: auth.Client{IP: netip.MustParseAddr("127.0.0.1"), UserAgent: userAgent}}
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			if outcome, err := p.auth.Login(b.Context(), login); err != nil || outcome.SignedIn == nil {
				b.Fatal(outcome.Refused, err)
			}
		}
	})
}

// BenchmarkAuthenticate identifies the person of a request, by a live access token
// and by a refresh token.
func BenchmarkAuthenticate(b *testing.B) {
	client := auth.Client{IP: netip.MustParseAddr("127.0.0.1"), UserAgent: userAgent}
	eachPortal(b, func(b *testing.B, p *portal) {
		b.Run("live", func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				result, err := p.auth.Authenticate(b.Context(), auth.Presented{Access: p.tokens.Access}, client)
				if err != nil || result.Identity == nil || result.Tokens != nil {
					b.Fatalf("got %+v, error %v", result, err)
				}
			}
		})
		b.Run("rotating", func(b *testing.B) {
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				result, err := p.auth.Authenticate(b.Context(), auth.Presented{Refresh: p.tokens.Refresh}, client)
				if err != nil || result.Tokens == nil {
					b.Fatalf("got %+v, error %v", result, err)
				}
				p.tokens = result.Tokens
			}
		})
	})
}

// BenchmarkPage measures a complete response, including all middleware, without the
// network and without a log line.
func BenchmarkPage(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		b.Run("login", func(b *testing.B) { p.page(b, "/login", "") })
		live := "access=" + p.tokens.Access + "; refresh=" + p.tokens.Refresh
		b.Run("email", func(b *testing.B) { p.page(b, "/profile/email", live) })
		b.Run("profile", func(b *testing.B) { p.page(b, "/profile", live) })
		refresh := "refresh=" + p.tokens.Refresh
		b.Run("rotating", func(b *testing.B) { refresh = p.page(b, "/profile", refresh) })
	})
}

// page requests a page. A refresh token without an access token rotates the session.
// The next request then sends the new refresh token, and page returns the last one.
func (p *portal) page(b *testing.B, path, cookies string) string {
	r := httptest.NewRequest(http.MethodGet, publicURL+path, nil)
	r.Header.Set("User-Agent", userAgent)
	rotates := strings.HasPrefix(cookies, "refresh=")
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if cookies != "" {
			r.Header["Cookie"] = []string{cookies}
		}
		w := &sink{header: http.Header{}}
		p.pages.ServeHTTP(w, r)
		set := w.header["Set-Cookie"]
		if w.status != http.StatusOK || rotates != (len(set) > 0) {
			b.Fatalf("status %d, cookies %q", w.status, set)
		}
		if rotates {
			cookies, _, _ = strings.Cut(set[slices.IndexFunc(set, isRefresh)], ";")
		}
	}
	return cookies
}

func isRefresh(cookie string) bool { return strings.HasPrefix(cookie, "refresh=") }

// sink is a response that is discarded.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }
