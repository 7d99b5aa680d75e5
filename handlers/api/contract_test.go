package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// example is a request that gets a documented response.
type example struct {
	operation string // its id
	status    int
	request   *http.Request
	before    func() // called once, before the request
}

// examples has a request for each documented response except 503.
func examples(s *site) []example {
	boss, target, self := s.Person("boss", models.RoleAdmin), s.Person("target", models.RoleUser), s.Person("ana", models.RoleUser)
	busy := s.Person("busy", models.RoleAdmin)
	admin, me := s.signIn("boss", allScopes).Access, s.signIn("ana", "me me:write").Access
	onlyMe, busyToken, busyMe := s.signIn("ana", "me").Access, s.signIn("busy", allScopes).Access, s.signIn("busy", allScopes).Access
	personal := s.personal(self, "me")
	disposable := func() string { return s.signIn("ana", "me").Access }
	call, form := s.callRequest, s.formRequest
	change := func(r *http.Request, f func(*http.Request)) *http.Request { f(r); return r }
	typed := func(media string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", media) }
	}
	twice := func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer a", "Bearer b"} }
	bearing := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	often := func(n int, r func(i int) *http.Request) func() {
		return func() {
			for i := range n {
				s.do(r(i))
			}
		}
	}
	large := func(r *http.Request) { r.ContentLength = 1 << 20 }
	password := []string{"username", "ana", "password", secretWord}
	one, theirs := "/users/"+target.ID, "/users/"+target.ID+"/sessions"
	nobody := models.NewID()
	list := []example{
		{"metadata", 200, s.request("GET", "/.well-known/oauth-authorization-server", ""), nil},
		{"token", 200, form("/token", password...), nil},
		{"token", 400, form("/token", "grant_type", "password", "username", "ana", "password", "wrong"), nil},
		{"token", 401, form("/token", "username", "ana", "password", "wrong"), nil},
		{"token", 422, form("/token", "username", "ana"), nil},
		{"token", 401, form("/token", append([]string{"client_secret", "x"}, password...)...), nil},
		{"token", 413, form("/token", "username", strings.Repeat("a", 9<<10)), nil},
		{"token", 415, change(form("/token", password...), typed("application/json")), nil},
		{
			"token", 429, form("/token", "username", "guessed", "password", "wrong"),
			often(6, func(int) *http.Request { return form("/token", "username", "guessed", "password", "wrong") }),
		},
		{"revoke", 200, form("/revoke", "token", "junk"), nil},
		{"revoke", 400, form("/revoke"), nil},
		{"revoke", 401, form("/revoke", "token", "junk", "client_secret", "x"), nil},
		{"revoke", 413, change(form("/revoke", "token", "junk"), large), nil},
		{"revoke", 415, change(form("/revoke", "token", "junk"), typed("application/json")), nil},
		{"introspect", 200, change(form("/introspect", "token", me), bearing(admin)), nil},
		{"introspect", 200, change(form("/introspect", "token", "junk"), bearing(admin)), nil},
		{"introspect", 400, change(form("/introspect"), bearing(admin)), nil},
		{"introspect", 400, form("/introspect", "token", me, "access_token", admin), nil},
		{"introspect", 401, form("/introspect", "token", me), nil},
		{"introspect", 403, change(form("/introspect", "token", me), bearing(me)), nil},
		{"introspect", 413, change(form("/introspect", "token", me), large), nil},
		{"introspect", 415, change(call(admin, "POST", "/introspect", "{}"), bearing(admin)), nil},
		{"openapi", 200, call("", "GET", "/openapi.json", ""), nil},

		{"login", 200, call("", "POST", "/login", `{"username":"ana","password":"`+secretWord+`"}`), nil},
		{"login", 400, call("", "POST", "/login", `{"username":"ana","password":"`+secretWord+`","scope":"everything"}`), nil},
		{"login", 401, call("", "POST", "/login", `{"username":"ana","password":"wrong"}`), nil},
		{"login", 413, form("/login", "username", strings.Repeat("a", 9<<10)), nil},
		{"login", 415, change(call("", "POST", "/login", `{}`), typed("text/plain")), nil},
		{"login", 422, call("", "POST", "/login", `{}`), nil},
		{"login", 429, call("", "POST", "/login", `{"username":"guessed","password":"wrong"}`), nil},
		{"signup", 200, call("", "POST", "/signup", `{"username":"eve","email":"eve@example.org","password":"`+secretWord+`"}`), nil},
		{"signup", 400, call("", "POST", "/signup?password=x", `{}`), nil},
		{"signup", 413, change(call("", "POST", "/signup", `{}`), large), nil},
		{"signup", 415, change(call("", "POST", "/signup", `{}`), typed("text/plain")), nil},
		{"signup", 422, call("", "POST", "/signup", `{"username":"eve","password":"`+secretWord+`"}`), nil},
		{"signup", 429, call("", "POST", "/signup", `{"username":"last","email":"l@example.org","password":"`+secretWord+`"}`), often(9, func(i int) *http.Request {
			return call("", "POST", "/signup", fmt.Sprintf(`{"username":"eve%d","email":"e%d@example.org","password":%q}`, i, i, secretWord))
		})},

		{"refresh-access", 200, call(s.signIn("ana", "me").Refresh, "GET", "/refresh_token", ""), nil},
		{"refresh-token", 200, call(me, "POST", "/refresh-token", ""), nil},
		{"refresh-token", 403, call(personal, "POST", "/refresh-token", ""), nil},
		{"revoke-token", 200, call(disposable(), "POST", "/revoke-token", ""), nil},

		{"read-me", 200, call(me, "GET", "/users/me", ""), nil},
		{"read-me", 403, call(s.signIn("boss", "users").Access, "GET", "/users/me", ""), nil},
		{"change-me", 200, call(me, "PATCH", "/users/me", `{"full_name":"Ana Lima"}`), nil},
		{"change-me", 403, call(onlyMe, "PATCH", "/users/me", `{"full_name":"Ana"}`), nil},
		{"change-me", 413, change(call(me, "PATCH", "/users/me", `{}`), large), nil},
		{"change-me", 415, change(call(me, "PATCH", "/users/me", `{}`), typed("text/plain")), nil},
		{"change-me", 422, call(me, "PATCH", "/users/me", `{"email":"new@example.org"}`), nil},
		{"change-me", 429, call(busyMe, "PATCH", "/users/me", `{"username":"last","current_password":"`+secretWord+`"}`), often(10, func(i int) *http.Request {
			return call(busyMe, "PATCH", "/users/me", fmt.Sprintf(`{"username":"busy%d","current_password":%q}`, i, secretWord))
		})},

		{"list-users", 200, call(admin, "GET", "/users?limit=2&after=", ""), nil},
		{"list-users", 403, call(me, "GET", "/users", ""), nil},
		{"list-users", 422, call(admin, "GET", "/users?sort=shoe-size", ""), nil},
		{"read-user", 200, call(admin, "GET", one, ""), nil},
		{"read-user", 403, call(me, "GET", one, ""), nil},
		{"read-user", 404, call(admin, "GET", "/users/"+nobody, ""), nil},
		{"change-user", 200, call(admin, "PATCH", one, `{"disabled":true,"reason":"left the team","role":"user","full_name":"T"}`), nil},
		{"change-user", 403, call(me, "PATCH", one, `{"disabled":true}`), nil},
		{"change-user", 404, call(admin, "PATCH", "/users/"+nobody, `{"disabled":true}`), nil},
		{"change-user", 409, call(admin, "PATCH", "/users/"+boss.ID, `{"disabled":true}`), nil},
		{"change-user", 413, change(call(admin, "PATCH", one, `{}`), large), nil},
		{"change-user", 415, change(call(admin, "PATCH", one, `{}`), typed("application/xml")), nil},
		{"change-user", 422, call(admin, "PATCH", one, `{"disabled":"yes"}`), nil},
		{"list-sessions", 200, call(admin, "GET", "/users/"+self.ID+"/sessions", ""), nil},
		{"list-sessions", 403, call(me, "GET", theirs, ""), nil},
		{"list-sessions", 404, call(admin, "GET", "/users/"+nobody+"/sessions", ""), nil},
		{"end-sessions", 200, call(admin, "DELETE", theirs, ""), nil},
		{"end-sessions", 403, call(me, "DELETE", theirs, ""), nil},
		{"end-sessions", 404, call(admin, "DELETE", "/users/"+nobody+"/sessions", ""), nil},
		{"end-sessions", 409, call(admin, "DELETE", "/users/"+boss.ID+"/sessions", ""), nil},
		{
			"end-sessions", 429, call(busyToken, "DELETE", theirs, ""),
			often(60, func(int) *http.Request { return call(busyToken, "DELETE", "/users/"+busy.ID+"/sessions", "") }),
		},
		{"change-user", 429, call(busyToken, "PATCH", one, `{"disabled":true}`), nil},
	}
	for id, route := range bearerRoutes(one) {
		method, path, _ := strings.Cut(route, " ")
		list = append(list, example{id, 401, call("", method, path, ""), nil}, example{id, 400, change(call("", method, path, ""), twice), nil})
	}
	return list
}

