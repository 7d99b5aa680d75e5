package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/models"
)

// accountJSON has the members of an account that the tests read.
type accountJSON struct {
	ID             string  `json:"id"`
	Username       string  `json:"username"`
	Email          string  `json:"email"`
	FullName       string  `json:"full_name"`
	Role           string  `json:"role"`
	Disabled       bool    `json:"disabled"`
	DisabledReason string  `json:"disabled_reason"`
	LastSignInAt   *string `json:"last_sign_in_at"`
}

// listing is a page of accounts.
type listing struct {
	Items    []accountJSON `json:"items"`
	Next     *string       `json:"next"`
	Previous *string       `json:"previous"`
}

func (l listing) names() []string {
	var names []string
	for _, item := range l.Items {
		names = append(names, item.Username)
	}
	return names
}

// TestUsers lists accounts with every parameter.
func TestUsers(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		s.Person("ana", models.RoleUser)
		s.Person("bob", models.RoleUser)
		s.disable(s.Person("cleo", models.RoleUser))
		s.Invited("dora")
		token := s.signIn("boss", "users").Access
		for query, want := range map[string][]string{
			"":                             {"ana", "bob", "boss", "cleo", "dora"},
			"?q=bo":                        {"bob", "boss"},
			"?q=ana@example.org":           {"ana"},
			"?q=zzz":                       nil,
			"?status=disabled":             {"cleo"},
			"?status=active&role=user":     {"ana", "bob"},
			"?status=invited":              {"dora"},
			"?role=admin":                  {"boss"},
			"?sort=-username":              {"dora", "cleo", "boss", "bob", "ana"},
			"?sort=-last_sign_in&limit=1":  {"boss"},
			"?limit=100&sort=email":        {"ana", "bob", "boss", "cleo", "dora"},
			"?status=&role=&q=&sort=&x=":   nil, // refused below
			"?sort=username&after=&limit=": {"ana", "bob", "boss", "cleo", "dora"},
		} {
			a := s.call(token, "GET", "/users"+query, "")
			if strings.Contains(query, "x=") {
				a.problem(422)
				continue
			}
			var got listing
			a.is(200).into(&got)
			if diff := cmp.Diff(want, got.names()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", query, diff)
			}
		}
		if a := s.call(token, "HEAD", "/users", ""); a.code != 200 {
			t.Errorf("HEAD: got %d", a.code)
		}
	})
}

// TestUserPages follows next through all pages, and the Link header back.
func TestUserPages(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		for i := range 6 {
			s.Person(fmt.Sprintf("user%d", i), models.RoleUser)
		}
		token := s.signIn("boss", "users").Access
		var forward, back []string
		path, last := "/users?limit=3&role=user&sort=-username", ""
		for path != "" {
			var page listing
			a := s.call(token, "GET", path, "").is(200).into(&page)
			forward = append(forward, page.names()...)
			last, path = path, ""
			if page.Next != nil {
				path = "/users?limit=3&role=user&sort=-username&after=" + url.QueryEscape(*page.Next)
				s.call(token, "GET", strings.Replace(path, "-username", "username", 1), "").problem(422) // the cursor is of another order
				if got := linked(a, "next"); got != path[:6]+sorted(path[7:]) {
					t.Errorf("got Link %q beside next %q", got, path)
				}
			}
		}
		for path = last; path != ""; {
			var page listing
			a := s.call(token, "GET", path, "").is(200).into(&page)
			back = append(page.names(), back...)
			path = linked(a, "prev")
			if (path == "") != (page.Previous == nil) {
				t.Errorf("got Link %q beside previous %v", path, page.Previous)
			}
		}
		want := []string{"user5", "user4", "user3", "user2", "user1", "user0"}
		if diff := cmp.Diff(want, forward); diff != "" {
			t.Errorf("forward (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Errorf("back (-want +got):\n%s", diff)
		}
	})
}

// linked returns the path of a relation in the Link header, or "".
func linked(a *answer, relation string) string {
	found := regexp.MustCompile(`<` + publicURL + `([^>]*)>; rel="` + relation + `"`).FindStringSubmatch(a.header.Get("Link"))
	if found == nil {
		return ""
	}
	return found[1]
}

// sorted returns a query with its parameters in order.
func sorted(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return err.Error()
	}
	return "?" + values.Encode()
}

// TestBadQueries checks that a query that is not valid gets a 422 that names the
// parameter.
func TestBadQueries(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		token := s.signIn("boss", "users").Access
		for query, field := range map[string]string{
			"page=2": "page", "Q=x": "Q", "status=banned": "status", "role=root": "role", "sort=shoe-size": "sort",
			"limit=0": "limit", "limit=101": "limit", "limit=many": "limit", "limit=-1": "limit",
			"q=" + strings.Repeat("x", 201): "q", "after=junk": "", "before=junk": "", "after=a&before=b": "",
			"after=" + strings.Repeat("x", 1025): "after",
		} {
			a := s.call(token, "GET", "/users?"+query, "").problem(422)
			var got struct {
				Errors []struct{ Field, Message string } `json:"errors"`
			}
			a.into(&got)
			if field != "" && (len(got.Errors) != 1 || got.Errors[0].Field != field || got.Errors[0].Message == "") {
				t.Errorf("%s: got %s, want an error of %s", query, a.body, field)
			}
		}
	})
}

