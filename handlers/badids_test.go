package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/handlers/api"
	"latchkey/models"
)

// TestBadIDs replaces each id in the path of every route with text that is not an
// id. It checks that the response is 404 on each database, and that no query
// contains the text.
func TestBadIDs(t *testing.T) {
	bad := []string{"%00", "%FF", "a%00b", "%C3%28", "%ED%A0%80", "%E2%80%AE", "%27", strings.Repeat("a", 4000)}
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		user := s.Person("ana", models.RoleUser)
		tried := 0
		for _, route := range s.Echo.Routes() {
			if !strings.Contains(route.Path, ":") || api.Owns(route.Path) {
				continue
			}
			places := strings.Split(route.Path, "/")
			for at, place := range places {
				if !strings.HasPrefix(place, ":") {
					continue
				}
				for _, id := range bad {
					tried++
					path := pathWith(places, at, id, user.ID)
					r := boss.request(route.Method, path, "")
					a := boss.do(r).status(http.StatusNotFound)
					checkNoLeak(t, a, path)
				}
			}
		}
		if tried < 20*len(bad) {
			t.Errorf("tried only %d paths", tried)
		}
	})
}

// pathWith fills in the ids of a route: bad in one place, good in the others.
func pathWith(places []string, at int, bad, good string) string {
	filled := make([]string, len(places))
	for i, place := range places {
		switch {
		case i == at:
			filled[i] = bad
		case strings.HasPrefix(place, ":"):
			filled[i] = good
		default:
			filled[i] = place
		}
	}
	return strings.Join(filled, "/")
}
