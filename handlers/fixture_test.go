package handlers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/internal/token"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	// secretWord is the password of every account.
	secretWord = portaltest.Password
	// otherWord is the password that tests change it to.
	otherWord = "copper meadow 17 whistles"
)

// site is a portal with the browsers of these tests.
type site struct{ *portaltest.Portal }

func newSite(t *testing.T, store *models.Store, change ...func(*portaltest.Options)) *site {
	t.Helper()
	return &site{portaltest.New(t, store, change...)}
}

// eachSite runs f with a new portal on each database.
func eachSite(t *testing.T, f func(t *testing.T, s *site), change ...func(*portaltest.Options)) {
	t.Helper()
	portaltest.Each(t, func(t *testing.T, p *portaltest.Portal) { f(t, &site{p}) }, change...)
}

// in returns the same site for a subtest.
func (s *site) in(t *testing.T) *site { return &site{s.In(t)} }

func withLimits(o *portaltest.Options)   { o.Limits = true }
func signupClosed(o *portaltest.Options) { o.SignupClosed = true }
func passwordsOff(o *portaltest.Options) { o.PasswordsOff = true }
func withSupport(o *portaltest.Options)  { o.SupportEmail = "help@example.org" }
func withHTTPS(o *portaltest.Options)    { o.PublicURL = "https://id.example.org" }

// rename gives an account a full name that no form would accept.
func (s *site) rename(user *models.User, name string) error {
	renamed := *user
	renamed.FullName = name
	return s.Store.Users.SetNames(s.T.Context(), &renamed, s.Clock.Now())
}

// signedIn creates an account and a browser that stays signed in to it.
func (s *site) signedIn(name string, role models.Role) (*browser, *models.User) {
	s.T.Helper()
	user := s.Person(name, role)
	b := s.browser()
	b.signIn(name)
	return b, user
}

// resign changes the claims of a refresh token and signs it again.
func (s *site) resign(genuine string, change map[string]any) string {
	s.T.Helper()
	key, err := token.DeriveKey([]byte(portaltest.Secret), "latchkey/web-refresh/v1")
	if err != nil {
		s.T.Fatal(err)
	}
	parts := strings.Split(genuine, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		s.T.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		s.T.Fatal(err)
	}
	maps.Copy(claims, change)
	if payload, err = json.Marshal(claims); err != nil {
		s.T.Fatal(err)
	}
	signed := parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// failWith adds a route that returns the failure of f, behind all middleware.
func (s *site) failWith(path string, failure func() error) {
	s.Echo.GET(path, func(echo.Context) error { return failure() })
}
