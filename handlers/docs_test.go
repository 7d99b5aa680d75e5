package handlers_test

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestDocs checks that the page lists every endpoint of the document, that it is
// the same for everyone except for the theme, and that its content security policy
// allows no more than it needs.
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
		if rows := strings.Count(page.body, "<li data-operation="); rows != operations || operations == 0 {
			t.Errorf("the list has %d endpoints, the document %d", rows, operations)
		}

		page.says(
			"Details of PATCH /users/{id}", "(path, required)", "disabled", "Response: 200", "401 Unauthorized, 403 Forbidden",
			`-X PATCH `+s.URL+`/users/{id} -H "Authorization: Bearer $TOKEN" --json '{"`, `/token -d username=… -d password=…`, `"token_type": "bearer"`,
		)

		everywhere := b.get("/login").header.Get("Content-Security-Policy")
		if got := page.header.Get("Content-Security-Policy"); got != everywhere || !strings.Contains(got, "; require-trusted-types-for 'script'; trusted-types 'none'") {
			t.Errorf("got policy %q, want that of every page, with trusted types: %q", got, everywhere)
		}
		for _, mark := range []string{"`", "**", "](", "<", "\n"} { // docs.js shows the texts as they are
			for _, text := range descriptions(t, b.get("/openapi.json").body) {
				if strings.Contains(text, mark) {
					t.Errorf("the description %q has %q, which would be shown as it is", text, mark)
				}
			}
		}

		signedIn, _ := s.signedIn("ana", models.RoleAdmin)
		again := signedIn.get("/docs").status(200).touchesNoToken()
		if again.body != page.body || len(again.cookies) > 0 {
			t.Errorf("the page depends on who asks; cookies %v", again.cookies)
		}
		b.post("/theme", "theme", "dark", "next", "/docs").redirects("/docs")
		b.get("/docs").status(200).has(`data-theme="dark"`)
	})
}

// descriptions are the values of every member "description" of a JSON document.
func descriptions(t *testing.T, document string) (texts []string) {
	t.Helper()
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				walk(item)
			}
		case map[string]any:
			for name, item := range value {
				if text, ok := item.(string); ok && name == "description" {
					texts = append(texts, text)
				}
				walk(item)
			}
		}
	}
	var value any
	if err := json.Unmarshal([]byte(document), &value); err != nil {
		t.Fatal(err)
	}
	if walk(value); len(texts) == 0 {
		t.Fatal("the document describes nothing")
	}
	return texts
}

// TestDocsSamples checks that the sample responses are realistic.
func TestDocsSamples(t *testing.T) {
	s := newSite(t, testdb.SQLite(t))
	page := s.browser().get("/docs")
	samples := map[string]map[string]any{}
	for _, found := range regexp.MustCompile(`aria-label="Sample response: ([^"]*)"><code>([^<]*)</code>`).FindAllStringSubmatch(page.body, -1) {
		sample := map[string]any{}
		if err := json.Unmarshal([]byte(html.UnescapeString(found[2])), &sample); err != nil {
			t.Errorf("%s: %v in %s", found[1], err, found[2])
		}
		samples[html.UnescapeString(found[1])] = sample
	}
	if _, there := samples["POST /refresh-token"]["refresh_token"]; there || samples["POST /refresh-token"]["access_token"] == nil {
		t.Errorf("/refresh-token: got %v", samples["POST /refresh-token"])
	}
	if got := samples["POST /token"]; got["refresh_token"] == nil {
		t.Errorf("/token: got %v", got)
	}
	got := samples["POST /introspect"]
	issued, _ := got["iat"].(float64)
	if got["active"] != true || got["token_type"] != "Bearer" || got["nbf"] != issued || got["exp"] != issued+300 || issued < 1e9 {
		t.Errorf("/introspect: got %v", got)
	}
	if user := samples["PATCH /users/{id}"]; user["disabled"] != true || user["disabled_at"] == nil {
		t.Errorf("PATCH /users/{id}: got %v", user)
	}
	page.says(`{"disabled":true,`)
}

// TestDocsWithoutPasswords checks that the page offers no sign-in with a password
// that is not accepted. If sign-up is open, creating an account still requires one.
func TestDocsWithoutPasswords(t *testing.T) {
	s := newSite(t, testdb.SQLite(t), passwordsOff, signupClosed)
	s.browser().get("/docs").status(200).says("/token -d grant_type=… -d refresh_token=…").hides("username and a password", "-d password")
	document := s.browser().get("/openapi.json").status(200)
	for _, word := range []string{`"oauth2"`, `"flows"`, `"password"`, `"username":{"description":"Username or email`} {
		if strings.Contains(document.body, word) {
			t.Errorf("the document has %s", word)
		}
	}
}

// TestDocsWithHTTPS checks that the rest of the policy is kept.
func TestDocsWithHTTPS(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		if got := s.browser().get("/docs").status(200).header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "; upgrade-insecure-requests") {
			t.Errorf("got policy %q", got)
		}
	}, withHTTPS)
}
