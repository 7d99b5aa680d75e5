package handlers_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/cookie"
	"latchkey/internal/forwardauth"
	"latchkey/internal/testdb"
	"latchkey/internal/token"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	// secretWord is everybody's password.
	secretWord = "violet harbour 42 lanterns"
	// otherWord is what they change it to.
	otherWord = "copper meadow 17 whistles"
)

var masterSecret = []byte("a secret that is long enough for tests")

// settings is what a test may want different.
type settings struct {
	publicURL    string
	limits       bool
	signupClosed bool
	passwordsOff bool // for clients of the API
	support      string
	proxies      []netip.Prefix
	domain       string // of the token cookies
	forward      *forwardauth.Rules
}

// site is a portal on a database of its own, with the production middleware.
type site struct {
	t     *testing.T
	store *models.Store
	auth  *auth.Service
	pages *handlers.Handlers
	echo  *echo.Echo
	clock *clock
	logs  *logBook
	url   string
}

func newSite(t *testing.T, store *models.Store, options ...func(*settings)) *site {
	t.Helper()
	set := settings{publicURL: "http://localhost:8080"}
	for _, option := range options {
		option(&set)
	}
	s := &site{t: t, store: store, url: set.publicURL, logs: &logBook{}}
	s.clock = &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	logger := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	s.auth, err = auth.New(auth.Options{
		Store: store, Logger: logger, Now: s.clock.Now, PublicURL: s.url, Secret: masterSecret,
		AccessTTL: 5 * time.Minute, RefreshTTL: 168 * time.Hour, SessionTTL: 720 * time.Hour, RefreshGrace: 10 * time.Second,
		Limits: set.limits, SignupOpen: !set.signupClosed, PasswordGrant: !set.passwordsOff, Hasher: fastHasher(),
		Policy: password.NewPolicy(password.PolicyOptions{Context: []string{"latchkey"}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	https := strings.HasPrefix(s.url, "https:")
	jar, err := cookie.New(cookie.Options{Secure: https, Domain: set.domain, Keys: [][]byte{masterSecret[:32]}, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.pages, err = handlers.New(handlers.Options{
		Auth: s.auth, Store: store, Logger: logger, Now: s.clock.Now, PublicURL: s.url,
		Cookies: jar, HTTPS: https, HSTSIncludeSubdomains: true, BrandName: "Latchkey", SupportEmail: set.support, TrustedProxies: set.proxies,
		ForwardAuth: set.forward,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.echo, err = s.pages.Echo(); err != nil {
		t.Fatal(err)
	}
	return s
}

// in is the same site for a subtest.
func (s *site) in(t *testing.T) *site {
	twin := *s
	twin.t = t
	return &twin
}

func withLimits(s *settings)   { s.limits = true }
func signupClosed(s *settings) { s.signupClosed = true }

func passwordsOff(s *settings) { s.passwordsOff = true }
func withSupport(s *settings)  { s.support = "help@example.org" }
func withHTTPS(s *settings)    { s.publicURL = "https://id.example.org" }

// eachSite runs f on a portal of its own on each database.
func eachSite(t *testing.T, f func(t *testing.T, s *site), options ...func(*settings)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		f(t, newSite(t, store, options...))
	})
}

// fastHasher costs next to nothing: the tests are not about the hash.
func fastHasher() *password.Hasher {
	return password.NewHasher(password.HasherOptions{Params: password.Params{Memory: 64, Time: 1, Threads: 1}})
}

var secretHash = sync.OnceValue(func() string {
	hash, err := fastHasher().Hash(context.Background(), secretWord)
	if err != nil {
		return err.Error() // no sign-in works with it
	}
	return hash
})

// person makes an account. Its address is name@example.org.
func (s *site) person(name string, role models.Role) *models.User {
	s.t.Helper()
	now := models.At(s.clock.Now())
	user := &models.User{
		ID: models.NewID(), Username: name, Email: name + "@example.org", PasswordHash: secretHash(), Role: role,
		PasswordChangedAt: now, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.store.Users.Create(s.t.Context(), user); err != nil {
		s.t.Fatal(err)
	}
	return user
}

// signedIn makes an account and a browser that stays signed in to it.
func (s *site) signedIn(name string, role models.Role) (*browser, *models.User) {
	s.t.Helper()
	user := s.person(name, role)
	b := s.browser()
	b.signIn(name)
	return b, user
}

// liveSessions returns the live sessions of an account.
func (s *site) liveSessions(userID string) []models.Session {
	s.t.Helper()
	list, err := s.store.Sessions.Live(s.t.Context(), userID, s.clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// events returns the audit log, newest first.
func (s *site) events() []models.Event {
	s.t.Helper()
	page, err := s.store.Audit.List(s.t.Context(), models.AuditQuery{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Events
}

// lastEvent returns the newest event of an action.
func (s *site) lastEvent(action string) models.Event {
	s.t.Helper()
	for _, e := range s.events() {
		if e.Action == action {
			return e
		}
	}
	s.t.Errorf("the audit log has no %s", action)
	return models.Event{}
}

// resign changes what a refresh token says and signs it again.
func (s *site) resign(genuine string, change map[string]any) string {
	s.t.Helper()
	key, err := token.DeriveKey(masterSecret, "latchkey/web-refresh/v1")
	if err != nil {
		s.t.Fatal(err)
	}
	parts := strings.Split(genuine, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		s.t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		s.t.Fatal(err)
	}
	maps.Copy(claims, change)
	if payload, err = json.Marshal(claims); err != nil {
		s.t.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// reload reads an account anew.
func (s *site) reload(user *models.User) *models.User {
	s.t.Helper()
	fresh, err := s.store.Users.ByID(s.t.Context(), user.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return fresh
}

// clock is the time as a test says it is.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// advance lets time pass.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps lines.
func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// line returns the first line that has every part, or "".
func (l *logBook) line(parts ...string) string {
	for line := range strings.Lines(l.String()) {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return line
		}
	}
	return ""
}

// failWith adds a route that fails in its own way, behind all the middleware.
func (s *site) failWith(path string, failure func() error) {
	s.echo.GET(path, func(echo.Context) error { return failure() })
}