// TestChangeMe checks which fields a person can change with a token.
func TestChangeMe(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("taken", models.RoleUser)
		user := s.Person("ana", models.RoleUser)
		token := s.signIn("ana", "me me:write").Access
		var got accountJSON
		s.call(token, "PATCH", "/users/me", `{"full_name":"  Ana Lima "}`).is(200).into(&got)
		s.call(token, "PATCH", "/users/me/", `{"username":"Ana.Lima","current_password":"`+secretWord+`"}`).is(200).into(&got)
		want := accountJSON{ID: user.ID, Username: "ana.lima", Email: "ana@example.org", FullName: "Ana Lima"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s.call(token, "GET", "/users/me", "").is(200).has("full_name", "Ana Lima").has("username", "ana.lima")
		s.call(token, "PATCH", "/users/me", `{"full_name":""}`).is(200).has("full_name", "").has("username", "ana.lima")
		if !slices.Contains(s.actions(), "profile-change") {
			t.Errorf("the audit log has %q", s.actions())
		}
		for _, test := range []struct {
			body   string
			status int
			words  string
		}{
			{`{"email":"new@example.org"}`, 422, "/profile/email"},
			{`{"password":"` + secretWord + `"}`, 422, "/profile/password"},
			{`{"full_name":"A","role":"admin"}`, 422, "role"},
			{`{"disabled":false}`, 422, "disabled"},
			{`{"id":"x"}`, 422, "id"},
			{`{"Full_Name":"A"}`, 422, "Full_Name"},
			{`{"full_name":"A","full_name":"B"}`, 422, "twice"},
			{`{"full_name":"A","username":null}`, 422, "username"},
			{`{"full_name":"A","FULL_NAME":"B"}`, 422, "FULL_NAME"},
			{`{"username":"free"}`, 422, "current_password"},
			{`{"username":"free","current_password":"wrong wrong wrong"}`, 422, "current_password"},
			{`{"username":"taken","current_password":"` + secretWord + `"}`, 422, "username"},
			{`{"username":"a b"}`, 422, "username"},
			{`{"full_name":7}`, 422, "full_name"},
			{`{"full_name":null}`, 422, "full_name"},
			{`{"full_name":"` + strings.Repeat("x", 129) + `"}`, 422, "full_name"},
			{`{}`, 422, "at least one field"},
			{`[]`, 422, ""},
			{`null`, 422, ""},
			{`"full_name"`, 422, ""},
			{`{"full_name":"A"`, 400, "JSON"},
			{`{"full_name":"A"} {}`, 400, "JSON"},
			{`full_name=A`, 400, "JSON"},
			{``, 400, "JSON"},
		} {
			a := s.call(token, "PATCH", "/users/me", test.body).problem(test.status)
			if !strings.Contains(a.member("detail"), test.words) || strings.Contains(a.body, secretWord) {
				t.Errorf("%s: got %s, want %q in it", test.body, a.body, test.words)
			}
		}
		for _, kind := range []string{"APPLICATION/JSON; charset=UTF-8", "application/json", "Application/Merge-Patch+Json"} {
			r := s.callRequest(token, "PATCH", "/users/me", `{"full_name":"Ana"}`)
			r.Header.Set("Content-Type", kind)
			s.do(r).is(200)
		}
		form := s.formRequest("/users/me", "full_name", "A")
		form.Method = http.MethodPatch
		form.Header.Set("Authorization", "Bearer "+token)
		s.do(form).problem(415)
		s.call(token, "PATCH", "/users/me", `{"full_name":"`+strings.Repeat("x", 65<<10)+`"}`).problem(413)
		chunked := s.callRequest(token, "PATCH", "/users/me", `{"full_name":"`+strings.Repeat("x", 65<<10)+`"}`)
		chunked.ContentLength = -1
		s.do(chunked).problem(413)
	})
}

