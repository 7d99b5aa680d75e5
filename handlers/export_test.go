package handlers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// eventful makes an account to which everything happened that an export can hold, and
// returns its browser and the secrets that must not be in it.
func (s *site) eventful(boss auth.Actor) (b *browser, secrets []string) {
	s.T.Helper()
	ctx := s.T.Context()
	must := func(err error) {
		s.T.Helper()
		if err != nil {
			s.T.Fatal(err)
		}
	}
	b, user := s.signedIn("ana", models.RoleUser)
	b.post("/profile/name", "full_name", "Ana").status(303)
	b.post("/profile/name", "full_name", "Ana Silva").status(303)
	b.post("/profile/username", "username", "ana.silva", "current_password", secretWord).status(303)
	a := b.post("/profile/tokens", "name", "Backup", "scope.me", "on", "days", "30", "current_password", secretWord).status(303)
	shown := b.follow(a)
	secret := shown.body[strings.Index(shown.body, "lk_"):]
	secret = secret[:strings.IndexAny(secret, `<"`)]
	other := b.post("/profile/tokens", "name", "Old one", "scope.me", "on", "days", "7", "current_password", secretWord).header.Get("Location")
	b.follow(&answer{t: s.T, code: 303, header: http.Header{"Location": {other}}})
	b.post(other + "/end").status(303)
	s.browser().post("/login", "username", "ana.silva", "password", "wrong").status(422)
	grant, err := s.OAuth.PasswordGrant(ctx, oauth.PasswordGrant{Username: "ana.silva", Password: secretWord, Scope: "me", ClientID: "cron"}, auth.Client{})
	must(err)
	renamed := s.Reload(user)
	renamed.Email, renamed.EmailFolded = "ana@example.net", "ana@example.net"
	must(s.Store.Users.SetNames(ctx, renamed, s.Clock.Now()))
	must(s.Store.Users.SetEmailVerified(ctx, user.ID, s.Clock.Now()))
	_, _, err = s.Accounts.EditUser(ctx, boss, user.ID, account.Edit{Account: account.Profile{Username: "ana.silva", Email: "ana@example.com", FullName: "Ana Silva"}})
	must(err)
	_, _, err = s.Accounts.Disable(ctx, boss, user.ID, "a note that is for admins")
	must(err)
	_, err = s.Accounts.Enable(ctx, boss, user.ID)
	must(err)
	for _, role := range []models.Role{models.RoleAdmin, models.RoleUser} {
		_, err = s.Accounts.SetRole(ctx, boss, user.ID, role)
		must(err)
	}
	_, link, err := s.Accounts.CreateResetLink(ctx, boss, user.ID)
	must(err)
	must(s.Store.Deliveries.Create(ctx, models.Delivery{
		ID: models.NewID(), Kind: "mail", Topic: "notice", UserID: user.ID, Recipient: "ana@example.net", State: models.DeliverySent,
		Body: "the body of a letter", CreatedAt: models.At(s.Clock.Now()), OverAt: models.At(s.Clock.Now()), Answer: "250 Ok",
	}))
	b = s.browser()
	b.signIn("ana.silva")
	hash := s.Reload(user).PasswordHash
	secrets = []string{secret, models.HashToken(secret), grant.Refresh, link, models.HashToken(link), hash, "argon2", "the body of a letter"}
	recovery := factor.NewRecoveryCodes()
	app, key := s.GiveApp(user, recovery...), s.GivePasskey(user, "Phone")
	row, err := s.Store.Apps.Current(ctx, user.ID)
	must(err)
	secrets = append(append(secrets, factor.Key(app), row.Secret, key.CredentialID, key.PublicKey), recovery...)
	for _, session := range s.LiveSessions(user.ID) {
		secrets = append(secrets, session.ID)
	}
	for _, c := range b.cookies {
		secrets = append(secrets, c.value, models.HashToken(c.value))
	}
	return b, secrets
}

// TestExport checks that the file has the person's data, fits its schema, and has
// neither secrets nor anyone else's data.
func TestExport(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		admin := s.Person("headmistress", models.RoleAdmin)
		s.Person("bystander", models.RoleUser)
		boss := auth.Actor{
			UserID: admin.ID, Name: "headmistress", SessionID: s.sessionOf(admin), Client: auth.Client{UserAgent: "AdminBrowser", RequestID: "REQ"},
		}
		b, secrets := s.eventful(boss)
		s.Clock.Advance(time.Second)
		b.get("/profile/export").status(200).says("Download your data", "without their secrets", "no one else’s data")
		a := b.post("/profile/export").status(200)
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "Content-Disposition": `attachment; filename="ana.silva-2026-11-22.json"`,
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		for _, text := range append(secrets, "headmistress", "bystander", "a note that is for admins", "AdminBrowser", admin.ID, "REQ") {
			if text != "" && strings.Contains(a.body, text) {
				t.Errorf("the file has %q", text)
			}
		}
		var file map[string]any
		if err := json.Unmarshal([]byte(a.body), &file); err != nil {
			t.Fatalf("%v:\n%s", err, a.body)
		}
		for _, want := range []string{
			`"email": "ana@example.com"`, `"email": "ana@example.net"`, `"email": "ana@example.org"`, `"An admin disabled your account."`,
			`"Someone tried to sign in to your account. The password was wrong."`, `"You downloaded your data."`, `"cron"`, `"Firefox on Linux"`,
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("the file lacks %s:\n%s", want, a.body)
			}
		}
		b.get("/profile").says("You downloaded your data.")
		schema := exportSchema(t)
		schema.check("$", file, schema.root)
		for _, property := range slices.Sorted(maps.Keys(schema.properties(schema.root))) {
			if !schema.seen[property] {
				t.Errorf("no export of this account has the field %s", property)
			}
		}
	})
}

