package api_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/handlers/api"
	"latchkey/internal/audit"
	"latchkey/models"
)

// TestInTutorialDialect checks that programs are told from browsers, including old
// ones.
func TestInTutorialDialect(t *testing.T) {
	const page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, test := range []struct {
		name    string
		headers http.Header
		want    bool
	}{
		{"nothing", http.Header{}, true},
		{"curl", http.Header{"Accept": {"*/*"}, "User-Agent": {"curl/8.5.0"}}, true},
		{"python-requests", http.Header{"Accept": {"*/*"}, "Accept-Encoding": {"gzip, deflate"}, "Connection": {"keep-alive"}}, true},
		{"asks for JSON", http.Header{"Accept": {"application/json"}}, true},
		{"with cookies", http.Header{"Accept": {"*/*"}, "Cookie": {"access=x"}}, true},
		{"a browser", http.Header{"Accept": {page}, "Origin": {"http://localhost:8080"}, "Sec-Fetch-Site": {"same-origin"}}, false},
		{"a browser that hides its page", http.Header{"Accept": {page}, "Origin": {"null"}}, false},
		{"a browser from before Sec-Fetch", http.Header{"Accept": {page}, "Origin": {"http://localhost:8080"}}, false},
		{"a browser from before Origin", http.Header{"Accept": {page}}, false},
		{"one that writes types in capitals", http.Header{"Accept": {"TEXT/HTML"}}, false},
		{"two Accept headers", http.Header{"Accept": {"*/*", "text/html"}}, false},
		{"a script of a page", http.Header{"Accept": {"*/*"}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, false},
		{"a script in a browser from before Sec-Fetch", http.Header{"Accept": {"*/*"}, "Origin": {"https://evil.example"}}, false},
		{"an empty Origin", http.Header{"Origin": {""}}, false},
		{"any Sec-Fetch header", http.Header{"Sec-Fetch-Storage-Access": {"none"}}, false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/login", nil)
		r.Header = test.headers
		if got := api.InTutorialDialect(r); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
	}
}

// json sends a JSON body without a token.
func (s *site) json(path, body string) *answer {
	s.T.Helper()
	return s.call("", http.MethodPost, path, body)
}

// multipart sends fields as a multipart form.
func (s *site) multipart(path string, pairs ...string) *answer {
	s.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			s.T.Fatal(err)
		}
	}
	_ = form.Close()
	r := s.request(http.MethodPost, path, body.String())
	r.Header.Set("Content-Type", form.FormDataContentType())
	return s.do(r)
}

