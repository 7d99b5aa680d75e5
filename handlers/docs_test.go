package handlers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"latchkey/models"
)

// TestDocs wants the page to name everything that the document describes, to
// be the same for everybody, and to be allowed no more than it needs.
func TestDocs(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		page := b.get("/docs").status(200).says("API", "POST /token Get tokens No token", "GET /users/me Read your own account Scope me").
			has(`src="/static/`, `data-document="/openapi.json"`, "curl -H")
		var document struct {
			Paths map[string]map[string]struct{ Summary string }
		}
		if err := json.Unmarshal([]byte(b.get("/openapi.json").status(200).body), &document); err != nil {
			t.Fatal(err)
		}
		operations := 0
		for path, item := range document.Paths {
			for method, operation := range item {
				operations++
				page.says(strings.ToUpper(method) + " " + path + " " + operation.Summary)
			}
		}
		if rows := strings.Count(page.body, `<p class="call">`); rows != operations || operations == 0 {
			t.Errorf("the list has %d endpoints, the document %d", rows, operations)
		}

		page.says(
			"Details of PATCH /users/{id}", "(path, required)", "disabled", "Answer: 200", "401 Unauthorized, 403 Forbidden",
			`-X PATCH `+s.url+`/users/{id} -H "Authorization: Bearer $TOKEN" --json '{"`, `/token -d username=… -d password=…`, `"token_type": "bearer"`,
		)

		everywhere := b.get("/login").header.Get("Content-Security-Policy")
		const trusted = "; require-trusted-types-for 'script'; trusted-types 'none'"
		if got, want := page.header.Get("Content-Security-Policy"), strings.Replace(everywhere, trusted, "", 1); got != want || got == everywhere {
			t.Errorf("got policy %q, want %q", got, want)
		}

		signedIn, _ := s.signedIn("ana", models.RoleAdmin)
		signedIn.post("/theme", "theme", "dark").redirects("/")
		again := signedIn.get("/docs").status(200).touchesNoToken()
		if again.body != page.body || len(again.cookies) > 0 {
			t.Errorf("the page depends on who asks; cookies %v", again.cookies)
		}
		if got := page.header.Get("Vary"); strings.Contains(got, "Cookie") {
			t.Errorf("got Vary %q", got)
		}
	})
}

// TestDocsWithHTTPS wants the rest of the policy kept.
func TestDocsWithHTTPS(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		if got := s.browser().get("/docs").status(200).header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "; upgrade-insecure-requests") {
			t.Errorf("got policy %q", got)
		}
	}, withHTTPS)
}
