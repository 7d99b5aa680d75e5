package models_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestPhantoms checks that the username of a phantom is taken for everyone except
// the owner of its address, until its time is over.
func TestPhantoms(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		create := func(p models.Phantom, at time.Time) error {
			return store.InTx(ctx, func(tx *models.Store) error { return tx.Phantoms.Create(ctx, p, at) })
		}
		rename := func(user *models.User, name string, at time.Time) error {
			renamed := *user
			renamed.Username = name
			return store.InTx(ctx, func(tx *models.Store) error { return tx.Users.SetNames(ctx, &renamed, at) })
		}
		taken := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, apperr.Conflict) || apperr.Details(err).Field != "username" || errors.Is(err, models.ErrRetired) {
				t.Errorf("%s: got %v, want the username taken", what, err)
			}
		}
		first := models.Phantom{ID: models.NewID(), Username: "lovelace", OwnerID: ada.ID, FullName: "Ada", PasswordHash: "hash"}
		must(t, create(first, epoch))
		taken("another phantom", create(models.Phantom{ID: models.NewID(), Username: "lovelace", OwnerID: bob.ID}, epoch))
		taken("a phantom with the username of an account", create(models.Phantom{ID: models.NewID(), Username: "bob", OwnerID: ada.ID}, epoch))
		taken("another account", rename(bob, "lovelace", epoch))
		if got, err := store.Phantoms.ByID(ctx, first.ID); err != nil || got.FullName != "Ada" || got.PasswordHash != "hash" || got.OwnerID != ada.ID {
			t.Errorf("got %+v (%v)", got, err)
		}
		must(t, rename(ada, "lovelace", epoch)) // and the phantom is gone
		if _, err := store.Phantoms.ByID(ctx, first.ID); !errors.Is(err, apperr.NotFound) {
			t.Errorf("after the owner took the username: %v", err)
		}
		must(t, rename(ada, "ada", epoch))
		err := create(models.Phantom{ID: models.NewID(), Username: "lovelace", OwnerID: bob.ID}, epoch)
		if !errors.Is(err, models.ErrRetired) {
			t.Errorf("a retired username: got %v", err)
		}

		later := epoch.Add(90 * 24 * time.Hour)
		must(t, create(models.Phantom{ID: models.NewID(), Username: "old", OwnerID: ada.ID}, epoch))
		must(t, create(models.Phantom{ID: models.NewID(), Username: "old", OwnerID: ada.ID}, later))
		must(t, create(models.Phantom{ID: models.NewID(), Username: "older", OwnerID: ada.ID}, epoch))
		must(t, rename(bob, "older", later))
		must(t, create(models.Phantom{ID: models.NewID(), Username: "oldest", OwnerID: ada.ID}, epoch))
		if n, err := store.Phantoms.Purge(ctx, later, 10); n != 1 || err != nil {
			t.Errorf("purged %d (%v), want 1", n, err)
		}
	})
}

// TestPendingToken checks that the newest token that still works is the pending one.
func TestPendingToken(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		for i, token := range []string{"one", "two"} {
			at := epoch.Add(time.Duration(i) * time.Minute)
			must(t, store.Tokens.Create(ctx, &models.OneTimeToken{
				TokenHash: models.HashToken(token), Purpose: models.PurposeVerifyEmail, UserID: &ada.ID, Email: token + "@example.org",
				CreatedAt: models.At(at), ExpiresAt: models.At(at.Add(time.Hour)),
			}))
		}
		none := func(what string, userID string, purpose models.Purpose, now time.Time) {
			t.Helper()
			if _, err := store.Tokens.Pending(ctx, userID, purpose, now); !errors.Is(err, apperr.NotFound) {
				t.Errorf("%s: got %v, want none", what, err)
			}
		}
		row, err := store.Tokens.Pending(ctx, ada.ID, models.PurposeVerifyEmail, epoch.Add(time.Hour))
		if err != nil || row.Email != "two@example.org" {
			t.Fatalf("got %+v (%v), want the second", row, err)
		}
		none("another person", bob.ID, models.PurposeVerifyEmail, epoch)
		none("another purpose", ada.ID, models.PurposeSetPassword, epoch)
		none("expired", ada.ID, models.PurposeVerifyEmail, epoch.Add(time.Hour+time.Minute))
		for _, want := range []bool{true, false} {
			if used, err := store.Tokens.UseRow(ctx, row, epoch); used != want || err != nil {
				t.Errorf("use: %v (%v), want %v", used, err, want)
			}
		}
		must(t, store.Tokens.ReplaceFor(ctx, ada.ID, models.PurposeVerifyEmail, epoch))
		none("replaced", ada.ID, models.PurposeVerifyEmail, epoch)
	})
}
