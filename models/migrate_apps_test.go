package models_test

import (
	"io/fs"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/migrations"
	"latchkey/models"
)

// TestMigrateApps checks that tokens that could open apps before the scope existed
// get it, and that no other token does.
func TestMigrateApps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		text, err := fs.ReadFile(migrations.Files, store.Dialect()+"/00007_scope_apps.sql")
		must(t, err)
		_, rest, _ := strings.Cut(string(text), "-- +goose Up")
		up, down, found := strings.Cut(rest, "-- +goose Down")
		if !found {
			t.Fatalf("no statements in %s", text)
		}
		scopes := map[string]string{
			"me": "me apps", "me me:write": "me me:write apps", "me users users:write introspect": "me users users:write introspect apps",
			"me:write": "me:write", "users": "users", "introspect": "introspect", "home": "home",
		}
		user := addUser(t, store, "ada")
		ids := map[string]string{}
		for before := range scopes {
			ids[before] = models.NewID()
			must(t, store.PersonalTokens.Create(t.Context(), &models.PersonalToken{
				ID: ids[before], UserID: user.ID, Name: before, TokenHash: models.HashToken(before), Scope: before, ExpiresAt: 1,
			}))
		}
		_, err = store.SQL().ExecContext(t.Context(), up)
		must(t, err)
		for before, want := range scopes {
			row, err := store.PersonalTokens.ByID(t.Context(), ids[before], user.ID)
			must(t, err)
			if row.Scope != want {
				t.Errorf("%q became %q, want %q", before, row.Scope, want)
			}
		}
		_, err = store.SQL().ExecContext(t.Context(), down)
		must(t, err)
		for before, id := range ids {
			row, err := store.PersonalTokens.ByID(t.Context(), id, user.ID)
			must(t, err)
			if row.Scope != before {
				t.Errorf("%q came back as %q", before, row.Scope)
			}
		}
	})
}
