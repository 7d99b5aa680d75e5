package models_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

var rotations = []struct {
	name    string
	session func(*models.Session)
	other   func(t *testing.T, store *models.Store, session *models.Session)
	ask     func(*models.Rotation)
	want    bool
}{
	{name: "all conditions met", want: true},
	{name: "an older generation", ask: func(r *models.Rotation) { r.Generation-- }},
	{name: "a newer generation", ask: func(r *models.Rotation) { r.Generation++ }},
	{name: "an earlier delivery", session: func(s *models.Session) { s.Delivery = 2 }, ask: func(r *models.Rotation) { r.Delivery-- }},
	{name: "a later delivery", ask: func(r *models.Rotation) { r.Delivery++ }},
	{name: "the second delivery", session: func(s *models.Session) { s.Delivery, s.PreviousDelivery = 2, 1 }, want: true},
	{name: "another person's", ask: func(r *models.Rotation) { r.UserID = models.NewID() }},
	{name: "no such session", ask: func(r *models.Rotation) { r.SessionID = models.NewID() }},
	{name: "ended", session: func(s *models.Session) { s.EndedAt, s.EndReason = 1, models.ReasonLogout }},
	{name: "a moment before the absolute limit", session: func(s *models.Session) { s.ExpiresAt = models.At(epoch.Add(time.Minute)) + 1 }, want: true},
	{name: "at the absolute limit", session: func(s *models.Session) { s.ExpiresAt = models.At(epoch.Add(time.Minute)) }},
	{name: "a moment before the idle limit", session: func(s *models.Session) { s.IdleTTL = time.Minute.Microseconds() + 1 }, want: true},
	{name: "at the idle limit", session: func(s *models.Session) { s.IdleTTL = time.Minute.Microseconds() }},
	{name: "disabled", other: func(t *testing.T, store *models.Store, s *models.Session) {
		must(t, store.Users.Disable(t.Context(), s.UserID, "", epoch))
	}},
	{name: "the sid is denied", other: func(t *testing.T, store *models.Store, s *models.Session) {
		must(t, store.Denylist.Deny(t.Context(), s.ID, s.UserID, models.ReasonLogout, epoch))
	}},
	{name: "the jti is denied", other: func(t *testing.T, store *models.Store, s *models.Session) {
		must(t, store.Denylist.Deny(t.Context(), "jti of "+s.ID, s.UserID, models.ReasonLogout, epoch))
	}},
	{
		name: "the last of a minute", session: func(s *models.Session) { s.RotationMinute, s.Rotations = models.At(epoch), 59 }, want: true,
		ask: func(r *models.Rotation) { r.PerMinute, r.Now = 60, epoch.Add(time.Second) },
	},
	{
		name: "too many in a minute", session: func(s *models.Session) { s.RotationMinute, s.Rotations = models.At(epoch), 60 },
		ask: func(r *models.Rotation) { r.PerMinute, r.Now = 60, epoch.Add(time.Minute-time.Microsecond) },
	},
	{
		name: "too many, and the minute is over", session: func(s *models.Session) { s.RotationMinute, s.Rotations = models.At(epoch), 60 }, want: true,
		ask: func(r *models.Rotation) { r.PerMinute, r.Now = 60, epoch.Add(time.Minute) },
	},
	{
		name: "too many, without a limit", session: func(s *models.Session) { s.RotationMinute, s.Rotations = models.At(epoch), 999 }, want: true,
		ask: func(r *models.Rotation) { r.Now = epoch.Add(time.Second) },
	},
}

