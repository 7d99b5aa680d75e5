package api_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/models"
)

// TestJSONBodies sends bodies that are not a JSON object in UTF-8 to every typed
// route. It checks that nothing changes and that each response has a detail.
func TestJSONBodies(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("boss", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		token := s.signIn("boss", allScopes).Access
		for _, test := range []struct {
			name, kind, body string
			status           int
		}{
			{"a list", "application/json", `[{"full_name":"X"}]`, 422},
			{"a string", "application/json", `"X"`, 422},
			{"null", "application/json", `null`, 422},
			{"half an object", "application/json", `{"full_name":"X"`, 400},
			{"a name twice", "application/json", `{"full_name":"X","full_name":"Y"}`, 422},
			{"a wrong type", "application/json", `{"full_name":["X"]}`, 422},
			{"not UTF-8", "application/json", "{\"full_name\":\"J\xf6rg\"}", 400},
			{"another charset", "application/json; charset=iso-8859-1", `{"full_name":"X"}`, 415},
			{"a form", "application/x-www-form-urlencoded", `full_name=X`, 415},
			{"a multipart form", "multipart/form-data; boundary=x", "--x--", 415},
			{"64 KB and more", "application/json", `{"full_name":"` + strings.Repeat("x", 64<<10) + `"}`, 413},
		} {
			for _, path := range []string{"/users/me", "/users/" + user.ID} {
				r := s.callRequest(token, http.MethodPatch, path, test.body)
				r.Header.Set("Content-Type", test.kind)
				a := s.do(r)
				if a.code != test.status {
					t.Errorf("%s: %s: got %d, want %d: %s", path, test.name, a.code, test.status, a.body)
				}
				a.problem(a.code)
			}
		}
		if got := s.Reload(user); got.FullName != "" {
			t.Errorf("the name is %q", got.FullName)
		}
	})
}
