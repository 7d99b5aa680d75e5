package proxytest

import (
	"path/filepath"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// realApp is an app by other people. The files of its folder below
// examples/forward-auth configure it and the proxies.
type realApp struct {
	name    string
	start   func(t *testing.T) (addr string)
	changes map[string][]change // of the proxies' configurations
}

// change replaces a line of a proxy's configuration with a file of the app's folder.
type change struct{ line, file string }

type scenario struct {
	name string
	run  func(w *world)
}

// config returns a file of the app's folder with the values of this test in
// place of the documented ones.
func (a realApp) config(t *testing.T, name string, replace ...string) string {
	t.Helper()
	return replaced(t, read(t, filepath.Join(examples, a.name, name)), replace...)
}

// behindProxies runs scenarios with the app behind nginx and Caddy.
func (a realApp) behindProxies(t *testing.T, scenarios []scenario) {
	for _, p := range proxies[:2] {
		t.Run(p.name, func(t *testing.T) {
			program := findProgram(t, p.name)
			b := backends{app: a.start(t)}
			for _, c := range a.changes[p.name] {
				b.changes = append(b.changes, c.line, a.config(t, c.file))
			}
			w := newWorldOf(t, p, program, testdb.SQLite(t), b)
			w.person("root-of-all", "", models.RoleAdmin) // so that others can be disabled
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) {
					w.t = t
					s.run(w)
				})
			}
		})
	}
}

// personalToken creates a personal access token with the scope apps.
func (w *world) personalToken(user *models.User) string {
	w.t.Helper()
	secret, _, err := w.accounts.CreatePersonalToken(w.t.Context(), account.PersonalTokenDraft{
		Identity: &auth.Identity{
			UserID: user.ID, Username: user.Username, Email: user.Email, SessionID: testdb.Session(w.t, w.store, user.ID, time.Now()),
		},
		Name: "Phone", Scopes: []string{"apps"}, Days: 30, Current: secretWord,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) disable(user *models.User) {
	w.t.Helper()
	if _, _, err := w.accounts.Disable(w.t.Context(), auth.Shell(), user.ID, "left"); err != nil {
		w.t.Fatal(err)
	}
}
