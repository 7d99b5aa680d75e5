package models_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// epoch is the time at which the tests of this package begin.
var epoch = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)

// addUser stores an account whose address is name@example.org.
func addUser(t *testing.T, store *models.Store, name string) *models.User {
	t.Helper()
	user := &models.User{
		ID: models.NewID(), Username: name, Email: name + "@Example.org", FullName: "The " + name, PasswordHash: "hash of " + name,
		PasswordChangedAt: models.At(epoch), Role: models.RoleUser, CreatedAt: models.At(epoch), UpdatedAt: models.At(epoch),
	}
	if err := store.Users.Create(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	return user
}

// sample is a session with an absolute limit of a day and an idle limit of an hour.
func sample(user *models.User) *models.Session {
	now := models.At(epoch)
	return &models.Session{
		ID: models.NewID(), UserID: user.ID, Kind: models.KindWeb, Remember: true, Method: "password", Generation: 3, ConfirmedGeneration: 2,
		DeliveredAt: now, IdleTTL: time.Hour.Microseconds(), CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(24 * time.Hour),
		IP: "192.0.2.1", UserAgent: "Firefox",
	}
}

// addSession stores a sample with changes.
func addSession(t *testing.T, store *models.Store, user *models.User, change func(*models.Session)) *models.Session {
	t.Helper()
	session := sample(user)
	if change != nil {
		change(session)
	}
	if err := store.Sessions.Create(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	return session
}

func readSession(t *testing.T, store *models.Store, id string) *models.Session {
	t.Helper()
	session, err := store.Sessions.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func isDenied(t *testing.T, store *models.Store, id string) bool {
	t.Helper()
	var n int
	// Ids consist of letters and digits, which need no quoting.
	if err := store.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM denylist WHERE token_id = '"+id+"'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// openAt opens a separate store on a database.
func openAt(t *testing.T, databaseURL string, logger *slog.Logger) *models.Store {
	t.Helper()
	store, err := models.Open(context.Background(), models.Options{URL: databaseURL, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind checks the kind of an error; "" stands for an error without a kind.
func wantKind(t *testing.T, what string, err error, want apperr.Kind) {
	t.Helper()
	if got := apperr.KindOf(err); err == nil || got != want {
		t.Errorf("%s: %v (kind %q), want an error of kind %q", what, err, got, want)
	}
}