// bearerRoutes are the operations that need a token, by their ids.
func bearerRoutes(one string) map[string]string {
	return map[string]string{
		"refresh-access": "GET /refresh_token", "refresh-token": "POST /refresh-token", "revoke-token": "POST /revoke-token",
		"read-me": "GET /users/me", "change-me": "PATCH /users/me", "list-users": "GET /users", "read-user": "GET " + one,
		"change-user": "PATCH " + one, "list-sessions": "GET " + one + "/sessions", "end-sessions": "DELETE " + one + "/sessions",
	}
}

// outages has a request for each documented 503, to be sent without a database.
func outages(s *site) []example {
	keeper := s.Person("keeper", models.RoleAdmin)
	tokens := s.signIn("keeper", allScopes)
	admin := tokens.Access
	introspect := s.formRequest("/introspect", "token", admin)
	introspect.Header.Set("Authorization", "Bearer "+admin)
	list := []example{
		{"token", 503, s.formRequest("/token", "username", "keeper", "password", secretWord), nil},
		{"revoke", 503, s.formRequest("/revoke", "token", admin), nil},
		{"introspect", 503, introspect, nil},
		{"login", 503, s.formRequest("/login", "username", "keeper", "password", secretWord), nil},
		{"signup", 503, s.formRequest("/signup", "username", "late", "email", "late@example.org", "password", secretWord), nil},
		{"refresh-access", 503, s.callRequest(tokens.Refresh, "GET", "/refresh_token", ""), nil},
	}
	for id, route := range bearerRoutes("/users/" + keeper.ID) {
		method, path, _ := strings.Cut(route, " ")
		if id == "refresh-access" {
			continue // above, with a refresh token
		}
		list = append(list, example{id, 503, s.callRequest(admin, method, path, ""), nil})
	}
	return list
}