// TestRotate checks every condition of a rotation with a session that meets all the
// others.
func TestRotate(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for i, test := range rotations {
			user := addUser(t, store, fmt.Sprintf("user%d", i))
			before := addSession(t, store, user, test.session)
			if test.other != nil {
				test.other(t, store, before)
			}
			ask := models.Rotation{
				SessionID: before.ID, UserID: user.ID, TokenID: "jti of " + before.ID, Generation: before.Generation, Delivery: before.Delivery,
				To: "198.51.100.7 Firefox", Now: epoch.Add(time.Minute),
			}
			if test.ask != nil {
				test.ask(&ask)
			}
			rotated, err := store.Sessions.Rotate(t.Context(), ask)
			if won := err == nil; won != test.want || !won && !errors.Is(err, apperr.NotFound) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
			want := *before
			if test.want {
				want.Generation, want.Delivery, want.PreviousDelivery = want.Generation+1, 0, before.Delivery
				want.DeliveredAt, want.DeliveredTo, want.LastSeenAt = models.At(ask.Now), ask.To, models.At(ask.Now)
				if want.Rotations++; ask.Now.Sub(before.RotationMinute.Time()) >= time.Minute {
					want.Rotations, want.RotationMinute = 1, models.At(ask.Now)
				}
			}
			if diff := cmp.Diff(&want, readSession(t, store, before.ID)); diff != "" {
				t.Errorf("%s: the row (-want +got):\n%s", test.name, diff)
			}
			if test.want && err == nil {
				checkRotated(t, test.name, rotated, &want, user)
			}
		}
	})
}

// checkRotated compares the result of Rotate with the rows.
func checkRotated(t *testing.T, name string, got *models.Presence, session *models.Session, user *models.User) {
	t.Helper()
	want := &models.Presence{
		Session: models.Session{
			ID: session.ID, UserID: session.UserID, Remember: session.Remember, Generation: session.Generation,
			PreviousDelivery: session.PreviousDelivery, DeliveredAt: session.DeliveredAt, DeliveredTo: session.DeliveredTo,
			LastSeenAt: session.LastSeenAt, IdleTTL: session.IdleTTL, ExpiresAt: session.ExpiresAt,
		},
		Username: user.Username, Email: user.Email, FullName: user.FullName, Role: user.Role,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: returned (-want +got):\n%s", name, diff)
	}
}

func TestRotateParallel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		session := addSession(t, store, addUser(t, store, "ada"), nil)
		for round := range int64(10) {
			var won atomic.Int64
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					_, err := store.Sessions.Rotate(t.Context(), models.Rotation{
						SessionID: session.ID, UserID: session.UserID, Generation: session.Generation + round, Now: epoch,
					})
					if err == nil {
						won.Add(1)
						return
					}
					wantKind(t, "a loser", err, apperr.NotFound)
				})
			}
			all.Wait()
			if got := won.Load(); got != 1 {
				t.Fatalf("round %d: %d callers won, want 1", round, got)
			}
		}
	})
}

