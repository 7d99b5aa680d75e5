package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/handlers/api"
	"latchkey/models"
)

// TestBadIDs puts text that is no id in every place of every route where one
// is expected: 404, on each database, and never a query with it.
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

// pathWith fills in the ids of a route: bad at one place, good at the others.
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