// TestContract produces every documented response and checks it against its
// schema. It fails for a documented response without an example, and for an
// example whose response is not documented.
func TestContract(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		s := newSite(t, store, withLimits)
		d := documentOf(t, s)
		want, got := map[string]bool{}, map[string]bool{}
		byID := map[string]map[string]any{}
		d.operations(func(_, _ string, operation map[string]any) {
			id := operation["operationId"].(string)
			byID[id] = operation
			for status := range operation["responses"].(map[string]any) {
				want[id+" "+status] = true
			}
		})
		answers := func(list []example) {
			for _, example := range list {
				got[fmt.Sprintf("%s %d", example.operation, example.status)] = true
				checkExample(t, s, d, byID[example.operation], example)
			}
		}
		answers(examples(s))
		down := outages(s)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		answers(down)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("documented and actual responses differ (-documented +actual):\n%s", diff)
		}
	})
}

func checkExample(t *testing.T, s *site, d document, operation map[string]any, e example) {
	t.Helper()
	if e.before != nil {
		e.before()
	}
	a := s.do(e.request).is(e.status)
	if a.code == http.StatusTooManyRequests {
		a.saysWhen()
	}
	response, _ := operation["responses"].(map[string]any)[fmt.Sprint(a.code)].(map[string]any)
	for name := range object(response, "headers") {
		if name != "Link" && a.header.Get(name) == "" {
			t.Errorf("%s: %s (%d) has no header %s", e.operation, a.asked, a.code, name)
		}
	}
	content := object(response, "content")
	if content == nil {
		if a.body != "" {
			t.Errorf("%s: %s (%d) has a body that is not documented: %s", e.operation, a.asked, a.code, a.body)
		}
		return
	}
	media := object(content, a.header.Get("Content-Type"))
	if media == nil {
		t.Errorf("%s: %s (%d) is %q, which is not documented", e.operation, a.asked, a.code, a.header.Get("Content-Type"))
		return
	}
	var body any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		t.Errorf("%s: %v", a.asked, err)
	}
	for _, wrong := range d.check(object(media, "schema"), body, "body") {
		t.Errorf("%s: %s (%d): %s", e.operation, a.asked, a.code, wrong)
	}
}

// object returns a member that is an object, or nil.
func object(node map[string]any, name string) map[string]any {
	member, _ := node[name].(map[string]any)
	return member
}