// TestRedeliver checks that a session gets another delivery only if its row has not
// changed since it was read, and only while it is live.
func TestRedeliver(t *testing.T) {
	now := epoch.Add(time.Minute)
	tests := []struct {
		name   string
		change func(t *testing.T, store *models.Store, session *models.Session) // after the row was read
		want   bool
	}{
		{"unchanged", func(*testing.T, *models.Store, *models.Session) {}, true},
		{"rotated", func(t *testing.T, store *models.Store, s *models.Session) {
			_, err := store.Sessions.Rotate(t.Context(), models.Rotation{SessionID: s.ID, UserID: s.UserID, Generation: s.Generation, Now: epoch})
			must(t, err)
		}, false},
		{"delivered anew", func(t *testing.T, store *models.Store, s *models.Session) {
			read, err := store.Sessions.Examine(t.Context(), s.ID, "jti", epoch)
			must(t, err)
			if done, err := store.Sessions.Redeliver(t.Context(), &read.Session, "", epoch); !done || err != nil {
				t.Errorf("deliver first: %v, %v", done, err)
			}
		}, false},
		{"confirmed", func(t *testing.T, store *models.Store, s *models.Session) {
			must(t, store.Sessions.Confirm(t.Context(), s.ID, s.Generation, 0, epoch, epoch))
		}, false},
		{"seen", func(t *testing.T, store *models.Store, s *models.Session) {
			must(t, store.Sessions.Confirm(t.Context(), s.ID, s.ConfirmedGeneration, s.ConfirmedDelivery, epoch.Add(time.Second), epoch))
		}, false},
		{"ended", func(t *testing.T, store *models.Store, s *models.Session) {
			must(t, store.Sessions.End(t.Context(), s.ID, s.UserID, models.ReasonLogout, epoch))
		}, false},
		{"denied", func(t *testing.T, store *models.Store, s *models.Session) {
			must(t, store.Denylist.Deny(t.Context(), s.ID, s.UserID, models.ReasonLogout, epoch))
		}, false},
		{"the account disabled", func(t *testing.T, store *models.Store, s *models.Session) {
			must(t, store.Users.Disable(t.Context(), s.UserID, "", epoch))
		}, false},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for i, test := range tests {
			before := addSession(t, store, addUser(t, store, fmt.Sprintf("user%d", i)), nil)
			read, err := store.Sessions.Examine(t.Context(), before.ID, "jti", now)
			must(t, err)
			test.change(t, store, before)
			want := readSession(t, store, before.ID)
			done, err := store.Sessions.Redeliver(t.Context(), &read.Session, "198.51.100.7 Firefox", now)
			if done != test.want || err != nil {
				t.Errorf("%s: %v (%v), want %v", test.name, done, err, test.want)
			}
			if test.want {
				want.Delivery++
				want.DeliveredAt, want.DeliveredTo, want.LastSeenAt = models.At(now), "198.51.100.7 Firefox", models.At(now)
				if got := read.Session; got.Delivery != want.Delivery || got.DeliveredAt != want.DeliveredAt {
					t.Errorf("%s: returned delivery %d at %v", test.name, got.Delivery, got.DeliveredAt.Time())
				}
			}
			if diff := cmp.Diff(want, readSession(t, store, before.ID)); diff != "" {
				t.Errorf("%s: the row (-want +got):\n%s", test.name, diff)
			}
		}
	})
}

// TestConfirm checks that the confirmed delivery never goes back, and that a use that
// does not change it does not change last_seen_at either.
func TestConfirm(t *testing.T) {
	type tokens struct{ generation, delivery int64 }
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		session := addSession(t, store, addUser(t, store, "ada"), func(s *models.Session) { s.Generation, s.ConfirmedGeneration = 5, 3 })
		for i, test := range []struct{ confirm, want tokens }{
			{tokens{4, 0}, tokens{4, 0}},
			{tokens{3, 0}, tokens{4, 0}},
			{tokens{3, 9}, tokens{4, 0}},
			{tokens{4, 0}, tokens{4, 0}},
			{tokens{4, 2}, tokens{4, 2}},
			{tokens{4, 1}, tokens{4, 2}},
			{tokens{5, 0}, tokens{5, 0}},
			{tokens{1, 0}, tokens{5, 0}},
		} {
			now := epoch.Add(time.Duration(i+1) * time.Minute)
			seen := readSession(t, store, session.ID).LastSeenAt
			must(t, store.Sessions.Confirm(t.Context(), session.ID, test.confirm.generation, test.confirm.delivery, now, now))
			row := readSession(t, store, session.ID)
			if got := (tokens{row.ConfirmedGeneration, row.ConfirmedDelivery}); got != test.want {
				t.Errorf("step %d, confirm %v: %v is confirmed, want %v", i, test.confirm, got, test.want)
			}
			if test.confirm == test.want {
				seen = models.At(now)
			}
			if row.LastSeenAt != seen {
				t.Errorf("step %d, confirm %v: seen at %v, want %v", i, test.confirm, row.LastSeenAt.Time(), seen.Time())
			}
		}
		written := readSession(t, store, session.ID)
		must(t, store.Sessions.Confirm(t.Context(), session.ID, 5, 0, epoch.Add(time.Hour), written.LastSeenAt.Time().Add(-time.Microsecond)))
		must(t, store.Sessions.Confirm(t.Context(), session.ID, 5, 1, epoch, epoch)) // of a replica whose clock is behind
		written.ConfirmedDelivery = 1
		if diff := cmp.Diff(written, readSession(t, store, session.ID)); diff != "" {
			t.Errorf("a use soon after another and one of a slow clock (-want +got):\n%s", diff)
		}
		must(t, store.Sessions.End(t.Context(), session.ID, session.UserID, models.ReasonLogout, epoch))
		before := readSession(t, store, session.ID)
		must(t, store.Sessions.Confirm(t.Context(), session.ID, 9, 0, epoch.Add(time.Hour), epoch.Add(time.Hour)))
		if diff := cmp.Diff(before, readSession(t, store, session.ID)); diff != "" {
			t.Errorf("confirm changed an ended session:\n%s", diff)
		}
	})
}