// TestChangeUser checks an admin's changes, which are the same as on the pages.
func TestChangeUser(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss := s.Person("boss", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		theirs := s.signIn("ana", "me")
		personal := s.personal(user, "me")
		token := s.signIn("boss", allScopes).Access
		var got accountJSON
		s.call(token, "PATCH", "/users/"+user.ID, `{"disabled":true,"reason":"left the team","full_name":"Ana","role":"admin"}`).is(200).into(&got)
		want := accountJSON{
			ID: user.ID, Username: "ana", Email: "ana@example.org", FullName: "Ana", Role: "admin", Disabled: true,
			DisabledReason: "left the team", LastSignInAt: got.LastSignInAt,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, dead := range []string{theirs.Access, personal} {
			s.call(dead, "GET", "/users/me", "").problem(401)
		}
		s.form("/token", "grant_type", "refresh_token", "refresh_token", theirs.Refresh).oauth(400, "invalid_grant")
		for _, action := range []string{"user-disable", "user-role"} {
			if !slices.Contains(s.actions(), action) {
				t.Errorf("the audit log has no %s: %q", action, s.actions())
			}
		}
		again := s.call(token, "PATCH", "/users/"+user.ID, `{"disabled":true,"reason":"another","full_name":"B"}`).problem(409)
		if !strings.Contains(again.member("detail"), "reason") {
			t.Errorf("got %s", again.body)
		}
		for _, body := range []string{`{"disabled":true}`, `{"disabled":true,"reason":" left  the team"}`} {
			s.call(token, "PATCH", "/users/"+user.ID, body).is(200).has("disabled_reason", "left the team").has("full_name", "Ana")
		}
		s.call(token, "PATCH", "/users/"+user.ID, `{"disabled":false,"role":"user"}`).is(200)
		s.signIn("ana", "me")

		for _, test := range []struct {
			id, body string
			status   int
		}{
			{boss.ID, `{"disabled":true}`, 409},
			{boss.ID, `{"role":"user"}`, 409},
			{models.NewID(), `{"disabled":true}`, 404},
			{"junk", `{"disabled":true}`, 404},
			{user.ID, `{}`, 422},
			{user.ID, `{"reason":"why"}`, 422},
			{user.ID, `{"disabled":false,"reason":"why"}`, 422},
			{user.ID, `{"disabled":"true"}`, 422},
			{user.ID, `{"disabled":1}`, 422},
			{user.ID, `{"disabled":null}`, 422},
			{user.ID, `{"role":"root"}`, 422},
			{user.ID, `{"role":""}`, 422},
			{user.ID, `{"email":"new@example.org"}`, 422},
			{user.ID, `{"username":"new"}`, 422},
			{user.ID, `{"disabled":true,"reason":"` + strings.Repeat("x", 501) + `"}`, 422},
			{user.ID, `{"disabled":true,"full_name":"` + strings.Repeat("x", 129) + `"}`, 422},
		} {
			s.call(token, "PATCH", "/users/"+test.id, test.body).problem(test.status)
		}
		var after accountJSON // the refused changes had no effect
		s.call(token, "GET", "/users/"+user.ID, "").is(200).into(&after)
		if after.Disabled || after.Role != "user" || after.FullName != "Ana" {
			t.Errorf("got %+v", after)
		}
	})
}

// TestLastAdmin checks that the API refuses to demote the last active admin.
func TestLastAdmin(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, other := s.Person("boss", models.RoleAdmin), s.Person("other", models.RoleAdmin)
		token, theirs := s.signIn("boss", allScopes).Access, s.signIn("other", allScopes).Access
		s.call(token, "PATCH", "/users/"+other.ID, `{"role":"user"}`).is(200)
		s.call(theirs, "PATCH", "/users/"+boss.ID, `{"role":"user"}`).problem(403)
		s.call(token, "PATCH", "/users/"+boss.ID, `{"role":"user"}`).problem(409)
	})
}

// TestUserSessions checks that an admin can list and end a person's sessions.
func TestUserSessions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, user := s.Person("boss", models.RoleAdmin), s.Person("ana", models.RoleUser)
		s.webToken("ana")
		client := s.formRequest("/token", "username", "ana", "password", secretWord, "client_id", "reports")
		var theirs grant
		s.do(client).is(200).into(&theirs)
		token := s.signIn("boss", "users users:write").Access
		path := "/users/" + user.ID + "/sessions"
		var list struct {
			Items []map[string]any `json:"items"`
		}
		s.call(token, "GET", path, "").is(200).into(&list)
		kinds := map[any]any{}
		for _, item := range list.Items {
			kinds[item["kind"]] = item["client_id"]
		}
		if diff := cmp.Diff(map[any]any{"web": nil, "api": "reports"}, kinds); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		var ended struct{ Ended json.Number }
		s.call(token, "DELETE", path, "").is(200).into(&ended)
		if ended.Ended != "2" {
			t.Errorf("got %s ended, want 2", ended.Ended)
		}
		s.call(theirs.Access, "GET", "/users/me", "").problem(401)
		s.call(token, "GET", path, "").is(200).into(&list)
		if len(list.Items) > 0 || !strings.Contains(s.call(token, "GET", path, "").body, `"items":[]`) {
			t.Errorf("got %v", list.Items)
		}
		s.call(token, "DELETE", "/users/"+boss.ID+"/sessions", "").problem(409)
		if !slices.Contains(s.actions(), "user-sign-out") {
			t.Errorf("the audit log has %q", s.actions())
		}
	})
}