// faults checks for a 422 in FastAPI's form, with these locations and types.
func (a *answer) faults(want ...string) {
	a.t.Helper()
	var body struct {
		Detail []struct {
			Type, Msg string
			Loc       []string
		}
	}
	a.is(422).into(&body)
	var got []string
	for _, fault := range body.Detail {
		got = append(got, strings.Join(fault.Loc, ".")+" "+fault.Type)
		if fault.Msg == "" {
			a.t.Errorf("%s: a fault has no message: %s", a.asked, a.body)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Errorf("%s (-want +got):\n%s\n%s", a.asked, diff, a.body)
	}
}

// unauthorized checks for the 401 of the tutorials.
func (a *answer) unauthorized() {
	a.t.Helper()
	a.oauth(401, "invalid_grant").has("detail", "Incorrect username or password")
	if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="Latchkey"` {
		a.t.Errorf("%s: got WWW-Authenticate %q", a.asked, got)
	}
}

// TestTutorialSignIn sends the sign-ins of the tutorials: at /token without a
// grant_type and at /login, as a form, multipart and JSON.
func TestTutorialSignIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		s.disable(s.Person("gone", models.RoleUser))
		ways := map[string]func(name, password string) *answer{
			"/token":              func(n, p string) *answer { return s.form("/token", "username", n, "password", p) },
			"/token/":             func(n, p string) *answer { return s.form("/token/", "username", n, "password", p) },
			"/token, empty grant": func(n, p string) *answer { return s.form("/token", "grant_type", "", "username", n, "password", p) },
			"/token, multipart":   func(n, p string) *answer { return s.multipart("/token", "username", n, "password", p) },
			"/login":              func(n, p string) *answer { return s.form("/login", "username", n, "password", p) },
			"/login, with a grant": func(n, p string) *answer {
				return s.form("/login", "grant_type", "password", "username", n, "password", p)
			},
			"/login, multipart": func(n, p string) *answer { return s.multipart("/login", "username", n, "password", p) },
			"/login, JSON":      func(n, p string) *answer { return s.json("/login", `{"username":"`+n+`","password":"`+p+`"}`) },
			"/login, JSON with more": func(n, p string) *answer {
				return s.json("/login", `{"email":null,"age":[1e999],"username":"`+n+`","password":"`+p+`"}`)
			},
			"/login, JSON without a type": func(n, p string) *answer {
				return s.do(s.request(http.MethodPost, "/login", `{"username":"`+n+`","password":"`+p+`"}`))
			},
		}
		for name, sign := range ways {
			t.Run(name, func(t *testing.T) {
				s := &site{s.In(t)}
				tick := func() { s.Clock.Advance(time.Second) } // the audit log is read by time
				tick()
				before := len(s.actions())
				var g grant
				sign("ana", secretWord).is(200).into(&g)
				s.call(g.Access, "GET", "/users/me", "").is(200)
				s.form("/token", "grant_type", "refresh_token", "refresh_token", g.Refresh).is(200)
				tick()
				sign("ana@example.org", secretWord).is(200)
				tick()
				sign("ana", "wrong").unauthorized()
				if got, want := s.actions()[:len(s.actions())-before], []string{audit.LoginFailed, audit.APILogin, audit.APILogin}; !slices.Equal(got, want) {
					t.Errorf("recorded %v, want %v", got, want)
				}
				wrong := sign("ana", "wrong").body
				for _, other := range []string{"nobody-here", "gone"} {
					sign(other, secretWord).unauthorized()
					if got := sign(other, secretWord).body; got != wrong {
						t.Errorf("%s can be told from a wrong password: %s", other, got)
					}
				}
				sign("ana", "").faults("body.password missing")
				sign("", "x").faults("body.username missing")
			})
		}
		for _, session := range s.LiveSessions(user.ID) {
			if session.Kind != models.KindAPI {
				t.Errorf("a session of a browser was opened: %+v", session)
			}
		}
	})
}

// TestTutorialTouchesNoCookie signs in and up with the live cookies of a browser.
// They do not change and do not authenticate the request.
func TestTutorialTouchesNoCookie(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		access := s.webToken("ana")
		before := s.LiveSessions(user.ID)
		for _, body := range []string{
			`{"username":"ana","password":"` + secretWord + `"}`, `{"username":"ana","password":"wrong"}`, `{`,
			`{"username":"zoe","email":"zoe@example.org","password":"` + secretWord + `"}`,
		} {
			for _, path := range []string{"/login", "/signup"} {
				r := s.callRequest("", http.MethodPost, path, body)
				r.AddCookie(&http.Cookie{Name: "access", Value: access})
				r.AddCookie(&http.Cookie{Name: "refresh", Value: "junk"})
				s.do(r) // fails if the response sets a cookie
			}
		}
		after := slices.DeleteFunc(s.LiveSessions(user.ID), func(session models.Session) bool { return session.Kind != models.KindWeb })
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the sessions of browsers changed (-before +after):\n%s", diff)
		}
	})
}

// TestTutorialKeepsBrowsersIn checks that more sign-ins than a person may have
// sessions do not sign out a browser.
func TestTutorialKeepsBrowsersIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		s.webToken("ana")
		for range 25 {
			s.form("/login", "username", "ana", "password", secretWord).is(200)
		}
		web := 0
		for _, session := range s.LiveSessions(user.ID) {
			if session.Kind == models.KindWeb {
				web++
			}
		}
		if web != 1 {
			t.Errorf("the person has %d browser sessions, want 1", web)
		}
	})
}

// TestTutorialBrowsers checks that a browser still gets pages and that its requests
// are still checked.
func TestTutorialBrowsers(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		for _, test := range []struct {
			name    string
			headers http.Header
			status  int
		}{
			{"another site's form", http.Header{"Accept": {"text/html"}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, 403},
			{"another site's script", http.Header{"Accept": {"*/*"}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}, 403},
			{"another site's script, before Sec-Fetch", http.Header{"Accept": {"*/*"}, "Origin": {"https://evil.example"}}, 403},
			{"a sandboxed page", http.Header{"Accept": {"*/*"}, "Origin": {"null"}}, 403},
			{"the portal's form", http.Header{"Accept": {"text/html"}, "Origin": {publicURL}, "Sec-Fetch-Site": {"same-origin"}}, 303},
			{"the portal's form, before Origin", http.Header{"Accept": {"text/html"}}, 303},
		} {
			r := s.formRequest("/login", "username", "ana", "password", secretWord)
			for name, values := range test.headers {
				r.Header[name] = values
			}
			recorder := httptest.NewRecorder()
			s.Echo.ServeHTTP(recorder, r)
			if recorder.Code != test.status || strings.Contains(recorder.Header().Get("Content-Type"), "json") {
				t.Errorf("%s: got %d %s", test.name, recorder.Code, recorder.Header().Get("Content-Type"))
			}
		}
	})
}

// TestTutorialLimits checks that all routes share the limits on passwords, and that
// the response does not reveal which accounts exist.
func TestTutorialLimits(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		var bodies []string
		for _, name := range []string{"ana", "nobody-here"} {
			for i := range 5 {
				if i%2 == 0 {
					s.form("/token", "username", name, "password", "wrong").unauthorized()
				} else {
					s.json("/login", `{"username":"`+name+`","password":"wrong"}`).unauthorized()
				}
			}
			a := s.json("/login", `{"username":"`+name+`","password":"`+secretWord+`"}`).oauth(429, "slow_down")
			a.saysWhen()
			bodies = append(bodies, a.body)
		}
		if bodies[0] != bodies[1] {
			t.Errorf("known and unknown differ: %q", bodies)
		}
	}, withLimits)
}

// TestTutorialPasswordsOff checks that no route accepts a password if programs may
// not send any.
func TestTutorialPasswordsOff(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("ana", models.RoleUser)
		for _, path := range []string{"/token", "/token/", "/login"} {
			s.form(path, "username", "ana", "password", secretWord).oauth(400, "unsupported_grant_type")
		}
		s.json("/login", `{"username":"ana","password":"`+secretWord+`"}`).oauth(400, "unsupported_grant_type")
		paths := documentOf(t, s).object("paths")
		if paths["/login"] != nil || paths["/signup"] == nil {
			t.Error("the document has /login, or not /signup")
		}
	}, passwordsOff)
}