func (s *site) sessionOf(user *models.User) string {
	s.T.Helper()
	b := s.browser()
	b.signIn(user.Username)
	return s.LiveSessions(user.ID)[0].ID
}

// TestExportIsWhole checks a history that is longer than a batch, and the limit.
func TestExportIsWhole(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		var events []models.Event
		for i := range 1100 {
			events = append(events, models.Event{At: models.Time(i + 1), Action: "password-change", ActorID: user.ID, SubjectID: user.ID})
		}
		if err := s.Store.Audit.Append(t.Context(), events...); err != nil {
			t.Fatal(err)
		}
		var file struct{ Events, SignIns []any }
		if err := json.Unmarshal([]byte(b.post("/profile/export").status(200).body), &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Events) != 1101 { // with the download
			t.Errorf("%d events, want 1101", len(file.Events))
		}
		for range 9 {
			b.post("/profile/export").status(200)
		}
		b.post("/profile/export").status(429).says("You downloaded your data many times in a short time. You can try again in 60 minutes")
	}, withLimits)
}

// schema is the JSON Schema of docs/export.md: the few keywords that it uses.
type schema struct {
	t    *testing.T
	root map[string]any
	defs map[string]any
	seen map[string]bool // fields that a checked value has, each as path
}

func exportSchema(t *testing.T) *schema {
	t.Helper()
	page, err := os.ReadFile("../docs/export.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```json\n")
	text, _, _ = strings.Cut(text, "\n```")
	s := &schema{t: t, seen: map[string]bool{}}
	if err := json.Unmarshal([]byte(text), &s.root); err != nil {
		t.Fatal(err)
	}
	s.defs, _ = s.root["$defs"].(map[string]any)
	return s
}

func (s *schema) resolve(node map[string]any) map[string]any {
	if name, ok := node["$ref"].(string); ok {
		node, _ = s.defs[strings.TrimPrefix(name, "#/$defs/")].(map[string]any)
	}
	return node
}

// properties returns the paths of every field that the schema names.
func (s *schema) properties(node map[string]any) map[string]bool {
	found := map[string]bool{}
	s.walk("$", node, found)
	return found
}

func (s *schema) walk(path string, node map[string]any, found map[string]bool) {
	node = s.resolve(node)
	if items, ok := node["items"].(map[string]any); ok {
		s.walk(path+"[]", items, found)
	}
	properties, _ := node["properties"].(map[string]any)
	for name, property := range properties {
		// The events of signing in are a part of the others.
		if !strings.HasPrefix(path, "$.sign_ins") {
			found[path+"."+name] = true
		}
		s.walk(path+"."+name, property.(map[string]any), found)
	}
}

// check checks a value against a node.
func (s *schema) check(path string, value any, node map[string]any) {
	s.t.Helper()
	node = s.resolve(node)
	if want, ok := node["const"]; ok && value != want {
		s.t.Errorf("%s is %v, want %v", path, value, want)
	}
	if choices, ok := node["enum"].([]any); ok && !slices.Contains(choices, value) {
		s.t.Errorf("%s is %v, want one of %v", path, value, choices)
	}
	if kinds := fmt.Sprint(node["type"]); node["type"] != nil && !strings.Contains(kinds, kindOf(value)) {
		s.t.Errorf("%s is %s, want %s", path, kindOf(value), kinds)
	}
	if text, ok := value.(string); ok && node["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil || !strings.HasSuffix(text, "Z") {
			s.t.Errorf("%s is %q, want a time in UTC", path, text)
		}
	}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			s.check(path+"[]", item, node["items"].(map[string]any))
		}
	case map[string]any:
		properties, _ := node["properties"].(map[string]any)
		required, _ := node["required"].([]any)
		for _, name := range required {
			if _, has := value[name.(string)]; !has {
				s.t.Errorf("%s has no %s", path, name)
			}
		}
		for name, field := range value {
			property, known := properties[name].(map[string]any)
			if !known {
				s.t.Errorf("the schema does not name %s.%s", path, name)
				continue
			}
			s.seen[path+"."+name] = true
			s.check(path+"."+name, field, property)
		}
	}
}

// kindOf names the JSON type of a value.
func kindOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
