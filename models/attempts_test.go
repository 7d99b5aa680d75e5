package models_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"latchkey/internal/testdb"
	"latchkey/models"
)

var threeThenWaits = models.Rule{Free: 3, Window: time.Hour, Waits: []time.Duration{time.Minute, 5 * time.Minute}}

func TestTake(t *testing.T) {
	never := time.Time{}
	at := func(d time.Duration) time.Time { return epoch.Add(d) }
	tests := []struct {
		name  string
		rule  models.Rule
		takes []time.Duration // after epoch
		want  []time.Time     // refused until; never: allowed
	}{
		{
			"free, then growing waits, the last again and again", threeThenWaits,
			[]time.Duration{0, 0, time.Second, 2 * time.Second, time.Minute, 61 * time.Second, 62 * time.Second, 361 * time.Second, 362 * time.Second},
			[]time.Time{never, never, never, at(61 * time.Second), at(61 * time.Second), never, at(361 * time.Second), never, at(661 * time.Second)},
		},
		{
			"the window begins anew", threeThenWaits,
			[]time.Duration{0, 59 * time.Minute, time.Hour, time.Hour, time.Hour, time.Hour},
			[]time.Time{never, never, never, never, never, at(time.Hour + time.Minute)},
		},
		{
			"a wait outlives the window",
			models.Rule{Free: 1, Window: time.Minute, Waits: []time.Duration{time.Hour}},
			[]time.Duration{0, 2 * time.Minute, time.Hour - time.Second, time.Hour, time.Hour + time.Second},
			[]time.Time{never, at(time.Hour), at(time.Hour), never, at(2 * time.Hour)},
		},
		{
			"at least a second", threeThenWaits,
			[]time.Duration{0, 0, 0, time.Minute - time.Microsecond},
			[]time.Time{never, never, never, at(time.Minute - time.Microsecond + time.Second)},
		},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for _, test := range tests {
			for i, after := range test.takes {
				verdict, err := takeOne(store, models.Take{Bucket: test.name, Rule: test.rule}, at(after))
				if err != nil || verdict.Allowed != test.want[i].IsZero() || !verdict.Until.Equal(test.want[i]) {
					t.Errorf("%s, take %d: %+v (%v), want until %v", test.name, i+1, verdict, err, test.want[i])
				}
			}
		}
	})
}

// TestStreak checks that after a number of attempts without a success no further one
// is allowed, however much time passes.
func TestStreak(t *testing.T) {
	rule := models.Rule{Free: 2, Window: time.Hour, Waits: []time.Duration{time.Minute}, Streak: 4}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx, take := t.Context(), models.Take{Bucket: "account:x", Rule: rule}
		for i := range 4 {
			verdict, err := takeOne(store, take, epoch.Add(time.Duration(i)*24*time.Hour))
			if err != nil || !verdict.Allowed {
				t.Fatalf("take %d: %+v (%v)", i+1, verdict, err)
			}
		}
		later := epoch.Add(365 * 24 * time.Hour)
		if verdict, err := takeOne(store, take, later); err != nil || verdict.Allowed || !verdict.Until.IsZero() {
			t.Errorf("after the streak: %+v (%v), want refused without an end", verdict, err)
		}
		wantPaused(t, store, rule.Streak, later, map[string]models.Pause{"account:x": {Locked: true}})
		must(t, store.Attempts.Refund(ctx, "account:x"))
		if verdict, err := takeOne(store, take, later); err != nil || !verdict.Allowed {
			t.Errorf("after a refund: %+v (%v)", verdict, err)
		}
		must(t, store.Attempts.Clear(ctx, "account:x"))
		wantPaused(t, store, rule.Streak, epoch, nil)
	})
}

// wantPaused checks the pauses of account:x and of some other buckets.
func wantPaused(t *testing.T, store *models.Store, streak int, now time.Time, want map[string]models.Pause) {
	t.Helper()
	got, err := store.Attempts.Paused(t.Context(), []string{"account:x", "account:y", "account:z", "account:nobody"}, streak, now)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("paused at %v (%v, -want +got):\n%s", now, err, diff)
	}
}

// TestPaused reads many buckets at once and checks which of them refuse attempts.
func TestPaused(t *testing.T) {
	rule := models.Rule{Free: 2, Window: time.Hour, Waits: []time.Duration{time.Minute}, Streak: 4}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		take := func(bucket string, at time.Time) {
			t.Helper()
			if _, err := takeOne(store, models.Take{Bucket: bucket, Rule: rule}, at); err != nil {
				t.Fatal(err)
			}
		}
		wantPaused(t, store, rule.Streak, epoch, nil)
		take("account:z", epoch)
		for range 2 {
			take("account:x", epoch)
			take("account:w", epoch) // no limit reads it
		}
		for i := range 4 {
			take("account:y", epoch.Add(time.Duration(i-3)*time.Minute))
		}
		minute, locked := models.Pause{Until: epoch.Add(time.Minute)}, models.Pause{Locked: true}
		both := models.Pause{Until: minute.Until, Locked: true}
		wantPaused(t, store, rule.Streak, epoch, map[string]models.Pause{"account:x": minute, "account:y": both})
		wantPaused(t, store, rule.Streak, minute.Until, map[string]models.Pause{"account:y": locked})
		got, err := store.Attempts.Paused(t.Context(), nil, rule.Streak, epoch)
		if len(got) != 0 || err != nil {
			t.Errorf("of no bucket: %v (%v)", got, err)
		}
	})
}

