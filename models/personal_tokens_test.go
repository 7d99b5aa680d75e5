package models_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// addPersonal stores a token that works for a day, with changes.
func addPersonal(t *testing.T, store *models.Store, user *models.User, secret string, change func(*models.PersonalToken)) *models.PersonalToken {
	t.Helper()
	token := &models.PersonalToken{
		ID: models.NewID(), UserID: user.ID, Name: "Backup", TokenHash: models.HashToken(secret), Hint: "wxyz", Scope: "me",
		CreatedAt: models.At(epoch), ExpiresAt: models.At(epoch.Add(24 * time.Hour)),
	}
	if change != nil {
		change(token)
	}
	must(t, store.PersonalTokens.Create(t.Context(), token))
	return token
}

func TestPersonalTokenIdentify(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		token := addPersonal(t, store, ada, "ada's", nil)
		addPersonal(t, store, bob, "bob's", nil)
		_, err := store.PersonalTokens.Identify(ctx, "unknown")
		wantKind(t, "an unknown secret", err, apperr.NotFound)
		_, err = store.PersonalTokens.Identify(ctx, "")
		wantKind(t, "no secret", err, apperr.NotFound)
		must(t, store.Users.SetRole(ctx, ada.ID, models.RoleAdmin, epoch))
		must(t, store.Users.Disable(ctx, ada.ID, "", epoch))
		must(t, store.PersonalTokens.Used(ctx, token.ID, "192.0.2.9", epoch, epoch.Add(-time.Minute)))
		must(t, store.PersonalTokens.Remove(ctx, token.ID, ada.ID, models.ReasonAdmin, epoch))
		want := &models.Bearer{
			Token: *token, Username: "ada", Email: "ada@Example.org", FullName: "The ada", Role: models.RoleAdmin,
			DisabledAt: models.At(epoch),
		}
		want.Token.TokenHash, want.Token.LastUsedAt, want.Token.LastUsedIP = "", models.At(epoch), "192.0.2.9"
		want.Token.EndedAt, want.Token.EndReason = models.At(epoch), models.ReasonAdmin
		got, err := store.PersonalTokens.Identify(ctx, "ada's")
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bearer (-want +got):\n%s", diff)
		}
	})
}

func TestPersonalTokenUsed(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ada := addUser(t, store, "ada")
		token := addPersonal(t, store, ada, "ada's", nil)
		for _, test := range []struct {
			after time.Duration
			want  time.Duration
		}{
			{0, 0}, {59 * time.Second, 0}, {time.Minute, time.Minute}, {30 * time.Second, time.Minute}, {3 * time.Minute, 3 * time.Minute},
		} {
			now := epoch.Add(test.after)
			must(t, store.PersonalTokens.Used(t.Context(), token.ID, now.Format(time.TimeOnly), now, now.Add(-time.Minute)))
			row, err := store.PersonalTokens.ByID(t.Context(), token.ID, ada.ID)
			must(t, err)
			if want := epoch.Add(test.want); row.LastUsedAt != models.At(want) || row.LastUsedIP != want.Format(time.TimeOnly) {
				t.Errorf("after %v: used at %v from %s, want %v", test.after, row.LastUsedAt.Time(), row.LastUsedIP, want)
			}
		}
	})
}

func TestPersonalTokenEnds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		var ids []string
		for i, secret := range []string{"a", "b", "c"} {
			ids = append(ids, addPersonal(t, store, ada, secret, func(p *models.PersonalToken) {
				p.CreatedAt = models.At(epoch.Add(time.Duration(i) * time.Minute))
			}).ID)
		}
		bobs := addPersonal(t, store, bob, "d", nil)
		dead := addPersonal(t, store, ada, "e", func(p *models.PersonalToken) { p.ExpiresAt = models.At(epoch) })
		wantKind(t, "remove another person's", store.PersonalTokens.Remove(ctx, bobs.ID, ada.ID, models.ReasonEndedElsewhere, epoch), apperr.NotFound)
		wantKind(t, "end an expired one", store.PersonalTokens.Remove(ctx, dead.ID, ada.ID, models.ReasonEndedElsewhere, epoch), apperr.NotFound)
		must(t, store.PersonalTokens.Remove(ctx, ids[0], ada.ID, models.ReasonEndedElsewhere, epoch.Add(-48*time.Hour)))
		wantKind(t, "end it twice", store.PersonalTokens.Remove(ctx, ids[0], ada.ID, models.ReasonAdmin, epoch), apperr.NotFound)
		if n, err := store.PersonalTokens.CountWorking(ctx, ada.ID, epoch); n != 2 || err != nil {
			t.Errorf("%d work (%v), want 2", n, err)
		}
		list, err := store.PersonalTokens.ByUser(ctx, ada.ID, epoch.Add(-time.Hour))
		must(t, err)
		var got []string
		for _, token := range list {
			got = append(got, token.ID)
		}
		// The token that ended two days ago is not in the list.
		if diff := cmp.Diff([]string{ids[2], ids[1], dead.ID}, got); diff != "" {
			t.Errorf("list (-want +got):\n%s", diff)
		}
		for _, want := range []int{2, 0} {
			if n, err := store.PersonalTokens.RemoveAll(ctx, ada.ID, models.ReasonDisabled, epoch); n != want || err != nil {
				t.Errorf("%d ended (%v), want %d", n, err, want)
			}
		}
		row, err := store.PersonalTokens.ByID(ctx, ids[0], ada.ID)
		must(t, err)
		if row.EndReason != models.ReasonEndedElsewhere {
			t.Errorf("the reason became %q", row.EndReason)
		}
		_, err = store.PersonalTokens.ByID(ctx, bobs.ID, ada.ID)
		wantKind(t, "another person's", err, apperr.NotFound)
		if n, err := store.PersonalTokens.CountWorking(ctx, bob.ID, epoch); n != 1 || err != nil {
			t.Errorf("%d of bob's work (%v), want 1", n, err)
		}
		if n, err := store.PersonalTokens.Purge(ctx, epoch.Add(time.Second), 10); n != 1 || err != nil {
			t.Errorf("%d purged (%v), want the one that expired", n, err)
		}
		must(t, store.Users.Delete(ctx, bob.ID))
		_, err = store.PersonalTokens.Identify(ctx, "d")
		wantKind(t, "of a deleted account", err, apperr.NotFound)
	})
}

// TestTrimByKind checks that clients of the API are counted separately from browsers.
func TestTrimByKind(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ada := addUser(t, store, "ada")
		kinds := map[models.SessionKind][]*models.Session{}
		for i := range 8 {
			kind := []models.SessionKind{models.KindWeb, models.KindAPI}[i%2]
			kinds[kind] = append(kinds[kind], addSession(t, store, ada, func(s *models.Session) {
				s.Kind, s.LastSeenAt = kind, models.At(epoch.Add(time.Duration(i)*time.Minute))
			}))
		}
		now := epoch.Add(10 * time.Minute)
		must(t, store.InTx(t.Context(), func(tx *models.Store) error {
			return tx.Sessions.Trim(t.Context(), kinds[models.KindAPI][3], 3, now)
		}))
		for kind, sessions := range kinds {
			for i, session := range sessions {
				got := readSession(t, store, session.ID)
				if want := kind == models.KindAPI && i == 0; want == got.EndedAt.IsZero() {
					t.Errorf("%s session %d: ended %q", kind, i, got.EndReason)
				}
			}
		}
	})
}
