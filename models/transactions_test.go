package models_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestTxOrder checks that a transaction sees its own writes, and that all or none of
// them are kept.
func TestTxOrder(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		kept, undone := sample(ada), sample(ada)
		write := func(tx *models.Store, session *models.Session) {
			t.Helper()
			must(t, tx.Sessions.Create(ctx, session))
			must(t, tx.Denylist.Deny(ctx, "jti of "+session.ID, ada.ID, models.ReasonLogout, epoch))
			must(t, tx.Audit.Append(ctx, models.Event{Action: "login", SubjectID: ada.ID, SessionID: session.ID}))
			if got, err := tx.Sessions.ByID(ctx, session.ID); err != nil || got.UserID != ada.ID {
				t.Errorf("inside: %+v, %v; want what was just written", got, err)
			}
			if n, err := tx.Sessions.EndAll(ctx, ada.ID, "", models.ReasonAdmin, epoch); err != nil || n != 1 {
				t.Errorf("%d ended (%v), want the one that was just written", n, err)
			}
		}
		must(t, store.InTx(ctx, func(tx *models.Store) error { write(tx, kept); return nil }))
		refused := errors.New("refused")
		if err := store.InTx(ctx, func(tx *models.Store) error { write(tx, undone); return refused }); !errors.Is(err, refused) {
			t.Errorf("got %v, want the error of the function", err)
		}

		if got := readSession(t, store, kept.ID); got.EndReason != models.ReasonAdmin || !isDenied(t, store, kept.ID) || !isDenied(t, store, "jti of "+kept.ID) {
			t.Errorf("kept: %+v", got)
		}
		_, err := store.Sessions.ByID(ctx, undone.ID)
		wantKind(t, "what was undone", err, apperr.NotFound)
		if isDenied(t, store, "jti of "+undone.ID) {
			t.Error("a denial outlived its transaction")
		}
		page, err := store.Audit.List(ctx, models.AuditQuery{Limit: 10})
		if err != nil || len(page.Events) != 1 || page.Events[0].SessionID != kept.ID {
			t.Errorf("audit log: %+v, %v; want the one event that was kept", page.Events, err)
		}
	})
}

// TestTxFailure checks that one failed statement undoes the whole transaction, even
// if f ignores the failure.
func TestTxFailure(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		first := addSession(t, store, ada, nil)
		fresh := sample(ada)
		err := store.InTx(ctx, func(tx *models.Store) error {
			must(t, tx.Sessions.Create(ctx, fresh))
			return tx.Sessions.Create(ctx, first) // its id is taken
		})
		wantKind(t, "a taken id", err, apperr.Conflict)
		_, err = store.Sessions.ByID(ctx, fresh.ID)
		wantKind(t, "the session before it", err, apperr.NotFound)

		err = store.InTx(ctx, func(tx *models.Store) error {
			must(t, tx.Denylist.Deny(ctx, "jti", ada.ID, models.ReasonLogout, epoch))
			wantKind(t, "a taken name", tx.Users.Create(ctx, &models.User{ID: models.NewID(), Username: "ada", Role: models.RoleUser}), apperr.Conflict)
			return nil
		})
		if kept := isDenied(t, store, "jti"); kept != (err == nil) {
			t.Errorf("committed: %v, kept: %t", err, kept)
		}
	})
}

// TestTxFailureLogged checks that a statement that fails in a transaction is logged
// once, without its values.
func TestTxFailureLogged(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		var log bytes.Buffer
		store := openAt(t, databaseURL, slog.New(slog.NewTextHandler(&log, nil)))
		must(t, store.Migrate(t.Context()))
		orphan := sample(&models.User{ID: "nobodysid"}) // breaks a foreign key
		err := store.InTx(t.Context(), func(tx *models.Store) error { return tx.Sessions.Create(t.Context(), orphan) })
		got := log.String()
		if err == nil || strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "INSERT INTO") {
			t.Errorf("error %v, log %q; want one line with the statement", err, got)
		}
		if strings.Contains(got, orphan.ID) || strings.Contains(got, "nobodysid") {
			t.Errorf("log %q; want no values", got)
		}
	})
}

// TestTxCalledOff checks a transaction whose caller disconnects in the middle: no
// write is kept, and no connection returns to the pool with an open transaction.
func TestTxCalledOff(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ada := addUser(t, store, "ada")
		for range 12 { // more than the pool has connections
			fresh := sample(ada)
			ctx, leave := context.WithCancel(t.Context())
			err := store.InTx(ctx, func(tx *models.Store) error {
				if _, err := tx.Users.Lock(ctx, ada.ID); err != nil {
					return err
				}
				if err := tx.Sessions.Create(ctx, fresh); err != nil {
					return err
				}
				leave()
				return nil
			})
			wantKind(t, "called off", err, apperr.Canceled)
			_, err = store.Sessions.ByID(t.Context(), fresh.ID)
			wantKind(t, "the session", err, apperr.NotFound)
		}
		func() {
			defer func() { _ = recover() }()
			_ = store.InTx(t.Context(), func(tx *models.Store) error {
				if _, err := tx.Users.Lock(t.Context(), ada.ID); err != nil {
					return err
				}
				panic("a fault of ours")
			})
		}()
		// The account is no longer locked.
		must(t, store.InTx(t.Context(), func(tx *models.Store) error {
			_, err := tx.Users.Lock(t.Context(), ada.ID)
			return err
		}))
	})
}
