package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/portaltest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	publicURL  = "http://localhost:8080"
	secretWord = portaltest.Password
	allScopes  = "me me:write users users:write introspect"
)

func withLimits(o *portaltest.Options)   { o.Limits = true }
func passwordsOff(o *portaltest.Options) { o.PasswordsOff = true }

// site is a portal with the HTTP client of these tests.
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

// grant is a pair of tokens as /token returns it.
type grant struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

// signIn gets tokens with a password.
func (s *site) signIn(name, scope string) grant {
	s.T.Helper()
	var g grant
	s.form("/token", "username", name, "password", secretWord, "scope", scope).is(200).into(&g)
	return g
}

// personal creates a personal access token.
func (s *site) personal(user *models.User, scopes ...string) string {
	s.T.Helper()
	secret, _, err := s.Accounts.CreatePersonalToken(s.T.Context(), account.PersonalTokenDraft{
		Identity: &auth.Identity{
			UserID: user.ID, Username: user.Username, Email: user.Email, Admin: user.Role == models.RoleAdmin,
			SessionID: testdb.Session(s.T, s.Store, user.ID, time.Now()),
		},
		Name: "for a test", Scopes: scopes, Days: 30, Current: secretWord,
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return secret
}

// disable disables an account from the shell.
func (s *site) disable(user *models.User) {
	s.T.Helper()
	if _, _, err := s.Accounts.Disable(s.T.Context(), auth.Shell(), user.ID, ""); err != nil {
		s.T.Fatal(err)
	}
}

// actions returns the actions in the audit log, newest first.
func (s *site) actions() []string {
	s.T.Helper()
	var list []string
	for _, e := range s.Events() {
		list = append(list, e.Action)
	}
	return list
}

// request returns a script's request, which the test can change.
func (s *site) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	_, r.Host, _ = strings.Cut(s.URL, "://")
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header.Set("User-Agent", "script/1.0")
	return r
}

// form sends a form of name and value pairs.
func (s *site) form(target string, pairs ...string) *answer {
	s.T.Helper()
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
	s.T.Helper()
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

// do sends a request. It fails if the response sets a cookie.
func (s *site) do(r *http.Request) *answer {
	s.T.Helper()
	recorder := httptest.NewRecorder()
	s.Echo.ServeHTTP(recorder, r)
	response := recorder.Result()
	a := &answer{
		t: s.T, asked: r.Method + " " + r.URL.RequestURI(), code: response.StatusCode, header: response.Header,
		body: recorder.Body.String(),
	}
	if len(response.Cookies()) > 0 {
		s.T.Errorf("%s: sets cookies %v", a.asked, response.Cookies())
	}
	return a
}

// answer is a response.
type answer struct {
	t      *testing.T
	asked  string
	code   int
	header http.Header
	body   string
}

// is fails unless the response has the status.
func (a *answer) is(want int) *answer {
	a.t.Helper()
	if a.code != want {
		a.t.Errorf("%s: got status %d, want %d\n%s", a.asked, a.code, want, a.body)
	}
	return a
}

// into reads the body as JSON.
func (a *answer) into(v any) *answer {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		a.t.Errorf("%s: %v in %q", a.asked, err, a.body)
	}
	return a
}

// member returns a text member of the body, "" if there is none.
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

// actorOf returns a person as the actor of a change.
func (s *site) actorOf(name string) auth.Actor {
	s.T.Helper()
	user, err := s.Store.Users.ByUsername(s.T.Context(), name)
	if err != nil {
		s.T.Fatal(err)
	}
	return auth.Actor{UserID: user.ID, Name: user.Username, SessionID: testdb.Session(s.T, s.Store, user.ID, time.Now())}
}