// TestSeen checks that the use of a session is recorded unless another one was
// recorded after the given time, never for a session that has ended, and only once
// for parallel uses.
func TestSeen(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		session := addSession(t, store, addUser(t, store, "ada"), nil)
		want := readSession(t, store, session.ID)
		later := epoch.Add(time.Minute)
		must(t, store.Sessions.Seen(t.Context(), session.ID, later, want.LastSeenAt.Time().Add(-time.Microsecond)))
		if diff := cmp.Diff(want, readSession(t, store, session.ID)); diff != "" {
			t.Errorf("seen too soon (-want +got):\n%s", diff)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := store.Sessions.Seen(t.Context(), session.ID, later, want.LastSeenAt.Time()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		want.LastSeenAt = models.At(later)
		if diff := cmp.Diff(want, readSession(t, store, session.ID)); diff != "" {
			t.Errorf("seen by eight (-want +got):\n%s", diff)
		}
		must(t, store.Sessions.End(t.Context(), session.ID, session.UserID, models.ReasonLogout, epoch))
		want = readSession(t, store, session.ID)
		must(t, store.Sessions.Seen(t.Context(), session.ID, later.Add(time.Hour), later))
		if diff := cmp.Diff(want, readSession(t, store, session.ID)); diff != "" {
			t.Errorf("seen after its end (-want +got):\n%s", diff)
		}
	})
}

func TestEnd(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx, now := t.Context(), epoch.Add(time.Minute)
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		one, two := addSession(t, store, ada, nil), addSession(t, store, ada, nil)
		expired := addSession(t, store, ada, func(s *models.Session) { s.ExpiresAt = models.At(epoch) })
		idle := addSession(t, store, ada, func(s *models.Session) { s.IdleTTL = 1 })
		bobs := addSession(t, store, bob, nil)

		for name, id := range map[string]string{"expired": expired.ID, "idle": idle.ID, "bob's": bobs.ID, "unknown": models.NewID(), "empty": ""} {
			wantKind(t, "end "+name, store.Sessions.End(ctx, id, ada.ID, models.ReasonEndedElsewhere, now), apperr.NotFound)
		}
		must(t, store.Sessions.End(ctx, one.ID, ada.ID, models.ReasonLogout, now))
		wantKind(t, "end twice", store.Sessions.End(ctx, one.ID, ada.ID, models.ReasonAdmin, now), apperr.NotFound)
		got := readSession(t, store, one.ID)
		if got.EndedAt != models.At(now) || got.EndReason != models.ReasonLogout {
			t.Errorf("ended at %v for %q", got.EndedAt.Time(), got.EndReason)
		}
		if !isDenied(t, store, one.ID) || isDenied(t, store, two.ID) || isDenied(t, store, bobs.ID) {
			t.Error("the denylist is not the session that ended")
		}

		n, err := store.Sessions.EndAll(ctx, ada.ID, two.ID, models.ReasonDisabled, now)
		if err != nil || n != 0 {
			t.Errorf("end all but two: %d were live (%v), want 0", n, err)
		}
		three := addSession(t, store, ada, nil)
		n, err = store.Sessions.EndAll(ctx, ada.ID, "", models.ReasonDisabled, now)
		if err != nil || n != 2 {
			t.Errorf("end all: %d were live (%v), want 2", n, err)
		}
		for name, test := range map[string]struct {
			session *models.Session
			want    models.Reason
		}{
			"one": {one, models.ReasonLogout}, "two": {two, models.ReasonDisabled}, "three": {three, models.ReasonDisabled}, "bob's": {bobs, ""},
		} {
			if got := readSession(t, store, test.session.ID).EndReason; got != test.want {
				t.Errorf("%s: ended for %q, want %q", name, got, test.want)
			}
			if got, want := isDenied(t, store, test.session.ID), test.want != ""; got != want {
				t.Errorf("%s: denied %v, want %v", name, got, want)
			}
		}
		ended, err := store.Sessions.Ended(ctx, ada.ID, epoch, now, 10)
		if err != nil || len(ended) != 5 { // an idle session is ended too, so that a longer limit cannot make it live again
			t.Errorf("%d ended (%v), want 5", len(ended), err)
		}
	})
}

