package outbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/outbox"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestLease checks that a delivery in progress is nobody else's, that another worker
// takes it when the lease is over, and that a late result changes nothing.
func TestLease(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		second := newOffice(t, o.store, o.clock, "k")
		second.answers("250 by the second", nil)
		id := o.put(time.Hour)
		o.does(func(context.Context, outbox.Delivery) (string, error) {
			if n := second.work(); n != 0 {
				t.Error("two workers try one delivery")
			}
			if ok, err := o.store.Deliveries.Hasten(t.Context(), id, o.clock.Now()); ok || err != nil {
				t.Errorf("a delivery in progress is made due: %v, %v", ok, err)
			}
			o.wants(id, row{State: models.DeliveryWaiting, Attempts: 1, Due: outbox.Lease, Held: true})
			o.clock.Advance(outbox.Lease)
			second.work()
			return "", errors.New("421 too late")
		})
		o.work()
		o.wants(id, row{State: models.DeliverySent, Attempts: 2, Answer: "250 by the second"})
		if diff := cmp.Diff(o.attempts(), second.attempts()); diff != "" {
			t.Errorf("the deliveries are not the same (-first +second):\n%s", diff)
		}
	})
}

// TestHasten checks that an admin can end the wait for the next attempt.
func TestHasten(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id := o.put(time.Hour)
		o.answers("", errors.New("421 busy"))
		o.work()
		o.answers("250 Ok", nil)
		if ok, err := o.store.Deliveries.Hasten(t.Context(), id, o.clock.Now()); !ok || err != nil {
			t.Fatalf("Hasten: %v, %v", ok, err)
		}
		o.work()
		o.wants(id, row{State: models.DeliverySent, Attempts: 2, Answer: "250 Ok"})
		if ok, err := o.store.Deliveries.Hasten(t.Context(), id, o.clock.Now()); ok || err != nil {
			t.Errorf("a sent delivery is made due: %v, %v", ok, err)
		}
	})
}

// TestDatabaseGone checks that a delivery whose result could not be written down is
// delivered again: the same one, after its lease.
func TestDatabaseGone(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		open := func() *models.Store {
			store, err := models.Open(t.Context(), models.Options{URL: databaseURL})
			if err == nil {
				err = store.Migrate(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			return store
		}
		clock := noon()
		o := newOffice(t, open(), clock, "k")
		id := o.put(time.Hour)
		o.does(func(context.Context, outbox.Delivery) (string, error) { return "250 Ok", o.store.Close() })
		if _, err := o.Work(t.Context()); err == nil {
			t.Error("Work reports no error while the database is gone")
		}
		back := newOffice(t, open(), clock, "k")
		back.wants(id, row{State: models.DeliveryWaiting, Attempts: 1, Due: outbox.Lease, Held: true})
		clock.Advance(outbox.Lease)
		back.work()
		back.wants(id, row{State: models.DeliverySent, Attempts: 2, Answer: "250 Ok"})
		if diff := cmp.Diff(o.attempts(), back.attempts()); diff != "" {
			t.Errorf("the deliveries are not the same (-before +after):\n%s", diff)
		}
	})
}

// TestStop checks what happens to attempts in flight when a process stops: one that
// ends in time is written down, one that does not is given back.
func TestStop(t *testing.T) {
	for _, test := range []struct {
		name   string
		grace  time.Duration
		handle func(stop context.CancelFunc) outbox.Handler
		want   row
	}{
		{
			"in time", time.Minute,
			func(stop context.CancelFunc) outbox.Handler {
				return func(context.Context, outbox.Delivery) (string, error) { stop(); return "250 Ok", nil }
			},
			row{State: models.DeliverySent, Attempts: 1, Answer: "250 Ok"},
		},
		{
			"given back", 0,
			func(stop context.CancelFunc) outbox.Handler {
				return func(ctx context.Context, _ outbox.Delivery) (string, error) {
					stop()
					<-ctx.Done()
					return "", ctx.Err()
				}
			},
			row{State: models.DeliveryWaiting, Attempts: 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachOffice(t, func(t *testing.T, o *office) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				id := o.put(time.Hour)
				o.does(test.handle(stop))
				if err := o.Run(ctx, test.grace); err != nil {
					t.Fatal(err)
				}
				o.wants(id, test.want)
			})
		})
	}
}

// TestSlowOne checks that a delivery that takes long does not delay the others.
func TestSlowOne(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		const quick = 40
		slow, sent := o.put(time.Hour), make(chan string, quick)
		o.does(func(ctx context.Context, d outbox.Delivery) (string, error) {
			if d.ID == slow {
				<-ctx.Done()
				return "", ctx.Err()
			}
			sent <- d.ID
			return "250 Ok", nil
		})
		done := make(chan error)
		go func() { done <- o.Run(ctx, 0) }()
		for range quick {
			o.put(time.Hour)
		}
		seen := map[string]bool{}
		for range quick {
			seen[<-sent] = true
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if len(seen) != quick {
			t.Errorf("got %d different deliveries, want %d", len(seen), quick)
		}
		o.wants(slow, row{State: models.DeliveryWaiting, Attempts: 1})
	})
}
