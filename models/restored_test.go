package models_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestEndRestored checks that nothing that may have been used or removed after a backup
// works in the restored database, and that ended things keep their reason.
func TestEndRestored(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx, now := t.Context(), epoch.Add(time.Minute)
		ada := addUser(t, store, "ada")
		live, over := addSession(t, store, ada, nil), addSession(t, store, ada, func(s *models.Session) {
			s.EndedAt, s.EndReason = models.At(epoch), models.ReasonLogout
		})
		addSession(t, store, ada, func(s *models.Session) { s.IdleTTL = 1 })
		token := addPersonal(t, store, ada, "secret", nil)
		link := func(token string, used models.Time) {
			t.Helper()
			must(t, store.Tokens.Create(ctx, &models.OneTimeToken{
				TokenHash: models.HashToken(token), Purpose: models.PurposeSetPassword, UserID: &ada.ID,
				CreatedAt: models.At(epoch), ExpiresAt: models.At(epoch.Add(time.Hour)), UsedAt: used,
			}))
		}
		link("fresh", 0)
		link("used", models.At(epoch))
		must(t, store.Invitations.Create(ctx, &models.Invitation{
			ID: models.NewID(), TokenHash: models.HashToken("invited"), Role: models.RoleAdmin, Uses: 1, CreatedAt: models.At(epoch), ExpiresAt: models.At(epoch.Add(time.Hour)),
		}))
		letter := models.Delivery{
			ID: models.NewID(), Kind: "mail", Topic: "reset", Recipient: "ada@example.org", State: models.DeliveryWaiting, Body: "sealed",
			CreatedAt: models.At(epoch), DueAt: models.At(epoch), UselessAt: models.At(epoch.Add(time.Hour)), Attempts: 1, TriedAt: models.At(epoch),
		}
		must(t, store.Deliveries.Create(ctx, letter))
		must(t, store.Devices.Remember(ctx, "device", ada.ID, "Firefox", epoch))
		must(t, store.Devices.Trust(ctx, "device", ada.ID, epoch.Add(time.Hour)))

		var counts models.RestoreCounts
		must(t, store.InTx(ctx, func(tx *models.Store) error {
			var err error
			counts, err = tx.EndRestored(ctx, "not sent", now)
			return err
		}))
		want := models.RestoreCounts{Sessions: 1, PersonalTokens: 1, Links: 1, Invitations: 1, Deliveries: 1, Devices: 1}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if s := readSession(t, store, live.ID); s.EndReason != models.ReasonRestored || s.EndedAt != models.At(now) || !isDenied(t, store, live.ID) {
			t.Errorf("the live session: %+v", s)
		}
		if s := readSession(t, store, over.ID); s.EndReason != models.ReasonLogout {
			t.Errorf("the ended session: %+v", s)
		}
		if b, err := store.PersonalTokens.Identify(ctx, "secret"); err != nil || b.Token.EndReason != models.ReasonRestored || b.Token.ID != token.ID {
			t.Errorf("the personal token: %+v (%v)", b, err)
		}
		if _, err := store.Tokens.ByToken(ctx, "fresh", models.PurposeSetPassword); !errors.Is(err, apperr.NotFound) {
			t.Errorf("the link: %v, want not found", err)
		}
		if i, err := store.Invitations.ByToken(ctx, "invited"); err != nil || i.Open(now) {
			t.Errorf("the invitation: %+v (%v)", i, err)
		}
		if trusted, err := store.Devices.Trusted(ctx, "device", ada.ID, now); err != nil || trusted {
			t.Errorf("the device is trusted: %v (%v)", trusted, err)
		}
		if trouble, err := store.Deliveries.Trouble(ctx, "mail", now); err != nil || !trouble.Since.IsZero() {
			t.Errorf("the overview warns about mail: %+v (%v)", trouble, err)
		}
		due, err := store.Deliveries.Take(ctx, []string{"mail"}, 10, now, now.Add(time.Minute))
		if err != nil || len(due) > 0 {
			t.Errorf("deliveries: %v (%v)", due, err)
		}
	})
}

// TestLost checks that the changes that a backup does not have are those that it does
// not have, whenever they were committed.
func TestLost(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx, backup := t.Context(), testdb.SQLite(t)
		event := func(action string, after time.Duration) models.Event {
			return models.Event{At: models.At(epoch.Add(after)), Action: action}
		}
		both := []models.Event{event("user-role", 0), event("user-role", time.Minute)}
		must(t, store.Audit.Append(ctx, both...))
		copyEvents(t, store, backup)
		must(t, store.Audit.Append(ctx, event("user-create", -time.Second), event("login", time.Hour), event("user-disable", 2*time.Hour)))
		lost, err := store.Lost(ctx, backup, []string{"user-create", "user-disable", "user-role"})
		must(t, err)
		var got []string
		for _, e := range lost {
			got = append(got, e.Action)
		}
		if diff := cmp.Diff([]string{"user-create", "user-disable"}, got); diff != "" {
			t.Errorf("lost (-want +got):\n%s", diff)
		}
	})
}

// copyEvents copies the audit log with the ids of its lines.
func copyEvents(t *testing.T, from, to *models.Store) {
	t.Helper()
	page, err := from.Audit.List(t.Context(), models.AuditQuery{Limit: 100})
	must(t, err)
	for _, e := range page.Events {
		_, err := to.SQL().ExecContext(t.Context(), "INSERT INTO audit_events (id, at, action) VALUES ($1, $2, $3)", e.ID, int64(e.At), e.Action)
		must(t, err)
	}
}