func TestTrim(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		bobs := addSession(t, store, addUser(t, store, "bob"), nil)
		var sessions []*models.Session
		for i := range 6 {
			sessions = append(sessions, addSession(t, store, ada, func(s *models.Session) {
				s.LastSeenAt = models.At(epoch.Add(time.Duration(-i) * time.Minute))
			}))
		}
		must(t, store.Sessions.End(ctx, sessions[0].ID, ada.ID, models.ReasonLogout, epoch))
		for range 3 { // the third time there is no session to end
			// The new session stays, even if it is the oldest by another server's clock.
			must(t, store.InTx(ctx, func(tx *models.Store) error { return tx.Sessions.Trim(ctx, sessions[5], 3, epoch) }))
		}
		for _, i := range []int{3, 4} {
			if p, err := store.Sessions.Identify(ctx, sessions[i].ID, "jti", epoch); err != nil || p.Over != models.ReasonLimit {
				t.Errorf("session %d: %+v, %v; want it ended as one too many", i, p, err)
			}
			if !isDenied(t, store, sessions[i].ID) {
				t.Errorf("session %d was ended and not denied", i)
			}
		}
		live, err := store.Sessions.Live(ctx, ada.ID, epoch)
		must(t, err)
		var got, want []string
		for _, session := range live {
			got = append(got, session.ID)
		}
		for _, i := range []int{1, 2, 5} {
			want = append(want, sessions[i].ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("live sessions, the latest first (-want +got):\n%s", diff)
		}
		if got := readSession(t, store, sessions[4].ID).EndReason; got != models.ReasonLimit || !isDenied(t, store, sessions[4].ID) {
			t.Errorf("the oldest ended for %q, denied %v", got, isDenied(t, store, sessions[4].ID))
		}
		if !readSession(t, store, bobs.ID).EndedAt.IsZero() {
			t.Error("another person's session ended")
		}
	})
}

// TestEnded checks which sessions are over, since when and why: those that
// something ended, and those that met a limit.
func TestEnded(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ada := addUser(t, store, "ada")
		at := func(minutes int) models.Time { return models.At(epoch.Add(time.Duration(minutes) * time.Minute)) }
		add := func(seen, expires, ended int) {
			addSession(t, store, ada, func(s *models.Session) {
				s.IdleTTL, s.LastSeenAt, s.ExpiresAt = (10 * time.Minute).Microseconds(), at(seen), at(expires)
				if ended > 0 {
					s.EndedAt, s.EndReason = at(ended), models.ReasonLogout
				}
			})
		}
		add(0, 100, 0)   // idle at 10, which is too long ago
		add(1, 100, 0)   // idle at 11
		add(5, 12, 0)    // expired at 12
		add(5, 100, 14)  // ended at 14, before the idle limit at 15
		add(19, 100, 13) // ended at 13
		add(20, 100, 0)  // lives until 30
		addSession(t, store, addUser(t, store, "bob"), func(s *models.Session) { s.EndedAt = at(13) })
		ended, err := store.Sessions.Ended(t.Context(), ada.ID, at(11).Time(), at(29).Time(), 10)
		must(t, err)
		var got []string
		for _, session := range ended {
			over, reason := session.Over()
			got = append(got, fmt.Sprint(over.Time().Sub(epoch).Minutes(), " ", reason))
		}
		want := []string{"14 logout", "13 logout", "12 expired", "11 idle"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ended, the latest first (-want +got):\n%s", diff)
		}
	})
}