func TestTakeParallel(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		var allowed atomic.Int64
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				verdict, err := takeOne(store, models.Take{Bucket: "b", Rule: threeThenWaits}, epoch)
				if err != nil {
					t.Errorf("take: %v", err)
				}
				if verdict.Allowed {
					allowed.Add(1)
				}
			})
		}
		all.Wait()
		if got := allowed.Load(); got != 3 {
			t.Errorf("%d of 40 parallel attempts were allowed, want 3", got)
		}
	})
}

func TestRefund(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		take := func(bucket string, want bool) {
			t.Helper()
			verdict, err := takeOne(store, models.Take{Bucket: bucket, Rule: threeThenWaits}, epoch)
			if err != nil || verdict.Allowed != want {
				t.Errorf("%s: %+v (%v), want allowed %v", bucket, verdict, err, want)
			}
		}
		for range 3 {
			take("a", true)
			take("b", true)
		}
		must(t, store.Attempts.Refund(ctx, "a", "not there"))
		take("a", true)
		take("a", false)
		take("b", false)
		must(t, store.Attempts.Refund(ctx))
		for range 5 { // more than were counted
			must(t, store.Attempts.Refund(ctx, "a", "b"))
		}
		for range 3 {
			take("a", true)
			take("b", true)
		}
		take("a", false)
	})
}

func TestClearAttempts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		one := models.Rule{Free: 1, Window: time.Hour, Waits: []time.Duration{time.Hour}}
		buckets := []string{"device:ada:1", "device:ada:2", "device:adam:1", "device:ada", "account:ada"}
		for _, bucket := range buckets {
			_, err := takeOne(store, models.Take{Bucket: bucket, Rule: one}, epoch)
			must(t, err)
		}
		must(t, store.Attempts.ClearPrefix(ctx, "device:ada:"))
		left := func(want ...string) {
			t.Helper()
			got := strs(t, store, "SELECT bucket FROM login_attempts ORDER BY bucket")
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("left are %v, want %v", got, want)
			}
		}
		left("account:ada", "device:ada", "device:adam:1")
		n, err := store.Attempts.Purge(ctx, "account:", epoch, 10)
		if n != 0 || err != nil {
			t.Errorf("purged %d (%v), want none so early", n, err)
		}
		n, err = store.Attempts.Purge(ctx, "account:", epoch.Add(1), 1)
		must(t, err)
		if n != 0 { // a bucket touched at epoch is not older than epoch and a nanosecond
			t.Errorf("purged %d, want none within the same microsecond", n)
		}
		for _, want := range []int64{1, 1, 0} {
			if n, err = store.Attempts.Purge(ctx, "account:", epoch.Add(time.Second), 1); n != want || err != nil {
				t.Errorf("purged %d (%v), want %d", n, err, want)
			}
		}
		left("account:ada")
	})
}

// takeOne counts an attempt in one bucket.
func takeOne(store *models.Store, take models.Take, now time.Time) (models.Verdict, error) {
	verdicts, err := store.Attempts.Take(context.Background(), now, take)
	if err != nil {
		return models.Verdict{}, err
	}
	return verdicts[0], nil
}

// TestTakeSeveral checks that each bucket decides separately, with and without a
// transaction.
func TestTakeSeveral(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		one := models.Rule{Free: 1, Window: time.Hour, Waits: []time.Duration{time.Hour}}
		takes := []models.Take{{Bucket: "wide", Rule: threeThenWaits}, {Bucket: "narrow", Rule: one}, {Bucket: "wide too", Rule: threeThenWaits}}
		for i, want := range [][]bool{{true, true, true}, {true, false, true}, {true, false, true}, {false, false, false}} {
			var verdicts []models.Verdict
			ask := func(tx *models.Store) (err error) {
				verdicts, err = tx.Attempts.Take(t.Context(), epoch, takes...)
				return err
			}
			if i%2 == 0 {
				must(t, ask(store))
			} else {
				must(t, store.InTx(t.Context(), ask))
			}
			for j, verdict := range verdicts {
				if verdict.Allowed != want[j] || verdict.Allowed != verdict.Until.IsZero() {
					t.Errorf("attempt %d in %q: %+v, want allowed %t", i+1, takes[j].Bucket, verdict, want[j])
				}
			}
		}
	})
}
