package models_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestIdentify(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		session := addSession(t, store, ada, func(s *models.Session) { s.RotationMinute, s.Rotations = models.At(epoch), 7 })
		want := &models.Presence{
			Session: models.Session{
				ID: session.ID, UserID: session.UserID, Generation: session.Generation, ConfirmedGeneration: session.ConfirmedGeneration,
				LastSeenAt: session.LastSeenAt,
			},
			Username: "ada", Email: "ada@Example.org", FullName: "The ada", Role: models.RoleUser,
		}
		now := epoch
		check := func(what string) {
			t.Helper()
			got, err := store.Sessions.Identify(ctx, session.ID, "a jti", now)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("identify, %s (-want +got):\n%s", what, diff)
			}
			more := *want
			more.Session.Remember, more.Session.DeliveredAt = session.Remember, session.DeliveredAt
			more.Session.IdleTTL, more.Session.ExpiresAt = session.IdleTTL, session.ExpiresAt
			more.Session.RotationMinute, more.Session.Rotations = session.RotationMinute, session.Rotations
			got, err = store.Sessions.Examine(ctx, session.ID, "a jti", now)
			must(t, err)
			if diff := cmp.Diff(&more, got); diff != "" {
				t.Errorf("examine, %s (-want +got):\n%s", what, diff)
			}
		}
		check("as it was stored")
		must(t, store.Denylist.Deny(ctx, "another jti", ada.ID, models.ReasonLogout, epoch))
		check("another token is denied")
		must(t, store.Users.SetRole(ctx, ada.ID, models.RoleAdmin, epoch))
		want.Role = models.RoleAdmin
		must(t, store.Users.Disable(ctx, ada.ID, "x", epoch.Add(time.Minute)))
		want.Over = models.ReasonDisabled
		check("an admin, disabled")
		must(t, store.Users.Enable(ctx, ada.ID, epoch.Add(time.Minute)))
		idle := session.LastSeenAt + models.Time(session.IdleTTL)
		for _, test := range []struct {
			now  models.Time
			want models.Reason
		}{
			{idle - 1, ""}, {idle, models.ReasonIdle}, {session.ExpiresAt - 1, models.ReasonIdle}, {session.ExpiresAt, models.ReasonExpired},
		} {
			now, want.Over = test.now.Time(), test.want
			check("at " + now.String())
		}
		now = epoch
		must(t, store.Denylist.Deny(ctx, "a jti", ada.ID, models.ReasonLogout, epoch))
		must(t, store.Denylist.Deny(ctx, "a jti", ada.ID, models.ReasonAdmin, epoch)) // the second denial changes nothing
		want.Over = models.ReasonLogout
		check("denied")
		must(t, store.Sessions.End(ctx, session.ID, ada.ID, models.ReasonEndedElsewhere, epoch))
		want.Over = models.ReasonEndedElsewhere
		check("ended")
		must(t, store.Users.Delete(ctx, ada.ID))
		_, err := store.Sessions.Identify(ctx, session.ID, "a jti", now)
		wantKind(t, "deleted", err, apperr.NotFound)
	})
}
