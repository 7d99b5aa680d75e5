package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/cookie"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	publicURL  = "http://localhost:8080"
	secretWord = "violet harbour 42 lanterns" // everybody's password
	allScopes  = "me me:write users users:write introspect"
)

// settings is what a test may want different.
type settings struct {
	publicURL     string
	limits        bool
	passwordsOff  bool
	browserScript []string // origins
}

func withLimits(s *settings)   { s.limits = true }
func passwordsOff(s *settings) { s.passwordsOff = true }

// site is a portal on a database of its own, with the production middleware.
type site struct {
	t     *testing.T
	store *models.Store
	auth  *auth.Service
	echo  *echo.Echo
	clock *clock
	host  string
}

func newSite(t *testing.T, store *models.Store, options ...func(*settings)) *site {
	t.Helper()
	set := settings{publicURL: publicURL}
	for _, option := range options {
		option(&set)
	}
	s := &site{t: t, store: store, clock: &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	_, s.host, _ = strings.Cut(set.publicURL, "://")
	logger, secret := slog.New(slog.DiscardHandler), []byte("a secret that is long enough for tests")
	var err error
	s.auth, err = auth.New(auth.Options{
		Store: store, Logger: logger, Now: s.clock.Now, PublicURL: set.publicURL, Secret: secret,
		AccessTTL: 5 * time.Minute, RefreshTTL: 168 * time.Hour, SessionTTL: 720 * time.Hour, RefreshGrace: 10 * time.Second,
		Limits: set.limits, SignupOpen: true, PasswordGrant: !set.passwordsOff, Hasher: fastHasher(),
		Policy: password.NewPolicy(password.PolicyOptions{Context: []string{"latchkey"}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookie.New(cookie.Options{Keys: [][]byte{secret[:32]}, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := handlers.New(handlers.Options{
		Auth: s.auth, Store: store, Logger: logger, Now: s.clock.Now, PublicURL: set.publicURL, BrandName: "Latchkey",
		Cookies:    jar,
		APIOrigins: set.browserScript,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.echo, err = pages.Echo(); err != nil {
		t.Fatal(err)
	}
	return s
}

// eachSite runs f on a portal of its own on each database.
func eachSite(t *testing.T, f func(t *testing.T, s *site), options ...func(*settings)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) { f(t, newSite(t, store, options...)) })
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

// grant is a pair of tokens as /token gives it.
type grant struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

// signIn gets tokens with a password.
func (s *site) signIn(name, scope string) grant {
	s.t.Helper()
	var g grant
	s.form("/token", "username", name, "password", secretWord, "scope", scope).is(200).into(&g)
	return g
}

// personal makes a personal access token.
func (s *site) personal(user *models.User, scopes ...string) string {
	s.t.Helper()
	secret, _, err := s.auth.CreatePersonalToken(s.t.Context(), auth.PersonalTokenDraft{
		Who: &auth.Identity{
			UserID: user.ID, Username: user.Username, Email: user.Email, Admin: user.Role == models.RoleAdmin,
			SessionID: testdb.Session(s.t, s.store, user.ID, time.Now()),
		},
		Name: "for a test", Scopes: scopes, Days: 30, Current: secretWord,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

// disable shuts an account from the shell.
func (s *site) disable(user *models.User) {
	s.t.Helper()
	if _, _, err := s.auth.Disable(s.t.Context(), auth.Shell(), user.ID, ""); err != nil {
		s.t.Fatal(err)
	}
}

// actions are the actions in the audit log, the newest first.
func (s *site) actions() []string {
	s.t.Helper()
	page, err := s.store.Audit.List(s.t.Context(), models.AuditQuery{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, e := range page.Events {
		list = append(list, e.Action)
	}
	return list
}

// request is what a script would send, to be changed by the test.
func (s *site) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = s.host, "192.0.2.1:1234"
	r.Header.Set("User-Agent", "script/1.0")
	return r
}

// form sends a form of name and value pairs.
func (s *site) form(target string, pairs ...string) *answer {
	s.t.Helper()
	return s.do(s.formRequest(target, pairs...))
}

func (s *site) formRequest(target string, pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	r := s.request(http.MethodPost, target, values.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// call sends a request with a bearer token, and JSON if there is a body.
func (s *site) call(token, method, target, body string) *answer {
	s.t.Helper()
	return s.do(s.callRequest(token, method, target, body))
}

func (s *site) callRequest(token, method, target, body string) *http.Request {
	r := s.request(method, target, body)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// do sends a request. No answer of the API may touch a cookie.
func (s *site) do(r *http.Request) *answer {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	s.echo.ServeHTTP(recorder, r)
	response := recorder.Result()
	a := &answer{
		t: s.t, asked: r.Method + " " + r.URL.RequestURI(), code: response.StatusCode, header: response.Header,
		body: recorder.Body.String(),
	}
	if len(response.Cookies()) > 0 {
		s.t.Errorf("%s: sets cookies %v", a.asked, response.Cookies())
	}
	return a
}

// answer is what came back.
type answer struct {
	t      *testing.T
	asked  string
	code   int
	header http.Header
	body   string
}

// is checks the status.
func (a *answer) is(want int) *answer {
	a.t.Helper()
	if a.code != want {
		a.t.Errorf("%s: got status %d, want %d\n%s", a.asked, a.code, want, a.body)
	}
	return a
}

// into reads the body.
func (a *answer) into(v any) *answer {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Errorf("%s: %v in %q", a.asked, err, a.body)
	}
	return a
}

// member is a member of the body that is text, "" when there is none.
func (a *answer) member(name string) string {
	a.t.Helper()
	object := map[string]any{}
	a.into(&object)
	text, _ := object[name].(string)
	return text
}

// has checks a member of the body.
func (a *answer) has(name, want string) *answer {
	a.t.Helper()
	if got := a.member(name); got != want {
		a.t.Errorf("%s: got %s %q, want %q", a.asked, name, got, want)
	}
	return a
}

// problem checks for a problem document with a sentence.
func (a *answer) problem(status int) *answer {
	a.t.Helper()
	a.is(status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("%s: got Content-Type %q, want a problem document", a.asked, got)
	}
	if a.member("detail") == "" {
		a.t.Errorf("%s: got no detail in %s", a.asked, a.body)
	}
	return a
}

// oauth checks for an error of RFC 6749.
func (a *answer) oauth(status int, code string) *answer {
	a.t.Helper()
	a.is(status).has("error", code)
	if a.member("detail") == "" || a.member("detail") != a.member("error_description") {
		a.t.Errorf("%s: got %s, want detail and error_description alike", a.asked, a.body)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		a.t.Errorf("%s: got Cache-Control %q, want no-store", a.asked, got)
	}
	return a
}

var tryAgain = regexp.MustCompile(`^[A-Z].*[a-z]\. Try again in [0-9]+ (second|minute|hour)s?\.$`)

// saysWhen checks that a 429 tells a person when to try again.
func (a *answer) saysWhen() {
	a.t.Helper()
	if got := a.member("detail"); !tryAgain.MatchString(got) || a.header.Get("Retry-After") == "" {
		a.t.Errorf("%s: got detail %q, Retry-After %q", a.asked, got, a.header.Get("Retry-After"))
	}
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

// actorOf is a person as the one who acts in the panel.
func (s *site) actorOf(name string) auth.Actor {
	s.t.Helper()
	user, err := s.store.Users.ByUsername(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return auth.Actor{UserID: user.ID, Name: user.Username, SessionID: testdb.Session(s.t, s.store, user.ID, time.Now())}
}
